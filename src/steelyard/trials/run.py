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
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal, Protocol, TypeAlias

from steelyard.catalogue import Candidate
from steelyard.errors import BudgetReached, Denied, Fault, InputError, NotAvailable, ProviderError, SteelyardError
from steelyard.providers.budget import Budget
from steelyard.providers.protocol import Pool, Provider, Target, Timing
from steelyard.providers.retry import RetryPolicy, call_with_retry
from steelyard.quantities import ZERO_USD, Money, Unknown
from steelyard.trials.classify import ANSWER_TOKENS, REASONING_TOKENS, Classification, RunSettings
from steelyard.trials.journal import Journal, Role, call_key
from steelyard.trials.measurement import DevChoice, Latency, Measurement, NotMeasured, Trial
from steelyard.trials.outcome import answered, failed_trial, price_of
from steelyard.trials.plan import expected_usage
from steelyard.trials.summary import dev_choice, summarise
from steelyard.usecase import Dataset, Sample, TaskSpec

DEV_MESSAGES = 32
LATENCY_REQUESTS = 30
WARM_UP_REQUESTS = 3
LOCAL_WIDTH = 16
REMOTE_WIDTH = 8
GIVE_UP_AFTER = 10
"""Failures in a row, each already retried, after which a candidate is not called again in this run."""
PARTIAL_EVERY_SECONDS = 15.0
PARTIAL_MINIMUM = 20

Phase: TypeAlias = Literal["fit", "dev", "test", "latency"]
Result: TypeAlias = Measurement | NotMeasured


