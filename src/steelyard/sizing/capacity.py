"""How many replicas: the fewest that keep the latency objective at the peak, by simulation; and how used they are.

The peak is simulated as a steady load at the busiest moment's rate. Requests end in seconds and the rate changes over
hours, so the difference is small, and on the safe side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median

import numpy as np

from steelyard.quantities import Unknown
from steelyard.sizing.objective import Objective
from steelyard.sizing.served import Served
from steelyard.sizing.simulate import Server, Slots
from steelyard.sizing.traffic import SECONDS_PER_DAY, Day, Seconds, steady
from steelyard.stats import Estimate, Interval
from steelyard.usecase import Workload

REQUESTS = 8_000
A_REPLICA = 400
CELL = 32
"""More replicas are simulated as so many, with their share of the load: a smaller pool, so hardly too many."""
FULLEST = 0.95
"""Of the rate flat out that is planned for at most: nearer to it, lines grow for longer than is simulated."""
MOST = 64
"""Times the replicas that the bare load needs: by then nobody waits, and more do not help."""
WARM_UP = 0.2
ENOUGH = 20
KEEP_WARM_SECONDS = 600.0


@dataclass(frozen=True)
class Week:
    """A week of whole days, all alike. Hours are replica-hours.

    `used`: mean requests over what the replicas could answer flat out. `kept_on`: all replicas around the clock.
    `scaled`: each hour only as many as its load needs, the last one off after `keep_warm_seconds` without a request;
    starting is taken to be instant.
    """

    used: float
    kept_on: float
    scaled: float
    keep_warm_seconds: float

    @property
    def over_provisioned(self) -> float:
        """How many times the hours that scaling to zero would take; infinite where it would take none."""
        return self.kept_on / self.scaled if self.scaled else math.inf


@dataclass(frozen=True)
class Capacity:
    """`replicas` keep the objectives at `peak_per_second`: the median over seeds, with lowest and highest.

    `rate_flat_out`: requests a second of one replica that always has work. `at_peak`: the peak with `replicas` of them
    (a cell of it, above CELL). `share_at_peak`: the peak over what they could do flat out: what the objective leaves.
    """

    replicas: Estimate
    peak_per_second: float
    rate_flat_out: float
    at_peak: Served

    @property
    def count(self) -> int:
        """Whole replicas, without a spare."""
        return round(self.replicas.value)

    @property
    def share_at_peak(self) -> float:
        """Of the rate flat out, at the peak."""
        return self.peak_per_second / (self.count * self.rate_flat_out)


def replicas_for(
    per_second: float, objectives: Sequence[Objective], server: Server, *, seeds: Sequence[int] = (0, 1, 2)
) -> Capacity | Unknown:
    """The fewest replicas that keep every objective at a steady load; Unknown where no number of them does."""
    if per_second <= 0:
        return Unknown("there are no requests to serve")
    flat_out = rate_flat_out(server, seeds[0])
    if not flat_out:
        return Unknown("every request is longer than the cache of one replica")
    alone = server.serve(steady(per_second / 1e6, 400, seeds[0]), 1, seeds[0])
    for objective in objectives:
        if not objective.holds(alone):
            best = objective.value(alone)
            return Unknown(f"no number of replicas keeps {objective.text}: alone on one, a request takes {best:.3g} s")
    least = max(1, math.ceil(per_second / flat_out / FULLEST))
    counts, start = [], least
    for seed in seeds:
        start = _fewest(lambda n, seed=seed: keeps(server, per_second, n, objectives, seed), least, start)  # type: ignore[misc]
        if not start:
            asked = ", ".join(one.text for one in objectives)
            return Unknown(f"no number of replicas keeps {asked}: a request without any wait takes about as long")
        counts.append(start)
    count = int(median(counts))
    spread = Interval(min(counts), max(counts), 1.0)
    replicas = Estimate(count, spread, len(seeds), "simulation; lowest and highest over seeds", "replicas")
    return Capacity(replicas, per_second, flat_out, at_load(server, per_second, count, seeds[0]))


def widened(
    found: Capacity, objectives: Sequence[Objective], fast: Server, slow: Server, level: float = 0.9
) -> Capacity:
    """The same with the replicas of both ends of the interval of its speed; no end above where the slow one never does.

    Chance of the simulation and doubt of the speed are not added up: the wider of both, which is the speed's.
    """
    ends = [replicas_for(found.peak_per_second, objectives, server, seeds=(0,)) for server in (fast, slow)]
    few, many = (math.inf if isinstance(end, Unknown) else float(end.count) for end in ends)
    seeds = found.replicas.interval
    assert isinstance(seeds, Interval)
    both = Interval(min(few, seeds.low), max(many, seeds.high), level)
    method = "simulation; with the interval of the speed"
    return replace(found, replicas=replace(found.replicas, interval=both, method=method))


def at_load(server: Server, per_second: float, replicas: int, seed: int) -> Served:
    """A steady load on so many replicas, without the beginning."""
    cell = min(replicas, CELL)
    n = max(REQUESTS, A_REPLICA * cell)
    served: Served = server.serve(steady(per_second * cell / replicas, n, seed), cell, seed)
    return served.after(WARM_UP)


def keeps(server: Server, per_second: float, replicas: int, objectives: Sequence[Objective], seed: int) -> bool:
    """Whether every objective holds, and the line does not grow from the first half to the second."""
    served = at_load(server, per_second, replicas, seed)
    return all(objective.holds(served) for objective in objectives) and not _growing(served)


def rate_flat_out(server: Server, seed: int = 0, n: int = 2_000) -> float:
    """Requests a second of one replica when all of them wait at the start; 0 where it can serve none.

    Counted between the tenth and the ninetieth percentile of ends: the batch is full then.
    """
    served = server.serve(np.zeros(n), 1, seed)
    ends = np.sort(served.ended[~served.refused])
    if len(ends) < 20:
        return 0.0
    low, high = len(ends) // 10, len(ends) * 9 // 10
    span = float(ends[high] - ends[low])
    return (high - low) / span if span > 0 else len(ends) / float(ends[-1])


def week(workload: Workload, objectives: Sequence[Objective], server: Server, capacity: Capacity) -> Week:
    """How used the replicas are over a week at today's traffic, and how many hours scaling to zero would take."""
    day = Day(workload.requests_per_day, workload.peak_to_mean)
    rates = day.rate(np.arange(0, SECONDS_PER_DAY, 3600.0))
    service = float(np.mean(server.serve(steady(1e-6, 200, 0), 1, 0).seconds("latency")))
    rate = lru_cache(lambda n: most_share(server, objectives, capacity, n) * n * capacity.rate_flat_out)
    hours = 0.0
    for load in rates.tolist():
        needed = next(
            (n for n in range(1, capacity.count) if n * FULLEST >= load / capacity.rate_flat_out and rate(n) >= load), 0
        )
        on = 1 - math.exp(-load * (service + KEEP_WARM_SECONDS))  # M/G/infinity: the chance that one is at work
        hours += (needed or capacity.count) - 1 + on
    used = workload.requests_per_day / SECONDS_PER_DAY / (capacity.count * capacity.rate_flat_out)
    return Week(used, 168.0 * capacity.count, 7 * hours, KEEP_WARM_SECONDS)


