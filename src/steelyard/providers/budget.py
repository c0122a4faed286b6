"""Money set aside before a call, settled after it."""

from __future__ import annotations

import asyncio
from types import TracebackType

from steelyard.errors import BudgetReached, Problem
from steelyard.quantities import ZERO_USD, Money


class Budget:
    """What may be spent, over all calls that share it. `limit` None means no limit.

    spent + reserved never passes the limit when a call starts, so the limit can be passed only by what calls
    already in flight cost above their reservations. Belongs to one event loop.
    """

    def __init__(self, limit: Money | None) -> None:
        self.limit = limit
        self.spent = ZERO_USD
        self.reserved = ZERO_USD
        self._settled = asyncio.Event()

    def reserve(self, amount: Money) -> Reservation:
        """An amount to be held while a call runs: `async with budget.reserve(estimate) as reservation`.

        Entering waits while the amount would fit but for other reservations, and raises BudgetReached once it
        cannot fit. A task that holds a reservation must not wait for a second one.
        """
        if amount < ZERO_USD:
            raise ValueError(f"cannot reserve a negative amount: {amount}")
        return Reservation(self, amount)

    async def _take(self, amount: Money) -> None:
        while self.limit is not None and self.spent + self.reserved + amount > self.limit:
            if self.spent + amount > self.limit:
                raise BudgetReached(
                    Problem(
                        slug="budget-reached",
                        what=f"the budget of {self.limit.usd} USD is used up: {self.spent.usd} USD are spent, "
                        f"the next call may cost {amount.usd} USD",
                        next_step="run again with a larger --budget; what was measured is kept and not paid twice",
                    )
                )
            self._settled.clear()
            await self._settled.wait()
        self.reserved += amount

    def _settle(self, amount: Money, actual: Money) -> None:
        self.reserved -= amount
        self.spent += actual
        self._settled.set()


class Reservation:
    """Money set aside for one call; given back on leaving unless `reconcile` said what the call cost."""

    def __init__(self, budget: Budget, amount: Money) -> None:
        self.amount = amount
        self._budget = budget
        self._open = False

    async def __aenter__(self) -> Reservation:
        await self._budget._take(self.amount)
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self.refund()

    def reconcile(self, actual: Money) -> None:
        """The call is over and cost this much, which may be more than was reserved."""
        if actual < ZERO_USD:
            raise ValueError(f"a call cannot cost a negative amount: {actual}")
        self._close(actual)

    def refund(self) -> None:
        """The call cost nothing."""
        self._close(ZERO_USD)

    def _close(self, actual: Money) -> None:
        if not self._open:
            raise RuntimeError("this reservation is already settled, or was never entered")
        self._open = False
        self._budget._settle(self.amount, actual)
