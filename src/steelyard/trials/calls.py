"""One sample, once: from the journal if it is there, else paid for, answered, and durable before it counts."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from steelyard.catalogue import Candidate, Offer
from steelyard.errors import Fault, ProviderError
from steelyard.providers.budget import Budget
from steelyard.providers.protocol import Provider
from steelyard.providers.retry import RetryPolicy, Throttle, call_with_retry
from steelyard.quantities import ZERO_USD, Money
from steelyard.trials.classify import Classification, RunSettings
from steelyard.trials.journal import Journal, Role, call_key
from steelyard.trials.measurement import Trial
from steelyard.trials.outcome import answered, failed_trial
from steelyard.trials.plan import expected_usage
from steelyard.usecase import Sample

GIVE_UP_AFTER = 10
"""Failures in a row, each already retried, after which a candidate is not called again in this run."""
GIVE_UP_BEFORE_FIRST = 2
"""The same for a candidate that has not answered yet; 1 where the fault has nothing to do with the message."""


@dataclass(frozen=True)
class Asking:
    """How samples are put to one candidate; `full` asks for every label's score."""

    candidate: Candidate
    provider: Provider
    settings: RunSettings
    role: Role = "answer"
    full: bool = False


@dataclass
class _Line:
    """How a candidate has answered so far in this run. Until it has once, it is asked one message at a time."""

    answered: bool = False
    failures: int = 0
    given_up: ProviderError | None = None
    first: asyncio.Lock = field(default_factory=asyncio.Lock)
    throttle: Throttle = field(default_factory=Throttle)

    def hopeless(self, fault: Fault) -> bool:
        """Whether further calls are pointless after this failure.

        Whoever is too busy for one call has answered nobody for as long as that was tried.
        """
        patience = GIVE_UP_AFTER if self.answered else 1 if fault.whatever_is_asked else GIVE_UP_BEFORE_FIRST
        return fault.fatal_for_target or fault.busy or self.failures >= patience


class Calls:
    """All calls of a run: one task, one journal, one budget. `lag` says how late the event loop runs, in seconds."""

    def __init__(
        self,
        task: Classification,
        journal: Journal,
        budget: Budget,
        at: datetime,
        lag: Callable[[], float],
        *,
        retry: RetryPolicy | None = None,
        seed: int = 0,
    ) -> None:
        self._task, self._journal, self._budget, self._at = task, journal, budget, at
        self._lag = lag
        self._retry, self._rng = retry or RetryPolicy(), random.Random(seed)
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)

    async def one(self, asking: Asking, sample: Sample) -> Trial:
        """The trial of one sample. Raises the error that makes further calls of this candidate pointless."""
        key = self.key(asking, sample)
        known = self._journal.find(key)
        if known is not None:
            return replace(known, cached=True)
        line = self._lines[asking.candidate.id]
        if not line.answered:
            async with line.first:
                if line.given_up is not None:
                    raise line.given_up
                if not line.answered:
                    return await self._asked(line, key, asking, sample)
        return await self._asked(line, key, asking, sample)

    async def _asked(self, line: _Line, key: str, asking: Asking, sample: Sample) -> Trial:
        candidate = asking.candidate
        expected = self._expected(asking, sample)

        async def once() -> Trial:
            """Each try has a reservation of its own: one that failed may have been billed."""
            async with self._budget.reserve(expected) as reservation:
                answer = await self._task.answer(asking.provider, asking.settings, sample.input, full=asking.full)
                # A baseline is timed on the spot; servers and child processes are stamped when the loop reads them.
                lag = self._lag() if candidate.is_language_model else 0.0
                trial = answered(candidate, sample, answer, self._at, lag)
                reservation.reconcile(trial.cost if isinstance(trial.cost, Money) else ZERO_USD)
                return trial

        try:
            trial = await call_with_retry(once, self._retry, rng=self._rng, throttle=line.throttle)
        except ProviderError as failed:
            line.answered |= failed.fault.of_the_model
            line.failures += not failed.fault.of_the_model
            if line.hopeless(failed.fault):
                line.given_up = failed
                raise
            trial = failed_trial(candidate.id, sample, failed)
            if failed.fault.of_the_model:
                await self._journal.add(key, asking.role, trial)
            return trial
        line.answered, line.failures = True, 0
        await self._journal.add(key, asking.role, trial)
        return trial

    def known(self, asking: Asking, sample: Sample) -> bool:
        """Whether the journal holds this call."""
        return self._journal.find(self.key(asking, sample)) is not None

    async def warm_up(self, asking: Asking, sample: Sample) -> None:
        """One call that is not kept."""
        with suppress(ProviderError):
            await self._task.answer(asking.provider, asking.settings, sample.input)

    def key(self, asking: Asking, sample: Sample) -> str:
        """The journal key of a call."""
        provider, settings = asking.provider, asking.settings
        rendered = self._task.rendered(sample.input, settings, provider.verbs) + ("\x1ffull" if asking.full else "")
        return call_key(
            asking.role, provider.target, asking.candidate.revision, rendered, sample.id, sample.sha256, repeat=0
        )

    def _expected(self, asking: Asking, sample: Sample) -> Money:
        """What the call may cost; where nothing is paid, or no price is known, there is nothing to set aside."""
        candidate = asking.candidate
        if candidate.way != "api" or not isinstance(candidate.offer, Offer):
            return ZERO_USD
        usage = expected_usage(self._task, candidate.model, sample.input, asking.settings.shots)
        price = candidate.offer.price(usage, self._at)
        return price if isinstance(price, Money) else ZERO_USD