class Listener(Protocol):
    """Who wants to know how far the run is. Called from the event loop; must not block."""

    def phase(self, candidate: str, phase: Phase, done: int, total: int) -> None: ...

    def partial(self, results: dict[str, Result]) -> None: ...


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
        self.task, self.spec, self.dataset = task, spec, dataset
        self.pool, self.journal, self.budget, self.listener = pool, journal, budget, listener
        self._at, self._now, self._rng = at, now, random.Random(seed)
        self._retry = retry or RetryPolicy()
        self._dev = dev_messages(dataset, task.examples, seed)
        self._lanes: dict[str, asyncio.Lock] = {}
        self._cores, self._busy = os.cpu_count() or 1, 0
        self._core = asyncio.Semaphore(self._cores)
        self._done: dict[str, list[Trial]] = {}
        self._choices: dict[str, tuple[DevChoice, ...]] = {}
        self._failures: Counter[str] = Counter()
        self._stopped: BudgetReached | None = None
        self._reported = -math.inf

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
                results[name] = NotMeasured(name, _why(failed))
                self._stopped = self._stopped or (failed if isinstance(failed, BudgetReached) else None)

        await _together([one(contender) for contender in contenders])
        for contender in ran.values():
            result = results[contender.candidate.id]
            if isinstance(result, Measurement):
                try:
                    latency = await self._latency(contender, settings[result.candidate])
                except (ProviderError, BudgetReached) as failed:
                    latency = Unknown(failed.problems[0].what)
                results[result.candidate] = replace(result, latency=latency)
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
        name = contender.candidate.id
        if not contender.candidate.prompted:
            return RunSettings()
        scores = "score_labels" in provider.verbs
        room = REASONING_TOKENS if contender.candidate.model.reasoning else ANSWER_TOKENS
        calibrations = _calibrations(self.spec.calibration, scores)
        options = [(shots, way) for shots in self.spec.shots for way in calibrations]
        choices: list[DevChoice] = []
        priors: dict[int, tuple[float, ...] | None] = {}
        for number, shots in enumerate(self.spec.shots):
            if "pmi" in calibrations:
                priors[shots] = await self._priors(contender, provider, shots)
                if priors[shots] is None and calibrations == ("pmi",):
                    raise ProviderError(Fault.MALFORMED, "the labels of an empty message got no scores: no calibration")
            if len(options) == 1 or not self._dev:
                continue
            plain = RunSettings(shots, max_tokens=room)
            before, total = number * len(self._dev), len(self.spec.shots) * len(self._dev)
            trials = await self._each(
                self._dev,
                lambda sample, plain=plain: self._call(contender, provider, plain, sample, full=scores),  # type: ignore[misc]
                self._width(contender),
                lambda done, before=before, total=total: self.listener.phase(name, "dev", before + done, total),  # type: ignore[misc]
            )
            choices += [
                dev_choice(shots, way, trials, self._dev, self.task.labels, priors.get(shots))
                for way in calibrations
                if way == "none" or priors.get(shots) is not None
            ]
        best = max(choices, key=lambda choice: choice.accuracy) if choices else None
        shots, way = (best.shots, best.calibration) if best else options[0]
        self._choices[name] = tuple(replace(choice, chosen=choice is best) for choice in choices)
        return RunSettings(shots, priors.get(shots) if way == "pmi" else None, room)

    async def _priors(self, contender: Contender, provider: Provider, shots: int) -> tuple[float, ...] | None:
        """What each label is worth before any message is read; None when the call failed."""
        empty = Sample(id="(empty message)", input="", target="", sha256="", row=0, file="")
        return (await self._call(contender, provider, RunSettings(shots), empty, full=True)).label_scores

    async def _test(self, contender: Contender, provider: Provider, settings: RunSettings) -> Result:
        name, total = contender.candidate.id, len(self.dataset.test)
        finished = self._done.setdefault(name, [])
        started = self._now()

        async def one(sample: Sample) -> Trial:
            trial = await self._call(contender, provider, settings, sample)
            finished.append(trial)
            self._report_partial()
            return trial

        trials = await self._each(
            self.dataset.test, one, self._width(contender), lambda done: self.listener.phase(name, "test", done, total)
        )
        first = self._key("answer", contender, provider, settings, self.dataset.test[0], False)
        throughput = await self._throughput(f"throughput {first}", trials, self._now() - started)
        measured = summarise(name, trials, str(settings), self._choices.get(name, ()), throughput)
        if sum(measured.failures.values()) == total:
            return NotMeasured(name, f"every call failed: {', '.join(measured.failures)}")
        return measured

    async def _throughput(self, key: str, trials: Sequence[Trial], seconds: float) -> float | Unknown:
        """Requests per second of one replica: from this run's own calls, or as an earlier run of it measured."""
        fresh = sum(not trial.cached for trial in trials)
        if fresh >= PARTIAL_MINIMUM and seconds > 0:
            await self.journal.add_fact(key, fresh / seconds)
        known = self.journal.fact(key)
        return known if known is not None else Unknown("fewer than 20 requests were timed")

    async def _latency(self, contender: Contender, settings: RunSettings) -> Latency | Unknown:
        name = contender.candidate.id
        if not contender.local:
            stamps = [trial.timing for trial in self._done[name] if not trial.fault]
            return _latency(stamps, f"stamped at the socket during the run, {self._width(contender)} at a time")
        provider = await self.pool.get(contender.target)
        samples = self.dataset.test[:LATENCY_REQUESTS]
        warm = self.dataset.test[-WARM_UP_REQUESTS:]
        keys = [self._key("latency", contender, provider, settings, sample, False) for sample in samples]
        if any(self.journal.find(key) is None for key in keys):
            for sample in warm:
                with suppress(ProviderError):
                    await self.task.answer(provider, settings, sample.input)
        trials = await self._each(
            samples,
            lambda sample: self._call(contender, provider, settings, sample, role="latency"),
            1,
            lambda done: self.listener.phase(name, "latency", done, len(samples)),
        )
        return _latency([t.timing for t in trials if not t.fault], "single requests, nothing else running")

    async def _call(
        self,
        contender: Contender,
        provider: Provider,
        settings: RunSettings,
        sample: Sample,
        *,
        role: Role = "answer",
        full: bool = False,
    ) -> Trial:
        """One sample, once: from the journal if it is there, else paid for, answered and made durable."""
        key = self._key(role, contender, provider, settings, sample, full)
        known = self.journal.find(key)
        if known is not None:
            return replace(known, cached=True)
        expected = price_of(
            contender.candidate,
            expected_usage(self.task, contender.candidate.model, sample.input, settings.shots),
            self._at,
        )
        async with self.budget.reserve(expected if isinstance(expected, Money) else ZERO_USD) as reservation:
            try:
                answer = await call_with_retry(
                    lambda: self.task.answer(provider, settings, sample.input, full=full), self._retry, rng=self._rng
                )
            except ProviderError as failed:
                self._failures[contender.candidate.id] += not failed.fault.of_the_model
                if failed.fault.fatal_for_target or self._failures[contender.candidate.id] >= GIVE_UP_AFTER:
                    raise
                trial = failed_trial(contender.candidate.id, sample, failed)
                if failed.fault.of_the_model:
                    await self.journal.add(key, role, trial)
                return trial
            self._failures[contender.candidate.id] = 0
            trial = answered(contender.candidate, sample, answer, self._at)
            reservation.reconcile(trial.cost if isinstance(trial.cost, Money) else ZERO_USD)
        await self.journal.add(key, role, trial)
        return trial

    def _key(
        self, role: Role, contender: Contender, provider: Provider, settings: RunSettings, sample: Sample, full: bool
    ) -> str:
        rendered = self.task.rendered(sample.input, settings, provider.verbs) + ("\x1ffull" if full else "")
        revision = contender.candidate.revision
        return call_key(role, contender.target, revision, rendered, sample.id, sample.sha256, repeat=0)

    def _width(self, contender: Contender) -> int:
        return int(contender.target.options.get("concurrency", LOCAL_WIDTH if contender.local else REMOTE_WIDTH))

    async def _each(
        self,
        samples: Sequence[Sample],
        one: Callable[[Sample], Awaitable[Trial]],
        width: int,
        say: Callable[[int], None],
    ) -> list[Trial]:
        """`one` for every sample, `width` at a time, results in the samples' order.

        They are asked in one shuffled order, the same for all candidates: a file may be sorted by label, and what is
        shown of a run half done should be a fair half.
        """
        results: dict[int, Trial] = {}
        waiting = iter(random.Random(0).sample(list(enumerate(samples)), len(samples)))

        async def worker() -> None:
            for index, sample in waiting:
                results[index] = await one(sample)
                say(len(results))

        await _together([worker() for _ in range(min(width, len(samples)))])
        return [results[index] for index in range(len(samples))]

    def _report_partial(self) -> None:
        ready = {name: trials for name, trials in self._done.items() if len(trials) >= PARTIAL_MINIMUM}
        if len(ready) < 2 or self._now() - self._reported < PARTIAL_EVERY_SECONDS:
            return
        self._reported = self._now()
        waiting = Unknown("still running")
        self.listener.partial(
            {name: summarise(name, trials, "", self._choices.get(name, ()), waiting) for name, trials in ready.items()}
        )


def dev_messages(dataset: Dataset, examples: Sequence[Sample], seed: int) -> tuple[Sample, ...]:
    """At most 32 dev samples to choose settings on, drawn with the seed, none of them shown as an example."""
    shown = {sample.id for sample in examples}
    rest = [sample for sample in dataset.dev if sample.id not in shown]
    return tuple(random.Random(seed).sample(rest, min(DEV_MESSAGES, len(rest))))


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


def _latency(timings: Sequence[Timing], note: str) -> Latency | Unknown:
    if not timings:
        return Unknown("no request was answered")
    first = tuple(t.first_token_seconds for t in timings if t.first_token_seconds is not None)
    return Latency(tuple(t.total_seconds for t in timings), first, note)
