"""Continuous batching, simulated event by event: who waits, when the first token comes, how fast the others follow.

The server. A replica works in steps. A step gives every decoding sequence one token and uses what is left of
`step_tokens` for prompts, oldest first, a long prompt over several steps (chunked prefill); the step that ends a
prompt gives its first token. Requests are admitted between steps, first come first served, while `max_batch` and
`cache_tokens` allow. Admission reserves the cache of prompt and answer in full, so nothing is ever preempted or
computed twice; a request that does not fit waits, and so does all behind it. Arrivals go to the replica with the
fewest requests on hand and stay there; of several at the very same moment the first begins a step without the others.

The speed. While nobody comes, leaves or prefills, the batch stays as it is, so all those steps are one event: with step
times linear in the cached tokens their sum is a closed form. One request is about three events.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import heappop, heappush, heapreplace
from typing import Protocol

import numpy as np

from steelyard.sizing.served import Served
from steelyard.sizing.traffic import Counts, Lengths, Seconds


class StepTime(Protocol):
    """Seconds of one step, more than zero; the same for equal arguments."""

    def __hash__(self) -> int: ...

    def __call__(self, prefill_tokens: int, decoding_sequences: int, cached_tokens: int, /) -> float: ...


@dataclass(frozen=True)
class Limits:
    """What one replica holds: sequences at once, tokens of KV cache, tokens worked on in one step."""

    max_batch: int
    cache_tokens: int
    step_tokens: int = 8192


class Server(Protocol):
    """A kind of replica, with the requests it is asked."""

    def serve(self, arrived: Seconds, replicas: int, seed: int = 0) -> Served: ...


@dataclass(frozen=True, eq=False)
class Slots:
    """A replica known only by measurement: `slots` requests at once, each for one of the measured `service_seconds`.

    All replicas share one waiting line. Nothing streams: the first token comes with the last.
    """

    slots: int
    service_seconds: Seconds

    def serve(self, arrived: Seconds, replicas: int, seed: int = 0) -> Served:
        """M/G/c, first come first served."""
        n = len(arrived)
        service = np.random.default_rng((seed, 1)).choice(self.service_seconds, n)
        free = [(-1.0, slot) for slot in range(self.slots * replicas)]
        started, taken = np.empty(n), np.empty(n, dtype=np.int64)
        for i, (at, seconds) in enumerate(zip(arrived.tolist(), service.tolist(), strict=True)):
            ready, slot = free[0]
            start = at if at > ready else ready
            started[i], taken[i] = start, slot
            heapreplace(free, (start + seconds, slot))
        ended = started + service
        busy = float(service.sum()) / self.slots
        one, none = np.ones(n, dtype=np.int64), np.zeros(n, dtype=bool)
        return Served(arrived, started, ended, ended, one, taken // self.slots, none, replicas, busy)


@dataclass(frozen=True, eq=False)
class Batching:
    """A replica of continuous batching, known by its step time and limits, asked for `lengths`.

    `outside_seconds`: what every request waits on top, whatever else is going on (transport, launching its prefill).
    """

    step_time: StepTime
    limits: Limits
    lengths: Lengths
    outside_seconds: float = 0.0

    def serve(self, arrived: Seconds, replicas: int, seed: int = 0) -> Served:
        """Every request to its end."""
        prompts, outputs = self.lengths.draw(len(arrived), np.random.default_rng((seed, 1)))
        served = batch(arrived, prompts, outputs, self.step_time, self.limits, replicas)
        later = self.outside_seconds
        return replace(served, first_token=served.first_token + later, ended=served.ended + later)


class _Steps:
    """Step times as (seconds without cached tokens, seconds a cached token), each found on first use.

    Linear in cached tokens between one token and `longest` tokens a sequence, and in prefilled tokens between points a
    quarter of an octave apart: exact for linear step times, at most 4 % above a bend between two lines.
    """

    def __init__(self, step_time: StepTime, limits: Limits, longest: int) -> None:
        self.step_time = step_time
        self.limits = limits
        self.longest = longest
        points = {min(limits.step_tokens, round(2 ** (n / 4))) for n in range(4 * 24)}
        self.points = [0, *sorted(points)]
        self.lines: dict[tuple[int, int], tuple[float, float]] = {}

    def line(self, prefill: int, decoding: int) -> tuple[float, float]:
        """At a point of the grid."""
        known = self.lines.get((prefill, decoding))
        if known is None:
            few = max(1, decoding)
            many = max(few + 1, min(self.limits.cache_tokens, few * self.longest))
            low, high = (float(self.step_time(prefill, decoding, cached)) for cached in (few, many))
            slope = (high - low) / (many - few)
            known = self.lines[prefill, decoding] = (low - slope * few, slope)
        return known

    def mixed(self, prefill: int, decoding: int, cached: int) -> float:
        """Seconds of one step that prefills."""
        points = self.points
        at = bisect_left(points, prefill)
        high = points[at]
        base, slope = self.line(high, decoding)
        seconds = base + slope * cached
        if high == prefill:
            return seconds
        low = points[at - 1]
        base, slope = self.line(low, decoding)
        under = base + slope * cached
        return under + (seconds - under) * (prefill - low) / (high - low)


@lru_cache(maxsize=32)
def _steps(step_time: StepTime, limits: Limits, longest: int) -> _Steps:
    return _Steps(step_time, limits, longest)


class _Requests:
    """The lists that all replicas write into."""

    def __init__(self, prompts: list[int], outputs: list[int]) -> None:
        n = len(prompts)
        self.prompts, self.outputs = prompts, outputs
        self.left = prompts.copy()
        self.started, self.first, self.ended = [math.nan] * n, [math.nan] * n, [math.nan] * n


class _Replica:
    """One replica between two moments at which its batch changes. `end` is infinite when it is idle."""

    __slots__ = (
        "busy", "cached", "count", "decoding", "end", "growth", "limits", "most", "on_hand", "prefilled",
        "prefilling", "requests", "reserved", "start", "step", "steps", "taken", "times", "waiting",
    )  # fmt: skip

    def __init__(self, requests: _Requests, times: _Steps, limits: Limits) -> None:
        self.requests, self.times, self.limits = requests, times, limits
        self.waiting: deque[int] = deque()
        self.prefilling: deque[int] = deque()
        self.decoding: list[tuple[int, int]] = []  # (the step after which it has ended, request)
        self.taken = 0  # decoding steps since the beginning
        self.cached = self.reserved = self.most = self.on_hand = 0
        self.start = self.busy = 0.0
        self.end = math.inf
        self.steps = self.count = self.prefilled = 0
        self.step = self.growth = 0.0

    def arrive(self, request: int, at: float) -> bool:
        """Take a request; True when `end` has changed."""
        self.on_hand += 1
        self.waiting.append(request)
        if self.end == math.inf:
            self.begin(at)
            return True
        if self.steps > 1 and len(self.waiting) == 1 and self.admissible(request):
            return self.cut(at)
        return False

    def admissible(self, request: int) -> bool:
        """Whether sequences and cache leave room for it."""
        held = len(self.decoding) + len(self.prefilling)
        need = self.requests.prompts[request] + self.requests.outputs[request]
        return held < self.limits.max_batch and self.reserved + need <= self.limits.cache_tokens

    def cut(self, at: float) -> bool:
        """End the run of decoding steps with the step that is going on at `at`."""
        passed, step, growth = at - self.start, self.step, self.growth
        if growth > 0:
            half = step - growth / 2
            n = math.ceil((math.sqrt(half * half + 2 * growth * passed) - half) / growth - 1e-9)
        else:
            n = math.ceil(passed / step - 1e-9)
        n = n if n > 1 else 1
        if n >= self.steps:
            return False
        self.steps = n
        self.end = self.start + n * step + growth * n * (n - 1) / 2
        return True

    def advance(self) -> None:
        """Finish what was going on at `end`, and begin what follows."""
        at, requests = self.end, self.requests
        self.busy += at - self.start
        self.taken += self.steps
        decoding = self.decoding
        self.cached += self.steps * len(decoding)
        if self.prefilled:
            self.cached += self.prefilled
            self.prefill_ended(at)
        taken = self.taken
        while decoding and decoding[0][0] <= taken:
            _, request = heappop(decoding)
            self.leave(request, at)
            requests.ended[request] = at
        self.begin(at)

    def prefill_ended(self, at: float) -> None:
        """Hand the step's prompt tokens out, oldest first; prompts that are through begin to decode."""
        tokens, requests, left = self.prefilled, self.requests, self.requests.left
        while tokens:
            request = self.prefilling[0]
            if left[request] > tokens:
                left[request] -= tokens
                return
            tokens -= left[request]
            left[request] = 0
            self.prefilling.popleft()
            requests.first[request] = at
            heappush(self.decoding, (self.taken + requests.outputs[request] - 1, request))

    def leave(self, request: int, at: float) -> None:
        """Free what it held. Its last token was never put into the cache."""
        tokens = self.requests.prompts[request] + self.requests.outputs[request]
        self.reserved -= tokens
        self.cached -= tokens - 1
        self.on_hand -= 1

    def begin(self, at: float) -> None:
        """Admit whom there is room for, and set how long the batch stays as it is."""
        requests, waiting, prefilling = self.requests, self.waiting, self.prefilling
        while waiting and self.admissible(waiting[0]):
            request = waiting.popleft()
            prefilling.append(request)
            requests.started[request] = at
            self.reserved += requests.prompts[request] + requests.outputs[request]
            if self.reserved > self.most:
                self.most = self.reserved
        self.start = at
        count = len(self.decoding)
        if prefilling:
            room = max(1, self.limits.step_tokens - count)
            tokens = 0
            for request in prefilling:
                tokens += requests.left[request]
                if tokens >= room:
                    tokens = room
                    break
            self.prefilled, self.steps = tokens, 1
            self.step, self.growth = self.times.mixed(tokens, count, self.cached), 0.0
            self.end = at + self.step
        elif count:
            base, slope = self.times.line(0, count)
            n = self.decoding[0][0] - self.taken
            self.prefilled, self.steps = 0, n
            self.step, self.growth = base + slope * self.cached, slope * count
            self.end = at + n * self.step + self.growth * n * (n - 1) / 2
        else:
            self.prefilled = self.steps = 0
            self.end = math.inf


