"""How often a failed call is made again, after which pause, and how many callers a busy target bears."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from steelyard.errors import ProviderError

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]
Clock = Callable[[], float]


@dataclass(frozen=True)
class RetryPolicy:
    """At most `tries` calls, none begun later than `deadline_seconds` after the first.

    A target that is busy (rate limit, overloaded) gets `busy_tries`: most limits are those of a minute, so this is
    about a minute's worth; and as long as it answers others meanwhile, waiting works and is not counted.

    The pause before try n + 1 is drawn from 0 to min(`longest_pause_seconds`, `first_pause_seconds` * 2**(n - 1)):
    full jitter. If the server says how long to wait, the pause is that plus the draw.
    """

    tries: int = 4
    busy_tries: int = 10
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 20.0
    deadline_seconds: float = 120.0


class Throttle:
    """What all callers of one target share: how many calls it bears at once, and until when it is left alone.

    Each refusal halves the width, but no more than once a pause; each answer widens it by a part of a call, a whole
    one a round (additive increase, multiplicative decrease: Chiu and Jain 1989). Nobody waits here until a target
    has refused.
    """

    def __init__(self) -> None:
        self.answers = 0
        self._width = math.inf
        self._in_flight = 0
        self._closed_until = -math.inf
        self._freed = asyncio.Event()

    async def enter(self, sleep: Sleep, clock: Clock) -> None:
        """Wait for a place; `leave` gives it back."""
        while (wait := self._closed_until - clock()) > 0 or self._in_flight >= max(1, int(min(self._width, 1e9))):
            if wait > 0:
                await sleep(wait)
            else:
                self._freed.clear()
                await self._freed.wait()
        self._in_flight += 1

    def leave(self) -> None:
        """Make room for the next caller."""
        self._in_flight -= 1
        self._freed.set()

    def answered(self) -> None:
        """The target bears what it is sent."""
        self.answers += 1
        self._width += 1 / self._width

    def refused(self, pause: float, now: float) -> None:
        """The target is busy: nobody calls before the pause is over, and then fewer."""
        if now >= self._closed_until:
            self._width = max(1.0, min(self._width, self._in_flight) / 2)
        self._closed_until = max(self._closed_until, now + pause)


async def call_with_retry(
    call: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    rng: random.Random,
    throttle: Throttle | None = None,
    sleep: Sleep = asyncio.sleep,
    clock: Clock = time.monotonic,
) -> T:
    """The call's result; its last error if it cannot be had within the policy.

    Only faults that may pass are tried again. An error is raised at once when the pause before the next try
    would go beyond the deadline: nobody waits for a try that will not be made.
    """
    throttle = throttle or Throttle()
    begun, attempt, answers = clock(), 0, throttle.answers
    while True:
        await throttle.enter(sleep, clock)
        attempt += 1
        try:
            result = await call()
            throttle.answered()
            return result
        except ProviderError as error:
            busy = error.fault.busy
            if busy and throttle.answers != answers:
                begun, attempt, answers = clock(), 1, throttle.answers
            if not error.fault.retryable or attempt >= (policy.busy_tries if busy else policy.tries):
                raise
            pause = rng.uniform(0, _ceiling(policy, attempt)) + (error.retry_after_seconds or 0.0)
            if clock() - begun + pause > policy.deadline_seconds:
                raise
            if busy:
                throttle.refused(pause, clock())
        finally:
            throttle.leave()
        await sleep(pause)


def _ceiling(policy: RetryPolicy, attempt: int) -> float:
    return min(policy.longest_pause_seconds, policy.first_pause_seconds * 2.0 ** (attempt - 1))
