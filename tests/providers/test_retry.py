"""Failed calls are made again as often, and as late, as the policy says."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable

import pytest

from steelyard.errors import Fault, ProviderError
from steelyard.providers.retry import RetryPolicy, Throttle, call_with_retry


class Clock:
    """Time passes only in sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Calls:
    """Fails as told, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def busy(retry_after: float | None = None) -> ProviderError:
    return ProviderError(Fault.RATE_LIMIT, "slow down", retry_after_seconds=retry_after)


async def run(calls: Calls, clock: Clock, policy: RetryPolicy, seed: int = 0) -> str:
    return await call_with_retry(calls, policy, rng=random.Random(seed), sleep=clock.sleep, clock=lambda: clock.now)


async def test_the_servers_advice_is_waited_out() -> None:
    clock = Clock()
    assert await run(Calls(busy(2.0), busy(0.0)), clock, RetryPolicy(first_pause_seconds=0.5)) == "answer"
    assert 2.0 <= clock.slept[0] <= 2.5
    assert 0.0 <= clock.slept[1] <= 1.0


async def test_pauses_are_drawn_from_a_range_that_doubles_up_to_a_ceiling() -> None:
    longest = [0.0] * 4
    for seed in range(200):
        clock = Clock()
        policy = RetryPolicy(busy_tries=5, first_pause_seconds=1, longest_pause_seconds=3)
        await run(Calls(*(busy() for _ in range(4))), clock, policy, seed)
        longest = [max(pair) for pair in zip(longest, clock.slept, strict=True)]
    for drawn, ceiling in zip(longest, (1, 2, 3, 3), strict=True):
        assert 0.9 * ceiling < drawn <= ceiling


@pytest.mark.parametrize("fault", list(Fault))
async def test_only_faults_that_may_pass_are_tried_again(fault: Fault) -> None:
    calls = Calls(*(ProviderError(fault, "x") for _ in range(9)))
    with pytest.raises(ProviderError):
        await run(calls, Clock(), RetryPolicy(tries=3, busy_tries=5))
    assert calls.made == (5 if fault.busy else 3 if fault.retryable else 1)


async def test_other_errors_are_not_tried_again() -> None:
    calls = Calls(ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        await run(calls, Clock(), RetryPolicy())
    assert calls.made == 1


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    clock, calls = Clock(), Calls(busy(100.0))
    with pytest.raises(ProviderError):
        await run(calls, clock, RetryPolicy(deadline_seconds=60))
    assert (calls.made, clock.slept) == (1, [])


class Simulated:
    """Many callers in simulated time: whoever sleeps longest waits longest, and nobody waits in earnest."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._order = itertools.count()

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), event))
        await event.wait()

    async def run(self, callers: list[Awaitable[None]]) -> None:
        tasks = [asyncio.ensure_future(caller) for caller in callers]
        while not all(task.done() for task in tasks):
            for _ in range(50):
                await asyncio.sleep(0)
            if self._sleepers:
                self.now, _, event = heapq.heappop(self._sleepers)
                event.set()
        await asyncio.gather(*tasks)


async def eight_callers(
    answer: Callable[[float], bool], retry_after: float | None, calls_each: int
) -> tuple[list[float], int, float]:
    """Eight workers share a throttle; when calls were made, how many failed for good, and when all was over."""
    world, throttle, rng = Simulated(), Throttle(), random.Random(3)
    made: list[float] = []
    failed = 0

    async def call() -> None:
        await world.sleep(0.01)
        made.append(world.now)
        if not answer(world.now):
            raise busy(retry_after)

    async def worker() -> None:
        nonlocal failed
        for _ in range(calls_each):
            try:
                await call_with_retry(
                    call, RetryPolicy(), rng=rng, throttle=throttle, sleep=world.sleep, clock=lambda: world.now
                )
            except ProviderError:
                failed += 1

    await world.run([worker() for _ in range(8)])
    return made, failed, world.now


def bucket(seconds: float) -> Callable[[float], bool]:
    """A server that answers one call in so many seconds and refuses the others."""
    free_at = 0.0

    def answer(now: float) -> bool:
        nonlocal free_at
        if now < free_at:
            return False
        free_at = now + seconds
        return True

    return answer


@pytest.mark.parametrize(("seconds", "retry_after"), [(1, 1.0), (1, None), (20, 20.0), (20, None)])
async def test_a_strict_rate_limit_loses_no_call_and_is_not_hammered(seconds: float, retry_after: float | None) -> None:
    made, failed, over = await eight_callers(bucket(seconds), retry_after, 5)
    assert failed == 0
    assert len(made) < 40 * 10, "a few refusals for each of the forty answers"
    assert over < 40 * seconds * 2.5, "and no long waiting beyond what the limit takes"


async def test_eight_callers_of_a_target_that_is_always_busy_share_their_pauses() -> None:
    made, failed, over = await eight_callers(lambda now: False, 1.0, 1)
    assert failed == 8
    assert len([time for time in made if time < 1]) == 8, "nobody knew better"
    assert len(made) / over < 3, "calls a second"
