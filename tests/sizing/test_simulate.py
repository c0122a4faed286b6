"""The simulation against a plain one step by step, against closed forms, and against laws that hold for any input."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.sizing.queueing import Queue
from steelyard.sizing.served import Served
from steelyard.sizing.simulate import Batching, Limits, Slots, batch
from steelyard.sizing.traffic import SECONDS_PER_DAY, Counts, Day, Lengths, steady

N = 12_000


def linear(prefill: int, decoding: int, cached: int) -> float:
    return 0.008 + 2e-5 * prefill + 3e-5 * decoding + 4e-8 * cached


def constant(prefill: int, decoding: int, cached: int) -> float:
    return 0.001


def plain(arrived: list[float], prompts: list[int], outputs: list[int], limits: Limits) -> list[tuple[float, float]]:
    """One replica, one step at a time, written for nothing but to be right: (first token, end) a request."""
    now, coming, waiting = 0.0, 0, []
    left, made, running = dict(enumerate(prompts)), [0] * len(prompts), []
    told: list[list[float]] = [[] for _ in prompts]
    while coming < len(arrived) or waiting or running:
        if not waiting and not running:
            now = max(now, arrived[coming])
        while coming < len(arrived) and arrived[coming] <= now:
            waiting.append(coming)
            coming += 1
        while waiting and len(running) < limits.max_batch:
            reserved = sum(prompts[r] + outputs[r] for r in [*running, waiting[0]])
            if reserved > limits.cache_tokens:
                break
            running.append(waiting.pop(0))
        decoding = [r for r in running if not left[r]]
        cached = sum(prompts[r] - left[r] + max(0, made[r] - 1) for r in running)
        room = max(1, limits.step_tokens - len(decoding))
        spent = 0
        for r in running:
            if left[r]:
                part = min(left[r], room - spent)
                left[r] -= part
                spent += part
        now += linear(spent, len(decoding), cached)
        for r in running.copy():
            if not left[r] and (r in decoding or spent):
                made[r] += 1
                if made[r] in (1, outputs[r]):
                    told[r].append(now)
                if made[r] == outputs[r]:
                    running.remove(r)
    return [(times[0], times[-1]) for times in told]


requests = st.lists(st.tuples(st.floats(1e-4, 0.4), st.integers(1, 90), st.integers(1, 30)), min_size=1, max_size=40)


@given(requests, st.integers(1, 6), st.integers(120, 400), st.integers(2, 64))
@settings(max_examples=40, deadline=None)
def test_jumping_over_steps_gives_what_single_steps_give(
    asked: list[tuple[float, int, int]], max_batch: int, cache: int, step_tokens: int
) -> None:
    arrived = np.cumsum([gap for gap, _, _ in asked])
    prompts, outputs = np.array([p for _, p, _ in asked]), np.array([o for _, _, o in asked])
    limits = Limits(max_batch, cache, step_tokens)
    served = batch(arrived, prompts, outputs, linear, limits, 1)
    expected = np.array(plain(arrived.tolist(), prompts.tolist(), outputs.tolist(), limits))
    assert served.first_token == pytest.approx(expected[:, 0], abs=1e-6)
    assert served.ended == pytest.approx(expected[:, 1], abs=1e-6)


@given(requests, st.integers(1, 4), st.integers(1, 6), st.integers(60, 400))
@settings(max_examples=60, deadline=None)
def test_laws_that_hold_for_any_requests(
    asked: list[tuple[float, int, int]], replicas: int, max_batch: int, cache: int
) -> None:
    """Everything ends once or is refused, in causal order; the limits hold; first come, first started on a replica."""
    arrived = np.cumsum([gap for gap, _, _ in asked])
    prompts, outputs = np.array([p for _, p, _ in asked]), np.array([o for _, _, o in asked])
    served = batch(arrived, prompts, outputs, linear, Limits(max_batch, cache), replicas)
    assert (served.refused == (prompts + outputs > cache)).all()
    assert (np.isnan(served.ended) == served.refused).all()
    kept = ~served.refused
    assert (served.arrived[kept] <= served.started[kept] + 1e-9).all()
    assert (served.started[kept] < served.first_token[kept]).all()
    assert ((served.ended == served.first_token) == (outputs == 1))[kept].all()
    for replica in range(replicas):
        mine = served.replica == replica
        assert (np.diff(served.started[mine]) >= 0).all()
        held, cached = present(served, mine), present(served, mine, prompts + outputs)
        assert held <= max_batch
        assert cached <= served.most_cached <= cache
    assert idle_with_work(served, replicas) == 0


def present(served: Served, mine: np.ndarray, weight: Counts | None = None) -> int:
    """The most that was held at once between start and end."""
    weights = np.ones(len(mine), dtype=int) if weight is None else weight
    moves = [(t, 1, w) for t, w in zip(served.started[mine], weights[mine], strict=True)]
    moves += [(t, 0, -w) for t, w in zip(served.ended[mine], weights[mine], strict=True)]
    return max(itertools.accumulate(w for _, _, w in sorted(moves)), default=0)


def idle_with_work(served: Served, replicas: int) -> float:
    """Seconds in which a replica had requests and did nothing: each is at work from the first it has to the last."""
    wanted = 0.0
    for replica in range(replicas):
        mine = served.replica == replica
        until = -math.inf
        for start, end in zip(served.arrived[mine], np.maximum.accumulate(served.ended[mine]), strict=True):
            wanted += max(0.0, end - max(start, until))
            until = max(until, end)
    return max(0.0, wanted - served.busy_seconds - 1e-6)


def test_littles_law_holds() -> None:
    """Mean number present = rate x mean latency, the number being counted on its own."""
    rng = np.random.default_rng(5)
    arrived, prompts, outputs = steady(20, N, 1), rng.integers(20, 600, N), rng.integers(1, 120, N)
    served = batch(arrived, prompts, outputs, linear, Limits(64, 60_000), 2)
    moments = np.linspace(arrived[N // 10], arrived[-N // 10], 20_000)
    counted = np.searchsorted(arrived, moments) - np.searchsorted(np.sort(served.ended), moments)
    latency = served.seconds("latency").mean()
    assert counted.mean() == pytest.approx(20 * latency, rel=0.05)


def exponential_outputs(mean_seconds: float, n: int, seed: int) -> Counts:
    """Steps of a millisecond; the prompt takes the first."""
    return np.random.default_rng((seed, 9)).geometric(0.001 / mean_seconds, n)


@pytest.mark.parametrize(("slots", "load"), [(1, 0.7), (4, 3.0)])
def test_slots_with_exponential_service_are_m_m_c(slots: int, load: float) -> None:
    """One replica whose steps take the same for any batch: within 10 % of Erlang over 48,000 requests."""
    n = 4 * N
    outputs = exponential_outputs(1.0, n, 3)
    served = batch(steady(load, n, 3), np.ones(n, int), outputs, constant, Limits(slots, 10**9), 1).after(0.1)
    queue = Queue(slots, load, 1.0)
    waits = served.seconds("wait")
    assert waits.mean() == pytest.approx(queue.mean_wait, rel=0.10)
    assert (waits > 0.002).mean() == pytest.approx(queue.waiting_share, rel=0.05)
    assert np.quantile(waits, 0.95) == pytest.approx(queue.wait_quantile(0.95), rel=0.12)


@pytest.mark.parametrize(("slots", "load"), [(1, 0.8), (4, 3.4)])
def test_slots_with_constant_service_are_m_d_c(slots: int, load: float) -> None:
    """Exact for one slot (5 %); Allen and Cunneen's approximation for several (12 %)."""
    n = 4 * N
    served = batch(steady(load, n, 4), np.ones(n, int), np.full(n, 1000), constant, Limits(slots, 10**9), 1).after(0.1)
    expected = Queue(slots, load, 1.0, variation=0).mean_wait
    assert served.seconds("wait").mean() == pytest.approx(expected, rel=0.05 if slots == 1 else 0.12)


