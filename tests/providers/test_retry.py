"""Failed calls are made again as often, and as late, as the policy says."""

from __future__ import annotations

import random

import pytest

from steelyard.errors import Fault, ProviderError
from steelyard.providers.retry import RetryPolicy, call_with_retry


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
        policy = RetryPolicy(tries=5, first_pause_seconds=1, longest_pause_seconds=3)
        await run(Calls(*(busy() for _ in range(4))), clock, policy, seed)
        longest = [max(pair) for pair in zip(longest, clock.slept, strict=True)]
    for drawn, ceiling in zip(longest, (1, 2, 3, 3), strict=True):
        assert 0.9 * ceiling < drawn <= ceiling


@pytest.mark.parametrize("fault", list(Fault))
async def test_only_faults_that_may_pass_are_tried_again(fault: Fault) -> None:
    calls = Calls(*(ProviderError(fault, "x") for _ in range(9)))
    with pytest.raises(ProviderError):
        await run(calls, Clock(), RetryPolicy(tries=3))
    assert calls.made == (3 if fault.retryable else 1)


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
