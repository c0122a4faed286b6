"""A budget holds, however many calls run at once and however they end."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from steelyard.errors import BudgetReached, Fault, ProviderError
from steelyard.providers.budget import Budget
from steelyard.quantities import ZERO_USD, Money

CENT = Money.of("0.01")


async def test_a_call_is_held_then_settled_at_what_it_cost() -> None:
    budget = Budget(Money.of(1))
    async with budget.reserve(Money.of("0.30")) as reservation:
        assert (budget.reserved, budget.spent) == (Money.of("0.30"), ZERO_USD)
        reservation.reconcile(Money.of("0.20"))
    assert (budget.reserved, budget.spent) == (Money.of("0.00"), Money.of("0.20"))


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (ProviderError(Fault.RATE_LIMIT, "slow down"), ZERO_USD),
        (ProviderError(Fault.UNREACHABLE, "nobody there"), ZERO_USD),
        (ProviderError(Fault.TIMEOUT, "no answer in time"), CENT),
        (ProviderError(Fault.CUT_STREAM, "half an answer"), CENT),
        (ProviderError(Fault.MALFORMED, "no answer of ours"), CENT),
        (asyncio.CancelledError(), CENT),
    ],
)
async def test_a_call_that_failed_counts_as_spent_if_the_vendor_may_have_worked_on_it(
    error: BaseException, spent: Money
) -> None:
    budget = Budget(CENT)
    with pytest.raises(type(error)):
        async with budget.reserve(CENT):
            raise error
    assert (budget.reserved, budget.spent) == (Money.of("0.00"), ZERO_USD + spent)
    if spent == CENT:
        with pytest.raises(BudgetReached, match="used up"):
            async with budget.reserve(CENT):
                pass


@dataclass
class Ledger:
    """Notes the order of what it is told; refuses to reserve when it is full."""

    told: list[str] = field(default_factory=list)
    full: bool = False

    async def reserve(self, amount: Money) -> int:
        if self.full:
            raise RuntimeError("full")
        self.told.append(f"reserved {amount.usd}")
        return 7

    def settle(self, number: int, actual: Money) -> None:
        self.told.append(f"{number} cost {actual.usd}")


async def test_a_call_that_costs_money_is_in_the_ledger_before_it_begins() -> None:
    ledger = Ledger()
    budget = Budget(Money.of("0.05"), spent=Money.of("0.03"), ledger=ledger)
    async with budget.reserve(ZERO_USD):
        assert ledger.told == []
    async with budget.reserve(CENT) as reservation:
        assert ledger.told == ["reserved 0.01"]
        reservation.reconcile(Money.of("0.02"))
    assert ledger.told[1:] == ["7 cost 0.02"]
    with pytest.raises(BudgetReached, match=r"0\.05 USD are spent, by all runs of this study together"):
        async with budget.reserve(CENT):
            pass


async def test_a_call_that_the_ledger_does_not_take_does_not_begin() -> None:
    budget = Budget(CENT, ledger=Ledger(full=True))
    with pytest.raises(RuntimeError, match="full"):
        async with budget.reserve(CENT):
            raise AssertionError("the call began")
    assert (budget.reserved, budget.spent) == (Money.of("0.00"), ZERO_USD)


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
