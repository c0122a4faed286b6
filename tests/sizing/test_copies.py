"""A model on an accelerator, from memory and step time to replicas."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard.catalogue.load import load_catalogue
from steelyard.cli.size.fit import fit_command
from steelyard.quantities import Unknown
from steelyard.sizing import capacity
from steelyard.sizing.accelerators import accelerator
from steelyard.sizing.capacity import Capacity, replicas_for
from steelyard.sizing.copies import Copy, copy_on
from steelyard.sizing.objective import usual
from steelyard.sizing.traffic import Lengths

EXAMPLE = Path(__file__).parents[2] / "examples" / "support-inbox"
LENGTHS = Lengths.of({(300, 10): 5, (800, 200): 3, (1500, 60): 2})


@pytest.fixture(autouse=True)
def few_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eighth of the usual ones: what is asserted here hangs on none of the last percents."""
    monkeypatch.setattr(capacity, "REQUESTS", 1_000)


def on(name: str, machine: str) -> Copy | Unknown:
    return copy_on(load_catalogue().models[name], accelerator(machine), LENGTHS)


def test_a_larger_model_takes_more_accelerators_and_more_replicas() -> None:
    small, large = on("llama-3.1-8b-instruct", "h100"), on("llama-3.1-70b-instruct", "h100")
    assert isinstance(small, Copy)
    assert isinstance(large, Copy)
    assert small.memory.parallel.gpus < large.memory.parallel.gpus
    assert small.server.limits.cache_tokens >= small.server.limits.max_batch * LENGTHS.longest
    assert small.fast.step_time(0, 8, 4000) < small.server.step_time(0, 8, 4000) < small.slow.step_time(0, 8, 4000)
    assert 0.02 < small.server.outside_seconds < small.slow.outside_seconds
    few, many = (replicas_for(20.0, usual().value, copy.server, seeds=(0,)) for copy in (small, large))
    assert isinstance(few, Capacity)
    assert isinstance(many, Capacity)
    assert few.count < many.count


def test_a_model_whose_network_is_not_known_has_no_copy() -> None:
    assert isinstance(on("gpt-5-mini", "h100"), Unknown)


def test_open_candidates_are_estimated_without_a_run(tmp_path: Path) -> None:
    for name in ("study.yaml", "inbox.jsonl"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    done = CliRunner().invoke(
        fit_command, [str(tmp_path), "--on", "h100", "--spare", "1", "--json"], catch_exceptions=False
    )
    rows = {row["candidate"]: row for row in json.loads(done.stdout)["on"]}
    assert "linear" not in rows
    assert rows["gemma-3-270m"]["replicas"]["value"] == 1
    assert rows["codestral-22b"]["seconds_at_peak"]["latency_p95"] <= 0.8
    assert rows["codestral-22b"]["replicas_at_the_end"]["value"] > rows["codestral-22b"]["replicas"]["value"]
    low, high = rows["codestral-22b"]["usd_per_month"]
    assert 0 < low < high
    ends = rows["codestral-22b"]["replicas"]["interval"]
    assert ends["low"] <= rows["codestral-22b"]["replicas"]["value"] <= ends["high"]
    hours = 730.5 * 1.30
    assert low == pytest.approx((rows["codestral-22b"]["replicas"]["value"] + 1) * hours), "a spare one is paid too"
