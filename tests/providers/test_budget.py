"""A budget holds, however many calls run at once and however they end."""

from __future__ import annotations

import asyncio
import random

import pytest

from steelyard.errors import BudgetReached
from steelyard.providers.budget import Budget
from steelyard.quantities import ZERO_USD, Money

CENT = Money.of("0.01")


async def test_a_call_is_held_then_settled_at_what_it_cost() -> None:
    budget = Budget(Money.of(1))
    async with budget.reserve(Money.of("0.30")) as reservation:
        assert (budget.reserved, budget.spent) == (Money.of("0.30"), ZERO_USD)
        reservation.reconcile(Money.of("0.20"))
    assert (budget.reserved, budget.spent) == (Money.of("0.00"), Money.of("0.20"))


async def test_a_call_that_failed_is_given_back() -> None:
    budget = Budget(CENT)
    with pytest.raises(RuntimeError, match="broken"):
        async with budget.reserve(CENT):
            raise RuntimeError("broken")
    async with budget.reserve(CENT) as reservation:
        reservation.reconcile(CENT)
    with pytest.raises(BudgetReached, match="used up"):
        async with budget.reserve(CENT):
            pass


async def test_a_call_waits_for_others_to_settle_before_the_budget_is_called_used_up() -> None:
    budget = Budget(Money.of("0.03"))
    order: list[str] = []

    async def call(name: str, leave: asyncio.Event) -> None:
        async with budget.reserve(Money.of("0.02")) as reservation:
            order.append(name)
            await leave.wait()
            reservation.reconcile(CENT)

    first, second = asyncio.Event(), asyncio.Event()
    calls = [asyncio.create_task(call("first", first)), asyncio.create_task(call("second", second))]
    await asyncio.sleep(0)
    assert order == ["first"]
    first.set()
    second.set()
    await asyncio.gather(*calls)
    assert order == ["first", "second"]


async def test_many_calls_at_once_never_pass_the_limit() -> None:
    budget, rng = Budget(Money.of("0.50")), random.Random(0)
    refused = 0

    async def call() -> None:
        nonlocal refused
        try:
            async with budget.reserve(CENT) as reservation:
                assert budget.spent + budget.reserved <= Money.of("0.50")
                await asyncio.sleep(0)
                if rng.random() < 0.7:
                    reservation.reconcile(CENT)
        except BudgetReached:
            refused += 1

    await asyncio.gather(*(call() for _ in range(200)))
    assert (budget.spent, budget.reserved) == (Money.of("0.50"), Money.of("0.00"))
    assert refused > 0


async def test_the_limit_is_passed_only_by_what_calls_in_flight_cost_above_their_reservation() -> None:
    budget = Budget(Money.of("0.02"))

    async def call() -> None:
        async with budget.reserve(CENT) as reservation:
            await asyncio.sleep(0)
            reservation.reconcile(Money.of("0.05"))

    results = await asyncio.gather(*(call() for _ in range(10)), return_exceptions=True)
    assert budget.spent == Money.of("0.10")
    assert sum(isinstance(result, BudgetReached) for result in results) == 8


async def test_without_a_limit_spending_is_only_counted() -> None:
    budget = Budget(None)
    async with budget.reserve(Money.of(10**6)) as reservation:
        reservation.reconcile(Money.of(10**6))
    assert budget.spent == Money.of(10**6)


async def test_a_reservation_is_settled_once_and_never_below_zero() -> None:
    budget = Budget(None)
    async with budget.reserve(CENT) as reservation:
        with pytest.raises(ValueError, match="negative"):
            reservation.reconcile(Money.of(-1))
        reservation.refund()
        with pytest.raises(RuntimeError, match="already settled"):
            reservation.reconcile(CENT)
    with pytest.raises(ValueError, match="negative"):
        budget.reserve(Money.of(-1))
