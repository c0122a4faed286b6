"""Money set aside before a call, settled after it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Protocol

from steelyard.errors import BudgetReached, Fault, Problem, ProviderError
from steelyard.quantities import ZERO_USD, Money

_PERHAPS_BILLED = frozenset({Fault.TIMEOUT, Fault.CUT_STREAM, Fault.MALFORMED})
"""Failures of a call that the vendor may have worked on all the same."""


class Ledger(Protocol):
    """Keeps what is spent beyond this process: a call that a kill cuts off is billed, and nobody is left to say so."""

    async def reserve(self, amount: Money) -> int:
        """The entry's number, once it is durable: from now on the amount counts as spent."""
        ...

    def settle(self, number: int, actual: Money) -> None:
        """Correct an entry. Not waited for: until it is durable the reserved amount stands."""
        ...


class Budget:
    """What may be spent, over all calls that share it. `limit` None means no limit.

    spent + reserved never passes the limit when a call starts, so the limit can be passed only by what calls
    already in flight cost above their reservations. `spent` begins with what was spent before. With a ledger, a
    call that costs money is entered before it starts. Belongs to one event loop.
    """

    def __init__(self, limit: Money | None, *, spent: Money = ZERO_USD, ledger: Ledger | None = None) -> None:
        self.limit = limit
        self.spent = spent
        self.reserved = ZERO_USD
        self.ledger = ledger
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
                        what=f"the budget of {self.limit.usd} USD is used up: {self.spent.usd} USD are spent, by "
                        f"all runs of this study together, and the next call may cost {amount.usd} USD",
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
    """Money set aside for one call, which `reconcile` settles.

    A call that ends otherwise is given back if its failure shows that nobody worked on it; if it was broken off,
    or failed so that it may have been billed, the reserved amount counts as spent.
    """

    def __init__(self, budget: Budget, amount: Money) -> None:
        self.amount = amount
        self._budget = budget
        self._open = False
        self._entry: int | None = None

    async def __aenter__(self) -> Reservation:
        await self._budget._take(self.amount)
        ledger = self._budget.ledger
        if ledger is not None and self.amount > ZERO_USD:
            try:
                self._entry = await ledger.reserve(self.amount)
            except BaseException:  # cancelled too: the call has not begun; raised again
                self._budget._settle(self.amount, ZERO_USD)
                raise
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._open:
            return
        refused = isinstance(error, ProviderError) and error.fault not in _PERHAPS_BILLED
        self._close(ZERO_USD if error is None or refused else self.amount)

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
        if self._entry is not None and self._budget.ledger is not None:
            self._budget.ledger.settle(self._entry, actual)
