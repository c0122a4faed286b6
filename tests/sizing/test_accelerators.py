"""Accelerators are sourced facts; own machines stand beside the study; what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import InputError
from steelyard.quantities import Sourced, Unknown
from steelyard.sizing.accelerators import accelerator, accelerators
from steelyard.sizing.layout import PRECISIONS, Parallel, codings, precision

OWN = """
[sources.me]
source = "invoice 17"
as_of = "2026-10-01"
[[accelerator]]
id = "basement"
name = "two cards in the basement"
maker = "us"
kind = "gpu"
from = "me"
memory_bytes = 48_000_000_000
purchase = { usd = "5000", from = "me" }
"""


def test_every_accelerator_has_memory_and_bandwidth_with_source_and_day() -> None:
    assert len(accelerators()) >= 30
    for one in accelerators().values():
        for fact in (one.memory, one.bandwidth):
            assert isinstance(fact, Sourced), one.id
            assert fact.source and fact.as_of, one.id
            assert fact.value > 1e9, one.id
        for figure in (*one.flops.values(), one.watts, one.purchase):
            assert isinstance(figure, Sourced) or figure.reason, one.id
        assert all(rent.usd_per_hour.source for rent in one.rents)


def test_the_systems_of_the_published_measurements_are_there_under_their_names() -> None:
    for name in ("h100_sxm", "h200_sxm", "b200_sxm", "b300_sxm", "gb200"):
        assert accelerator(name).id == name


@pytest.mark.parametrize(("alias", "id"), [("H100", "h100_sxm"), ("A100", "a100_sxm"), ("pi5", "raspberry_pi_5")])
def test_short_names_mean_the_usual_one(alias: str, id: str) -> None:
    assert accelerator(alias).id == id


def test_an_unknown_name_is_refused_with_near_ones() -> None:
    with pytest.raises(InputError, match="near: h100"):
        accelerator("h10")


def test_own_machines_stand_beside_the_study_and_come_first(tmp_path: Path) -> None:
    (tmp_path / "hardware.toml").write_text(OWN)
    known = accelerators(tmp_path / "study.yaml")
    assert next(iter(known)) == "basement"
    assert known["basement"].bandwidth == Unknown("not read")
    assert "h100_sxm" in known


def test_every_mistake_of_an_own_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "hardware.toml").write_text(OWN.replace('"gpu"', '"toaster"').replace("48_000_000_000", "-1"))
    with pytest.raises(InputError) as caught:
        accelerators(tmp_path)
    assert len(caught.value.problems) >= 2
    (tmp_path / "hardware.toml").write_text(OWN.replace('from = "me"\nmemory', 'from = "you"\nmemory'))
    with pytest.raises(InputError, match="no source is called 'you'"):
        accelerators(tmp_path)


def test_every_precision_has_its_bytes_and_common_spellings_are_understood() -> None:
    assert set(codings()) == set(PRECISIONS)
    assert (precision("Q4_K_M"), precision("nvfp4"), precision("bfloat16")) == ("q4_k_m", "fp4", "bf16")
    with pytest.raises(InputError, match="no precision is called 'fp7'"):
        precision("fp7")


def test_a_copy_spans_the_product_of_its_splits() -> None:
    split = Parallel(tp=4, pp=2, attention_dp=2)
    assert (split.gpus, split.expert_ways) == (16, 8)
    assert Parallel(tp=8, moe_ep=4).expert_ways == 4
    with pytest.raises(ValueError, match="at least 1"):
        Parallel(tp=0)