def test_one_at_a_time_on_several_replicas_waits_longer_than_one_line_and_less_than_separate_ones() -> None:
    """Fewest on hand lies between M/M/c and c times M/M/1."""
    n = 2 * N
    served = batch(
        steady(2.4, n, 6), np.ones(n, int), exponential_outputs(1.0, n, 6), constant, Limits(1, 10**9), 3
    ).after(0.1)
    wait = served.seconds("wait").mean()
    assert Queue(3, 2.4, 1.0).mean_wait < wait < Queue(1, 0.8, 1.0).mean_wait / 1.5


@pytest.mark.parametrize(("slots", "replicas"), [(1, 1), (3, 2)])
def test_measured_servers_are_m_g_c(slots: int, replicas: int) -> None:
    """Within 10 % of Allen and Cunneen for a measured spread of service times."""
    service = np.random.default_rng(2).gamma(4.0, 0.25, 500)
    service /= service.mean()
    load = 0.8 * slots * replicas
    served = Slots(slots, service).serve(steady(load, 4 * N, 8), replicas, 8)
    queue = Queue(slots * replicas, load, 1.0, float(service.var()))
    assert served.seconds("wait").mean() == pytest.approx(queue.mean_wait, rel=0.10)
    assert served.utilisation == pytest.approx(0.8, rel=0.02)


