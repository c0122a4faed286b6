"""Replicas for an objective, and how used they are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from steelyard.errors import InputError
from steelyard.quantities import Unknown
from steelyard.sizing import capacity
from steelyard.sizing.capacity import (
    Capacity,
    at_load,
    measured,
    rate_flat_out,
    replicas_for,
    services,
    spread,
    week,
    widened,
)
from steelyard.sizing.objective import Objective, objective, required, usual
from steelyard.sizing.queueing import Queue
from steelyard.sizing.simulate import Batching, Limits, Slots
from steelyard.sizing.traffic import Lengths
from steelyard.stats import Interval
from steelyard.usecase import Requirement, Workload

EXPONENTIAL = Slots(1, np.random.default_rng(0).exponential(1.0, 20_000))
FAST = (objective("ttft_p95 <= 500 ms"),)


def step(prefill: int, decoding: int, cached: int) -> float:
    return 0.008 + 2e-5 * prefill + 2e-5 * decoding + 2e-8 * cached


GPU = Batching(step, Limits(128, 200_000), Lengths.of({(300, 10): 5, (800, 200): 3, (1500, 60): 2}))


def of(per_second: float, objectives: tuple[Objective, ...], server: Slots | Batching) -> Capacity:
    found = replicas_for(per_second, objectives, server)
    assert isinstance(found, Capacity)
    return found


@pytest.mark.parametrize("load", [0.5, 5.0])
def test_the_replicas_are_those_that_erlang_gives(load: float) -> None:
    """The fewest whose p95 of waiting is within the limit: the same, or one more or less by chance."""
    limit = objective("wait_p95 <= 1 s")
    expected = next(c for c in range(1, 100) if Queue(c, load, 1.0).wait_quantile(0.95) <= 1)
    assert abs(of(load, (limit,), EXPONENTIAL).count - expected) <= 1


def test_the_answer_keeps_the_objective_and_one_replica_less_does_not() -> None:
    found = of(200, FAST, GPU)
    assert found.at_peak.quantile("ttft", 0.95) <= 0.5
    assert found.share_at_peak <= 0.95
    fewer = found.count - 1
    assert not FAST[0].holds(at_load(GPU, 200, fewer, 0)) or 0.95 * fewer * found.rate_flat_out < 200


@pytest.mark.slow
def test_more_traffic_and_a_tighter_limit_never_need_fewer() -> None:
    counts = [of(rate, FAST, GPU).count for rate in (10, 100, 400)]
    assert counts == sorted(counts)
    assert of(100, (objective("ttft_p95 <= 60 ms"),), GPU).count >= of(100, FAST, GPU).count


def test_the_spread_over_seeds_stands_beside_the_number() -> None:
    interval = of(5.0, FAST, measured(4.0, [0.2, 0.3])).replicas.interval
    assert isinstance(interval, Interval)
    assert interval.low <= interval.high


def test_an_objective_below_what_one_request_takes_alone_has_no_number_of_replicas() -> None:
    found = replicas_for(1.0, (objective("latency_p95 <= 10 ms"),), GPU)
    assert isinstance(found, Unknown)
    assert "alone" in found.reason


def test_an_objective_that_service_alone_just_misses_has_no_number_of_replicas() -> None:
    """5.1 % of the services are too long: no replica helps, though a short trial may not see it."""
    service = np.concatenate([np.full(949, 0.1), np.full(51, 1.0)])
    assert isinstance(replicas_for(3.0, (objective("latency_p95 <= 500 ms"),), Slots(1, service)), Unknown)


def test_requests_longer_than_the_cache_have_no_number_of_replicas() -> None:
    found = replicas_for(1.0, FAST, Batching(step, Limits(8, 100), Lengths.of({(300, 10): 1})))
    assert isinstance(found, Unknown)
    assert "cache" in found.reason


def test_a_measured_server_gives_its_measured_rate_flat_out() -> None:
    server = measured(4.0, [0.4, 0.6, 0.8])
    assert server.slots == 2
    assert rate_flat_out(server) == pytest.approx(4.0, rel=0.03)
    assert measured(1.0, [0.2]).slots == 1
    assert rate_flat_out(measured(1.0, [0.2])) == pytest.approx(1.0, rel=0.03)


def test_a_fleet_above_a_cell_is_its_multiple() -> None:
    small, large = of(32 * 20.0, FAST, GPU).count, of(320 * 20.0, FAST, GPU).count
    assert large == pytest.approx(10 * small, rel=0.08)


def test_a_week_is_used_by_its_mean_and_scaling_takes_fewer_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "REQUESTS", 2_000)
    workload = Workload(1_000_000, peak_to_mean=4.0)
    found = of(1_000_000 / 86_400 * 4, FAST, GPU)
    seen = week(workload, FAST, GPU, found)
    assert seen.used == pytest.approx(found.share_at_peak / 4)
    assert seen.kept_on == 168 * found.count
    assert 1 < seen.over_provisioned < 4


def test_a_few_requests_a_day_leave_a_machine_off_most_of_the_time() -> None:
    workload = Workload(10, peak_to_mean=2.0)
    seen = week(workload, FAST, GPU, of(10 / 86_400 * 2, FAST, GPU))
    assert seen.over_provisioned > 10


def test_objectives_are_read_from_text_and_from_a_studys_requirements() -> None:
    assert objective("tpot_p99 < 0.05 s") == Objective("tpot", 0.99, 0.05, "tpot_p99 < 0.05 s")
    asked = required([Requirement("accuracy", ">=", 0.6, ">= 0.6"), Requirement("latency_p95", "<=", 0.8, "<= 800 ms")])
    assert asked == (Objective("latency", 0.95, 0.8, "latency_p95 <= 800 ms"),)
    assert [one.quantile for one in usual().value] == [0.99, 0.99]
    for wrong in ("ttft <= 1 s", "ttft_p0 <= 1 s", "accuracy_p95 <= 1 s", "ttft_p95 >= 1 s", "ttft_p95 <= 1"):
        with pytest.raises(InputError):
            objective(wrong)


def test_service_times_are_those_that_were_timed_where_these_are_enough() -> None:
    timed = tuple(0.1 + 0.01 * n for n in range(30))
    assert services(timed, 0.2, 0.4) == timed
    assert services(timed[:5], 0.2, 0.4) == spread(0.2, 0.4)


def test_two_percentiles_are_spread_into_values_that_have_them() -> None:
    values = np.array(spread(0.2, 0.5))
    assert np.quantile(values, [0.5, 0.95]) == pytest.approx([0.2, 0.5], rel=0.01)
    assert spread(0.2, 0.2, 3) == pytest.approx((0.2, 0.2, 0.2))


def test_a_doubtful_speed_gives_a_doubtful_number_of_replicas() -> None:
    """Twice as fast needs about half as many, twice as slow about twice; where slow never keeps up there is no end."""

    def half(prefill: int, decoding: int, cached: int) -> float:
        return step(prefill, decoding, cached) / 2

    def twice(prefill: int, decoding: int, cached: int) -> float:
        return step(prefill, decoding, cached) * 2

    found = replicas_for(200, FAST, GPU, seeds=(0,))
    assert isinstance(found, Capacity)
    both = widened(found, FAST, replace(GPU, step_time=half), replace(GPU, step_time=twice)).replicas
    assert isinstance(both.interval, Interval)
    assert both.value == found.count
    assert both.interval.low < 0.7 * found.count
    assert both.interval.high > 1.6 * found.count
    never = widened(found, FAST, GPU, replace(GPU, outside_seconds=1.0)).replicas.interval
    assert isinstance(never, Interval)
    assert never.high == math.inf