def measured(throughput_per_second: float, latency_seconds: Sequence[float]) -> Slots:
    """A server from what a trial measured: requests a second under load, seconds of single requests.

    Slots by Little's law, so that they give the measured throughput exactly when they are always full: a replica that
    answers 4 a second and takes 0.6 s for one has 2 slots; service times are stretched alike to fit.
    """
    seconds: Seconds = np.asarray(latency_seconds, dtype=float)
    slots = max(1, round(throughput_per_second * float(seconds.mean())))
    return Slots(slots, seconds * (slots / throughput_per_second / float(seconds.mean())))


def services(timed: Sequence[float], p50: float, p95: float) -> Sequence[float]:
    """Service times to draw from: those that were timed where they are enough, else a smooth curve through both."""
    return timed if len(timed) >= ENOUGH else spread(p50, p95)


def spread(p50: float, p95: float, n: int = 1_000) -> tuple[float, ...]:
    """`n` evenly spread values of the log-normal distribution with this median and 95th percentile."""
    from scipy.special import ndtri

    sigma = math.log(max(1.0, p95 / p50)) / float(ndtri(0.95))
    return tuple((p50 * np.exp(sigma * ndtri((np.arange(n) + 0.5) / n))).tolist())


def most_share(server: Server, objectives: Sequence[Objective], capacity: Capacity, replicas: int) -> float:
    """The largest share of the rate flat out that so many replicas carry and keep every objective, to a fortieth."""
    flat_out = replicas * capacity.rate_flat_out
    low, high = 0, 39
    while high - low > 1:
        middle = (low + high) // 2
        if keeps(server, flat_out * middle / 40, replicas, objectives, 0):
            low = middle
        else:
            high = middle
    return low / 40


def _fewest(enough: Callable[[int], bool], least: int, start: int) -> int:
    """The smallest count from `least` up that is enough (more are as good), tried from `start`; 0 for none."""
    low, high = least - 1, max(least, start)
    while not enough(high):
        low, high = high, high + max(1, (high - least + 1))
        if high > MOST * least:
            return 0
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high


def _growing(served: Served) -> bool:
    """More than twice the wait in the last third than in the first, and worth noticing beside the latency."""
    waits, latency = served.seconds("wait"), served.seconds("latency")
    third = len(waits) // 3
    first, last = float(np.mean(waits[:third])), float(np.mean(waits[-third:]))
    return last > 2 * first and last > float(np.mean(latency)) / 2
