"""One check for every provider, built in or third party: does it keep the protocol?

violations = asyncio.run(check_provider(open_mine, Target(wire="mine", model="m")))
assert violations == []
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, runtime_checkable

from steelyard.errors import Fault, ProviderError
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Delta,
    LabelRequest,
    LabelScores,
    Message,
    Opener,
    Pool,
    Provider,
    Request,
    Settings,
    Target,
    Timing,
    Usage,
)

_MEMBERS = ("target", "verbs", "complete", "stream", "embed", "score_labels")
_VERBS = frozenset({"complete", "embed", "score_labels"})
_REQUEST = Request(
    (Message("system", "Be brief."), Message("user", "Say good morning ☀ to Zoë.")), Settings(max_tokens=8)
)
_TEXTS = ("Where is my parcel?", "Où est mon colis ?", "Where is my parcel?")
_TOLERANCE = 1e-3


async def check_provider(
    opener: Opener, target: Target, *, pool: Pool | None = None, labels: Sequence[str] = (" yes", " no")
) -> list[str]:
    """Opens the target, makes about ten small calls, closes it; a sentence for each broken promise.

    `labels` is what score_labels is asked to choose from; a classifier wants as many as it was fitted on.
    """
    provider = await opener(target, pool or _NoPool())
    check = _Check(provider, tuple(labels))
    try:
        lacking = [name for name in _MEMBERS if not hasattr(provider, name)]
        if lacking:
            return [f"it lacks {', '.join(lacking)}"]
        if provider.target != target:
            check.broken.append("target is not the target it was opened for")
        if not provider.verbs or not provider.verbs <= _VERBS:
            check.broken.append(f"verbs must be some of {', '.join(sorted(_VERBS))}, not {sorted(provider.verbs)}")
        for verb, ask in (("complete", check.complete), ("embed", check.embed), ("score_labels", check.score_labels)):
            await check.verb(verb, ask)
        check.secrets()
    finally:
        await provider.close()
    await provider.close()  # twice must do no harm
    return check.broken


class _NoPool:
    """For wires that stand on no other target."""

    async def get(self, target: Target) -> Provider:
        raise LookupError(f"this provider asks for another target ({target.wire}): pass check_provider a pool")


@runtime_checkable
class _Closable(Protocol):
    async def aclose(self) -> None: ...


class _Check:
    """The questions, and the promises found broken so far."""

    def __init__(self, provider: Provider, labels: tuple[str, ...]) -> None:
        self.provider = provider
        self.labels = labels
        self.broken: list[str] = []

    def must(self, kept: bool, promise: str) -> None:
        """Note a promise that was not kept."""
        if not kept:
            self.broken.append(promise)

    async def verb(self, verb: str, ask: Callable[[], Awaitable[None]]) -> None:
        """A verb it has must work; one it has not must say so the agreed way."""
        if verb in self.provider.verbs:
            try:
                await ask()
            except Exception as error:
                self.broken.append(f"{verb} failed: {type(error).__name__}: {error}")
            return
        for call in self._calls(verb):
            try:
                await call()
            except ProviderError as error:
                self.must(error.fault is Fault.BAD_REQUEST, f"{verb} is not a verb: it must raise BAD_REQUEST")
            except Exception as error:
                self.broken.append(f"{verb} is not a verb: it must raise ProviderError, not {type(error).__name__}")
            else:
                self.broken.append(f"{verb} works, but is not among the verbs")

    async def complete(self) -> None:
        """Whole and streamed answers."""
        whole = await self.provider.complete(_REQUEST)
        self._completion("complete", whole)
        several = await asyncio.gather(*(self.provider.complete(_REQUEST) for _ in range(3)))
        self.must(all(isinstance(one, Completion) for one in several), "calls at the same time must all be answered")
        chunks = await self._chunks()
        self.must(
            bool(chunks)
            and isinstance(chunks[-1], Completion)
            and all(isinstance(chunk, Delta) for chunk in chunks[:-1]),
            "a stream must be any number of Delta, then exactly one Completion",
        )
        if chunks and isinstance(chunks[-1], Completion):
            self._completion("stream", chunks[-1])
            joined = "".join(chunk.text for chunk in chunks[:-1])
            self.must(joined == chunks[-1].text, "a stream's Completion must hold all its deltas, joined")
        stream = self.provider.stream(_REQUEST)
        await anext(stream)
        self.must(isinstance(stream, _Closable), "a stream must be an async generator, so that it can be left early")
        if isinstance(stream, _Closable):
            await stream.aclose()
        self._completion("complete after a stream that was left", await self.provider.complete(_REQUEST))

    async def embed(self) -> None:
        """One finite vector a text, the same for the same text."""
        answer = await self.provider.embed(_TEXTS)
        self._measures("embed", answer.usage, answer.timing, answer.served_model)
        rows = [list(vector) for vector in answer.vectors]
        self.must(len(rows) == len(_TEXTS), "embed must give one vector a text")
        self.must(len({len(row) for row in rows}) == 1 and bool(rows[0]), "embed's vectors must be of one width")
        self.must(all(math.isfinite(value) for row in rows for value in row), "embed's values must be finite")
        near = all(abs(a - b) < _TOLERANCE for a, b in zip(rows[0], rows[-1], strict=False))
        self.must(near, "embed must give the same text the same vector")

    async def score_labels(self) -> None:
        """The argmax, every score when asked for, and priors taken off."""
        short = await self._scores()
        full = await self._scores(full=True)
        self._measures("score_labels", short.usage, short.timing, short.served_model)
        self.must(0 <= short.best < len(self.labels), "best must be the index of a label")
        self.must(short.scores is None, "scores must be None unless full was asked for")
        if full.scores is None or len(full.scores) != len(self.labels):
            self.broken.append("full must give one score a label")
            return
        top = max(full.scores)
        self.must(all(score <= _TOLERANCE for score in full.scores), "scores must be log-probabilities: none above 0")
        self.must(full.scores[short.best] >= top - _TOLERANCE, "best must be the argmax, whether full or not")
        self.must(abs(full.best_score - top) < _TOLERANCE, "best_score must be the score of the best label")
        priors = tuple(-1.0 - place / 4 for place in range(len(self.labels)))
        tilted = await self._scores(full=True, priors=priors)
        expected = [score - prior for score, prior in zip(full.scores, priors, strict=True)]
        same = tilted.scores is not None and all(
            _near(got, want) for got, want in zip(tilted.scores, expected, strict=True)
        )
        self.must(same, "priors must be subtracted from the scores")
        self.must(expected[tilted.best] >= max(expected) - _TOLERANCE, "best must be the argmax after priors")

    def secrets(self) -> None:
        """The key must not be kept where printing shows it."""
        key = os.environ.get(self.provider.target.key_env, "") if self.provider.target.key_env else ""
        shown = repr(self.provider) + repr(getattr(self.provider, "__dict__", ""))
        self.must(not key or key not in shown, "the key must not be stored in the provider")

    def _calls(self, verb: str) -> list[Callable[[], Awaitable[object]]]:
        if verb == "complete":
            return [lambda: self.provider.complete(_REQUEST), self._chunks]
        if verb == "embed":
            return [lambda: self.provider.embed(_TEXTS)]
        return [self._scores]

    async def _chunks(self) -> list[Chunk]:
        return [chunk async for chunk in self.provider.stream(_REQUEST)]

    async def _scores(self, *, full: bool = False, priors: tuple[float, ...] | None = None) -> LabelScores:
        request = LabelRequest(
            text=_TEXTS[0],
            prefix="Is it a question?\n\n",
            prompt=f"Message: {_TEXTS[0]}\nAnswer:",
            labels=self.labels,
            priors=priors,
            full=full,
        )
        return await self.provider.score_labels(request)

    def _completion(self, verb: str, completion: Completion) -> None:
        self._measures(verb, completion.usage, completion.timing, completion.served_model)
        reasons = ("stop", "length", "content_filter", "other")
        self.must(completion.finish_reason in reasons, f"{verb}: finish_reason must be one of {', '.join(reasons)}")

    def _measures(self, verb: str, usage: Usage, timing: Timing, served_model: str) -> None:
        self.must(
            usage.input_tokens >= usage.cached_tokens >= 0 and usage.output_tokens >= usage.reasoning_tokens >= 0,
            f"{verb}: cached tokens are part of the input's, reasoning tokens of the output's, none negative",
        )
        first = timing.first_token_seconds
        self.must(
            math.isfinite(timing.total_seconds) and timing.total_seconds >= (first or 0) >= 0,
            f"{verb}: 0 <= first_token_seconds <= total_seconds must hold",
        )
        self.must(bool(served_model), f"{verb}: served_model must say what answered")


def _near(got: float, want: float) -> bool:
    return got == want or abs(got - want) < _TOLERANCE
