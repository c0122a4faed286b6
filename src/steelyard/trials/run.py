"""The runner: every candidate answers the same samples; each call is journalled, each failure named.

Candidates that share a model process queue behind each other; different local processes run side by side, at most
one a core. Latency is measured afterwards, one request at a time, with nothing else running.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import count
from typing import Literal, Protocol, TypeAlias

from steelyard.catalogue import Candidate
from steelyard.errors import BudgetReached, Denied, Fault, InputError, NotAvailable, ProviderError, SteelyardError
from steelyard.providers.budget import Budget
from steelyard.providers.protocol import Pool, Provider, Target
from steelyard.providers.retry import RetryPolicy
from steelyard.quantities import Unknown
from steelyard.trials.calls import Asking, Calls
from steelyard.trials.classify import ANSWER_TOKENS, REASONING_TOKENS, Classification, RunSettings
from steelyard.trials.journal import Journal
from steelyard.trials.lag import LagMeter
from steelyard.trials.measurement import DevChoice, Latency, Measurement, NotMeasured, Trial
from steelyard.trials.pace import Pace
from steelyard.trials.summary import dev_choice
from steelyard.trials.tally import Tally
from steelyard.usecase import Dataset, Sample, TaskSpec

DEV_MESSAGES = 32
LATENCY_REQUESTS = 30
WARM_UP_REQUESTS = 3
LOCAL_WIDTH = 16
REMOTE_WIDTH = 8
PARTIAL_EVERY_SECONDS = 15.0
PARTIAL_MINIMUM = 20
REMIND_EVERY_SECONDS = 5.0
PARTIAL_SHARE = 50
"""Of the time between two partial results at most one part in so many goes into working them out."""

Phase: TypeAlias = Literal["fit", "dev", "test", "latency"]
Result: TypeAlias = Measurement | NotMeasured


class Listener(Protocol):
    """Who wants to know how far the run is."""

    def phase(self, candidate: str, phase: Phase, done: int, total: int) -> None:
        """Called from the event loop; must not block."""

    def partial(self, results: dict[str, Result]) -> None:
        """Called in a thread of its own, one call at a time."""


@dataclass(frozen=True)
class Contender:
    """A candidate that may be measured, and the target that answers for it.

    `fit`, where given, is called once the model process is free, with the number of threads it may use: it makes
    the artefact (a head, say) and returns the contender that answers.
    """

    candidate: Candidate
    target: Target
    fit: Callable[[Pool, Callable[[int, int], None], int], Awaitable[Contender]] | None = None

    @property
    def local(self) -> bool:
        """It computes on this machine."""
        return not self.target.base_url


@dataclass(frozen=True)
class Trialled:
    """What a run gives: a result a candidate, the settings each was run with, and each as it was when it ran.

    `stopped` is the reached budget that left someone unmeasured, if one did.
    """

    results: dict[str, Result]
    settings: dict[str, RunSettings]
    contenders: dict[str, Contender]
    stopped: BudgetReached | None = None


class Run:
    """One run of all contenders over one dataset."""

    def __init__(
        self,
        task: Classification,
        spec: TaskSpec,
        dataset: Dataset,
        *,
        pool: Pool,
        journal: Journal,
        budget: Budget,
        listener: Listener,
        at: datetime,
        now: Callable[[], float] = time.perf_counter,
        seed: int = 0,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.spec, self.dataset, self._labels = spec, dataset, task.labels
        self.pool, self.journal, self.listener = pool, journal, listener
        self._lag = LagMeter()
        self._calls = Calls(task, journal, budget, at, self._lag.seconds, retry=retry, seed=seed)
        self._now = now
        self._dev = dev_messages(dataset, task.examples, seed)
        self._lanes: dict[str, asyncio.Lock] = {}
        self._cores, self._busy = os.cpu_count() or 1, 0
        self._core = asyncio.Semaphore(self._cores)
        self._tallies: dict[str, Tally] = {}
        self._choices: dict[str, tuple[DevChoice, ...]] = {}
        self._stopped: BudgetReached | None = None
        self._telling: asyncio.Task[None] | None = None
        self._tell_at = -math.inf
        self._standing: dict[str, tuple[Phase, int, int]] = {}

    async def all(self, contenders: Sequence[Contender]) -> Trialled:
        """Measure everyone. One contender's failure, or a budget that has no room for it, never stops the others."""
        settings: dict[str, RunSettings] = {}
        results: dict[str, Result] = {}
        ran: dict[str, Contender] = {}

        async def one(contender: Contender) -> None:
            name = contender.candidate.id
            try:
                async with AsyncExitStack() as stack:
                    await self._enter_lane(stack, contender)
                    if contender.fit is not None:
                        progress = partial(self.listener.phase, name, "fit")
                        contender = await contender.fit(self.pool, progress, self._idle_cores() + 1)
                    ran[name] = contender
                    provider = await self.pool.get(contender.target)
                    settings[name] = await self._choose(contender, provider)
                    results[name] = await self._test(contender, provider, settings[name])
            except Denied as denied:
                results[name] = NotMeasured(name, denied.problems[0].what, gate="privacy")
            except (ProviderError, NotAvailable, InputError, BudgetReached) as failed:
                self._standing.pop(name, None)
                results[name] = NotMeasured(name, _why(failed), failed=True)
                self._stopped = self._stopped or (failed if isinstance(failed, BudgetReached) else None)

        async with self._lag, self._reminding():
            await _together([one(contender) for contender in contenders])
            for contender in ran.values():
                result = results[contender.candidate.id]
                if isinstance(result, Measurement) and contender.local:
                    latency = await self._latency(contender, settings[result.candidate])
                    results[result.candidate] = replace(result, latency=latency)
        if self._telling is not None:
            await self._telling
        return Trialled(results, settings, ran, self._stopped)

    async def _enter_lane(self, stack: AsyncExitStack, contender: Contender) -> None:
        if contender.target.weights is None or not contender.local:
            return
        lane = self._lanes.setdefault(str(contender.target.weights), asyncio.Lock())
        await stack.enter_async_context(lane)
        await stack.enter_async_context(self._core)
        self._busy += 1
        stack.callback(self._leave_lane)

    def _leave_lane(self) -> None:
        self._busy -= 1

    def _idle_cores(self) -> int:
        return max(0, self._cores - self._busy)

    async def _choose(self, contender: Contender, provider: Provider) -> RunSettings:
        """Number of examples and calibration with the best accuracy on dev; the first of equals (fewest examples)."""
        candidate = contender.candidate
        if not candidate.prompted:
            return RunSettings()
        scores = "score_labels" in provider.verbs
        room = REASONING_TOKENS if candidate.model.reasoning else ANSWER_TOKENS
        calibrations = _calibrations(self.spec.calibration, scores)
        options = [(shots, way) for shots in self.spec.shots for way in calibrations]
        choices: list[DevChoice] = []
        priors: dict[int, tuple[float, ...] | None] = {}
        for number, shots in enumerate(self.spec.shots):
            if "pmi" in calibrations:
                priors[shots] = await self._priors(candidate, provider, shots)
                if priors[shots] is None and calibrations == ("pmi",):
                    raise ProviderError(Fault.MALFORMED, "the labels of an empty message got no scores: no calibration")
            if len(options) == 1 or not self._dev:
                continue
            before, total = number * len(self._dev), len(self.spec.shots) * len(self._dev)
            progress = partial(self._progress, candidate.id, "dev", before, total)
            asked = partial(
                self._calls.one, Asking(candidate, provider, RunSettings(shots, max_tokens=room), full=scores)
            )
            trials: dict[int, Trial] = {}
            await _each(self._dev, asked, trials.__setitem__, _width(contender), progress)
            choices += [
                dev_choice(shots, way, trials, self._dev, self._labels, priors.get(shots))
                for way in calibrations
                if way == "none" or priors.get(shots) is not None
            ]
        best = max(choices, key=lambda choice: choice.accuracy) if choices else None
        shots, way = (best.shots, best.calibration) if best else options[0]
        self._choices[candidate.id] = tuple(replace(choice, chosen=choice is best) for choice in choices)
        return RunSettings(shots, priors.get(shots) if way == "pmi" else None, room)

    async def _priors(self, candidate: Candidate, provider: Provider, shots: int) -> tuple[float, ...] | None:
        """What each label is worth before any message is read; None when the call failed."""
        empty = Sample(id="(empty message)", input="", target="", sha256="", row=0, file="")
        return (await self._calls.one(Asking(candidate, provider, RunSettings(shots), full=True), empty)).label_scores

    async def _test(self, contender: Contender, provider: Provider, settings: RunSettings) -> Result:
        """Every test sample once. Requests to a server are timed on the way; what runs here is timed afterwards."""
        candidate, samples = contender.candidate, self.dataset.test
        tally = self._tallies[candidate.id] = Tally(candidate.id, samples)
        asking = Asking(candidate, provider, settings)
        first = self._calls.key(asking, samples[0])
        pace = Pace(self.journal, f"throughput {first}", self._now)

        def finished(index: int, trial: Trial) -> None:
            tally.add(index, trial)
            pace.add(trial.cached)
            self._tell()

        asked = partial(self._calls.one, asking)
        progress = partial(self._progress, candidate.id, "test", 0, len(samples))
        await _each(samples, asked, finished, _width(contender), progress)
        if sum(tally.failures.values()) == len(samples):
            return NotMeasured(candidate.id, f"every call failed: {', '.join(tally.failures)}", failed=True)
        latency: Latency | Unknown = Unknown("not timed yet")
        if not contender.local:
            latency = tally.latency(f"stamped at the socket during the run, {_width(contender)} at a time")
        return tally.measurement(str(settings), self._choices.get(candidate.id, ()), pace.per_second(), latency)

    async def _latency(self, contender: Contender, settings: RunSettings) -> Latency | Unknown:
        """Single requests to a model on this machine, with nothing else running."""
        candidate, samples = contender.candidate, self.dataset.test[:LATENCY_REQUESTS]
        tally = Tally(candidate.id, samples)
        try:
            provider = await self.pool.get(contender.target)
            asking = Asking(candidate, provider, settings, role="latency")
            if not all(self._calls.known(asking, sample) for sample in samples):
                for sample in self.dataset.test[-WARM_UP_REQUESTS:]:
                    await self._calls.warm_up(asking, sample)
            progress = partial(self._progress, candidate.id, "latency", 0, len(samples))
            await _each(samples, partial(self._calls.one, asking), tally.add, 1, progress)
        except (ProviderError, BudgetReached) as failed:
            return Unknown(failed.problems[0].what)
        return tally.latency("single requests, nothing else running")

    def _progress(self, candidate: str, phase: Phase, before: int, total: int, done: int) -> None:
        self._standing[candidate] = (phase, before + done, total)
        self.listener.phase(candidate, phase, before + done, total)

    @asynccontextmanager
    async def _reminding(self) -> AsyncIterator[None]:
        """Say again and again where everybody stands: of a silent server there is no other news."""

        async def remind() -> None:
            while True:
                await asyncio.sleep(REMIND_EVERY_SECONDS)
                for candidate, (phase, done, total) in self._standing.items():
                    if done < total:
                        self.listener.phase(candidate, phase, done, total)

        task = asyncio.ensure_future(remind())
        try:
            yield
        finally:
            task.cancel()

    def _tell(self) -> None:
        """Now and then tell how things stand; in a thread, so that nobody waits, and seldom where it takes long."""
        if self._now() < self._tell_at or (self._telling is not None and not self._telling.done()):
            return
        if self._telling is not None:
            self._telling.result()  # a bug in the last telling ends the run; else the interpreter would mumble it later
        ready = [tally for tally in self._tallies.values() if tally.done >= PARTIAL_MINIMUM]
        if len(ready) >= 2:
            self._telling = asyncio.ensure_future(self._told([tally.snapshot() for tally in ready]))

    async def _told(self, tallies: Sequence[Tally]) -> None:
        begun, waiting = self._now(), Unknown("still running")

        def tell() -> None:
            self.listener.partial(
                {
                    tally.candidate: tally.measurement("", self._choices.get(tally.candidate, ()), waiting, waiting)
                    for tally in tallies
                }
            )

        await asyncio.to_thread(tell)
        took = self._now() - begun
        self._tell_at = self._now() + max(PARTIAL_EVERY_SECONDS, PARTIAL_SHARE * took)