def test_a_request_alone_takes_its_steps() -> None:
    served = batch(np.array([1.0]), np.array([100]), np.array([3]), linear, Limits(8, 1000, 60), 1)
    chunks = linear(60, 0, 0) + linear(40, 0, 60)
    assert served.seconds("ttft") == pytest.approx([chunks])
    assert served.seconds("latency") == pytest.approx([chunks + linear(0, 1, 100) + linear(0, 1, 101)])
    assert served.seconds("tpot") == pytest.approx([(linear(0, 1, 100) + linear(0, 1, 101)) / 2])


def test_a_request_longer_than_the_cache_is_refused_and_holds_nobody_up() -> None:
    served = batch(np.array([0.0, 0.1]), np.array([500, 10]), np.array([1, 1]), linear, Limits(8, 100), 1)
    assert served.refused.tolist() == [True, False]
    assert served.quantile("wait", 0.5) == pytest.approx(0)


def test_the_same_seed_gives_the_same_and_another_one_another() -> None:
    server = Batching(linear, Limits(8, 4000), Lengths.of({(50, 10): 3, (200, 40): 1}))
    once, again, other = (server.serve(steady(5, 300, seed), 2, seed) for seed in (1, 1, 2))
    assert (once.ended == again.ended).all()
    assert (once.ended != other.ended).any()


def test_what_a_request_waits_outside_the_steps_comes_on_top_and_slows_nobody() -> None:
    server = Batching(linear, Limits(8, 4000), Lengths.of({(50, 10): 3, (200, 40): 1}))
    arrived = steady(5.0, 300, 0)
    plain, late = server.serve(arrived, 1, 3), replace(server, outside_seconds=0.25).serve(arrived, 1, 3)
    for metric, more in (("ttft", 0.25), ("latency", 0.25), ("tpot", 0.0), ("wait", 0.0)):
        assert np.allclose(late.seconds(metric) - plain.seconds(metric), more)


def test_lengths_come_in_the_pairs_and_shares_that_were_seen() -> None:
    lengths = Lengths.of({(50, 10): 3, (200, 0): 1})
    prompts, outputs = lengths.draw(10_000, np.random.default_rng(0))
    assert {*zip(prompts.tolist(), outputs.tolist(), strict=True)} == {(50, 10), (200, 1)}
    assert (prompts == 50).mean() == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 4.0, 12.0, 100.0])
def test_a_day_has_its_requests_and_its_peak(ratio: float) -> None:
    day = Day(86_400, ratio)
    rate = day.rate(np.linspace(0, SECONDS_PER_DAY, 200_001))
    assert rate[:-1].mean() == pytest.approx(1.0, rel=1e-6)
    assert rate.max() == pytest.approx(ratio, rel=1e-6)
    assert rate.max() == pytest.approx(day.peak_per_second, rel=1e-6)


def test_a_week_of_arrivals_follows_the_days_curve() -> None:
    day = Day(20_000, 4.0)
    found = day.arrivals(7, seed=1)
    assert len(found) == pytest.approx(140_000, rel=0.01)
    assert (np.diff(found) >= 0).all()
    counted, _ = np.histogram(found % SECONDS_PER_DAY, bins=24, range=(0, SECONDS_PER_DAY))
    assert counted.max() / counted.mean() == pytest.approx(4.0, rel=0.05)