def batch(
    arrived: Seconds, prompts: Counts, outputs: Counts, step_time: StepTime, limits: Limits, replicas: int
) -> Served:
    """Continuous batching of these requests; `arrived` ascending."""
    refused = prompts + outputs > limits.cache_tokens
    requests = _Requests(prompts.tolist(), outputs.tolist())
    longest = 1 << int((prompts + outputs).max() - 1).bit_length() if len(prompts) else 1
    times = _steps(step_time, limits, longest)
    all_replicas = [_Replica(requests, times, limits) for _ in range(replicas)]
    went = _route(arrived.tolist(), refused.tolist(), all_replicas)
    return Served(
        arrived=arrived,
        started=np.array(requests.started),
        first_token=np.array(requests.first),
        ended=np.array(requests.ended),
        outputs=outputs,
        replica=np.array(went, dtype=np.int64),
        refused=refused,
        replicas=replicas,
        busy_seconds=sum(replica.busy for replica in all_replicas),
        most_cached=max(replica.most for replica in all_replicas),
    )


def _route(arrived: list[float], refused: list[bool], replicas: list[_Replica]) -> list[int]:
    """Run everything; which replica each request went to (-1: none)."""
    events: list[tuple[float, int]] = []  # stale where the replica's `end` is another by now
    went = [-1] * len(arrived)
    on_hand = [0] * len(replicas)
    for request, at in enumerate(arrived):
        while events and events[0][0] <= at:
            _advance(events, replicas, on_hand)
        if refused[request]:
            continue
        chosen = on_hand.index(min(on_hand))
        replica = replicas[chosen]
        went[request] = chosen
        if replica.arrive(request, at):
            heappush(events, (replica.end, chosen))
        on_hand[chosen] += 1
    while events:
        _advance(events, replicas, on_hand)
    return went


def _advance(events: list[tuple[float, int]], replicas: list[_Replica], on_hand: list[int]) -> None:
    end, chosen = events[0]
    replica = replicas[chosen]
    if replica.end != end:
        heappop(events)
        return
    replica.advance()
    on_hand[chosen] = replica.on_hand
    if replica.end < math.inf:
        heapreplace(events, (replica.end, chosen))
    else:
        heappop(events)