def dev_messages(dataset: Dataset, examples: Sequence[Sample], seed: int) -> tuple[Sample, ...]:
    """At most 32 dev samples to choose settings on, drawn with the seed, none of them shown as an example."""
    shown = {sample.id for sample in examples}
    rest = [sample for sample in dataset.dev if sample.id not in shown]
    return tuple(random.Random(seed).sample(rest, min(DEV_MESSAGES, len(rest))))


async def _each(
    samples: Sequence[Sample],
    one: Callable[[Sample], Awaitable[Trial]],
    finished: Callable[[int, Trial], None],
    width: int,
    progress: Callable[[int], None],
) -> None:
    """`one` for every sample, `width` at a time; `finished` gets the sample's index and its trial.

    They are asked in one shuffled order, the same for all candidates: a file may be sorted by label, and what is
    shown of a run half done should be a fair half.
    """
    waiting = iter(random.Random(0).sample(range(len(samples)), len(samples)))
    done = count(1)
    progress(0)

    async def worker() -> None:
        for index in waiting:
            finished(index, await one(samples[index]))
            progress(next(done))

    await _together([worker() for _ in range(min(width, len(samples)))])


async def _together(work: Sequence[Awaitable[None]]) -> None:
    """All at once; the first error cancels the rest and is raised once they have stopped."""
    tasks = [asyncio.ensure_future(item) for item in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _why(failed: SteelyardError) -> str:
    problem = failed.problems[0]
    return f"{problem.what}; {problem.next_step}" if problem.next_step else problem.what


def _calibrations(asked: str, scores: bool) -> tuple[Literal["none", "pmi"], ...]:
    if not scores or asked == "none":
        return ("none",)
    return ("pmi",) if asked == "pmi" else ("none", "pmi")


def _width(contender: Contender) -> int:
    return int(contender.target.options.get("concurrency", LOCAL_WIDTH if contender.local else REMOTE_WIDTH))
