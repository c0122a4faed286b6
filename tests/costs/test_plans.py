"""Tokens of a plan carry the uncertainty of their sampling, and more where no vendor has counted them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.costs.test_cost import AT, DIME, WORKLOAD, candidate, offer

from steelyard.costs.model import Plan
from steelyard.costs.plans import plan_of
from steelyard.providers.protocol import Usage
from steelyard.quantities import Tokens

USAGES = {Usage(Tokens(count), Tokens(10)): 1 for count in (700, 800, 900)}


def plan(usages: dict[Usage, int]) -> Plan:
    its = candidate("api", offer())
    got = plan_of(its, usages=usages, throughput_per_second=1.0, workload=WORKLOAD, at=AT, machine=DIME)
    assert isinstance(got, Plan)
    return got


def test_tokens_have_the_interval_of_their_sampling():
    """Standard deviation 100 of three: 1.96 x 100 / sqrt(3) = 113.16."""
    fresh = plan(USAGES).inputs.facts["fresh_tokens"]
    assert (fresh.value, fresh.low, fresh.high) == pytest.approx((800, 800 - 113.16, 800 + 113.16), abs=0.01)
    alone = plan({Usage(Tokens(800), Tokens(10)): 1}).inputs.facts["fresh_tokens"]
    assert alone.low == alone.value == alone.high


def test_tokens_that_no_vendor_counted_leave_the_ratio_of_tokenizers_open():
    assert plan(USAGES).inputs.facts["tokenizer_ratio"].high == 1
    ratio = plan({replace(usage, estimated=True): 1 for usage in USAGES}).inputs.facts["tokenizer_ratio"]
    assert ratio.low < 1 < ratio.high
    assert "planning assumption" in ratio.source
