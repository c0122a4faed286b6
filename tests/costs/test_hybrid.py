"""Own machines for the base load: every number of replicas is tried, and the best is the best of a brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.costs.test_model import api_plan, machine_plan

from steelyard.costs.hybrid import day, hybrid
from steelyard.costs.model import monthly


@pytest.mark.parametrize("peak", [1.0, 1.5, 4.0, 10.0])
def test_a_day_has_the_peak_that_was_stated(peak: float) -> None:
    hours = day(peak)
    assert len(hours) == 24
    assert np.mean(hours) == pytest.approx(1)
    assert max(hours) == pytest.approx(peak)


def cost_by_hand(replicas: int, requests_per_day: float, hours: list[float]) -> float:
    """Hour by hour: what the replicas can answer stays, the rest leaves."""
    own, api = machine_plan(), api_plan()
    a_second = [requests_per_day / 86_400 * hour / np.mean(hours) for hour in hours]
    kept = sum(min(rate, replicas * 3.0 * 0.7) for rate in a_second) / sum(a_second)
    plan = replace(own.beside(api, kept), replicas=replicas)
    lines = monthly(plan, plan.inputs, requests_per_day, 0)
    return float(lines.total - lines.group("one-off"))


def test_the_best_split_is_that_of_trying_every_number_by_hand() -> None:
    hours = [1, 1, 1, 1, 2, 3, 9, 9, 4, 2, 1, 1]
    found = hybrid(machine_plan(), api_plan(), 900_000, hours=hours)
    for split in found.splits[1:-1]:
        assert split.usd == pytest.approx(cost_by_hand(split.replicas, 900_000, hours))
    assert [split.replicas for split in found.splits] == list(range(len(found.splits)))
    assert found.best.usd == min(split.usd for split in found.splits)


def test_dear_tokens_and_a_sharp_peak_make_a_split_pay() -> None:
    found = hybrid(machine_plan(), api_plan(), 5_000_000, hours=[1] * 22 + [12] * 2)
    assert 0 < found.best.own_share < 1
    assert found.saves_usd > 0


def test_without_a_peak_nothing_is_split_and_nothing_saved() -> None:
    found = hybrid(machine_plan(), api_plan(output_rate=400), 1_000_000, hours=[1.0])
    assert found.best.own_share == 1.0
    assert found.saves_usd == 0.0


def test_what_may_not_leave_takes_room_first() -> None:
    """Half of a peak of 21 requests a second at 2.1 a replica: five replicas at the least, and never the API alone."""
    hours = [1.0, 3.0]
    requests_per_day = 21.0 / 1.5 * 86_400
    found = hybrid(machine_plan(), api_plan(), requests_per_day, hours=hours, must_stay=0.5)
    assert min(split.replicas for split in found.splits) == 5
    assert max(split.replicas for split in found.splits) == 10
