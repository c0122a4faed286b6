"""How often a failed call is made again, and after which pause."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from steelyard.errors import ProviderError

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """At most `tries` calls, none begun later than `deadline_seconds` after the first.

    The pause before try n + 1 is drawn from 0 to min(`longest_pause_seconds`, `first_pause_seconds` * 2**(n - 1)):
    full jitter. If the server says how long to wait, the pause is that plus the draw.
    """

    tries: int = 4
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 20.0
    deadline_seconds: float = 120.0


async def call_with_retry(
    call: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    rng: random.Random,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """The call's result; its last error if it cannot be had within the policy.

    Only faults that may pass are tried again. An error is raised at once when the pause before the next try
    would go beyond the deadline: nobody waits for a try that will not be made.
    """
    begun = clock()
    for attempt in range(1, policy.tries + 1):
        try:
            return await call()
        except ProviderError as error:
            if attempt == policy.tries or not error.fault.retryable:
                raise
            ceiling = min(policy.longest_pause_seconds, policy.first_pause_seconds * 2 ** (attempt - 1))
            pause = rng.uniform(0, ceiling) + (error.retry_after_seconds or 0.0)
            if clock() - begun + pause > policy.deadline_seconds:
                raise
            await sleep(pause)
    raise ValueError("a retry policy needs at least one try")
