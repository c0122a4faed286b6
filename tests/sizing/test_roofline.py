"""The parts of a step: what each must do at its limits, checked without any data."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from steelyard.catalogue.paths import model_of_path
from steelyard.quantities import Unknown
from steelyard.sizing import roofline
from steelyard.sizing.accelerators import accelerator
from steelyard.sizing.layout import Parallel, Precision
from steelyard.sizing.roofline import (
    Constants,
    Numbers,
    Terms,
    constants,
    decode,
    prefill,
    room,
    served,
    stack,
    touched,
)
from steelyard.sizing.terms import ONE, Load, terms

IDEAL = Constants(
    **{part.name: 0.0 if part.name.endswith("seconds") or part.name == "burst" else 1.0 for part in fields(Constants)}
)
"""No overheads, every peak reached."""


def row(path: str, parallel: Parallel = ONE, precision: Precision = "fp8", batch: float = 1) -> Terms[Numbers]:
    model = model_of_path(path)
    assert not isinstance(model, Unknown)
    found = terms(Load(model, accelerator("h200"), precision, "", 1000, 1000, batch, parallel))
    assert not isinstance(found, Unknown)
    return stack([found])


def one(number: float) -> Numbers:
    return np.array([number])


def test_without_overheads_one_token_takes_the_weights_over_the_bandwidth() -> None:
    t = row("meta-llama/Llama-3.1-70B")
    linear, head = 70.55e9 - 2 * 128256 * 8192, 128256 * 8192
    assert decode(t, IDEAL, one(1), one(0))[0] == pytest.approx((linear + 2 * head) / 4.8e12, rel=0.01)


def test_without_overheads_a_long_prompt_takes_its_operations_over_the_peak() -> None:
    t = row("meta-llama/Llama-3.1-70B")
    linear, attention = 2 * (70.55e9 - 2 * 128256 * 8192) * 1000, 80 * 4 * 64 * 128 * 1000**2 / 2
    expected = linear / 1978e12 + attention / 989e12
    assert prefill(t, IDEAL, one(1000))[0] == pytest.approx(expected, rel=0.03)


def test_one_token_asks_its_experts_and_many_ask_all() -> None:
    t = row("deepseek-ai/DeepSeek-R1", Parallel(tp=8))
    assert touched(t, IDEAL, one(1))[0] == pytest.approx(8)
    assert touched(t, IDEAL, one(10_000))[0] == pytest.approx(256)
    assert touched(t, replace(IDEAL, routing=0.8), one(16))[0] < touched(t, IDEAL, one(16))[0]


def test_a_latent_cache_is_not_split_and_attention_by_sequence_makes_room_for_more() -> None:
    split = row("deepseek-ai/DeepSeek-R1", Parallel(tp=8))
    apart = row("deepseek-ai/DeepSeek-R1", Parallel(tp=1, attention_dp=8, moe_tp=1, moe_ep=8))
    assert split.cache_whole[0] == apart.cache_whole[0]
    assert 8 * room(apart)[0] > 4 * room(split)[0]


def test_prompts_that_ride_along_do_not_read_the_matrices_again() -> None:
    t = row("Qwen/Qwen3-235B-A22B", Parallel(tp=8))
    c = constants()
    assert prefill(t, c, one(64), 0.0)[0] < prefill(t, c, one(64))[0] / 2


def test_many_rows_at_once_are_what_each_is_alone() -> None:
    several = [row("meta-llama/Llama-3.1-70B", Parallel(tp=4), batch=b) for b in (1, 8, 64)]
    several.append(row("deepseek-ai/DeepSeek-R1", Parallel(tp=32), batch=512))
    together = Terms(*(np.concatenate([getattr(t, part.name) for t in several]) for part in fields(Terms)))
    ttft, tpot = served(together, constants())
    for at, t in enumerate(several):
        assert (ttft[at], tpot[at]) == pytest.approx([value[0] for value in served(t, constants())])


def test_every_constant_that_ships_is_plausible() -> None:
    c = constants()
    for name in ("bandwidth", "expert_bandwidth", "cache_bandwidth", "arithmetic", "expert_arithmetic", "link"):
        assert 0.1 < getattr(c, name) < 1
    assert all(0.8 < getattr(c, name) < 1.25 for name in ("vllm", "sglang", "trtllm"))
    assert roofline.engine(row("Qwen/Qwen3-8B"), c)[0] == 1
