"""The wire "scripted": answers by rule, with no network and no weights. It runs every test and example.

`target.weights` may name an answer book, a JSON Lines file of {"input": ..., "answer": ...}. Which inputs are
answered rightly is settled by a hash of model, seed and input, so two scripted models of different accuracy
agree and differ on the same items every time.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from steelyard.errors import Fault, InputError, Problem, ProviderError
from steelyard.providers.options import check_options, option
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Delta,
    Embeddings,
    LabelRequest,
    LabelScores,
    Pool,
    Request,
    Target,
    Timing,
    Usage,
)
from steelyard.quantities import Seconds, Tokens

_WIDTH = 64
_BEST = 0.6
_OPTIONS = (
    "accuracy",
    "seed",
    "reply",
    "latency_seconds",
    "spread_seconds",
    "sleep",
    "fail_every",
    "fault",
    "retry_after_seconds",
)


async def open_scripted(target: Target, pool: Pool) -> Scripted:
    """Plug-in "scripted"."""
    return Scripted(target, _book(target.weights) if target.weights else {})


class Scripted:
    """Answers from the book, wrongly now and then; an input that is not in the book is echoed.

    Options: `accuracy` (share answered rightly, 1.0), `seed`, `reply` (a text with {answer} in it),
    `latency_seconds` and `spread_seconds` (reported; slept only with `sleep`), `fail_every` (every n-th call
    fails), `fault` (how: a value of `errors.Fault`), `retry_after_seconds`.
    """

    verbs = frozenset({"complete", "embed", "score_labels"})

    def __init__(self, target: Target, book: Mapping[str, str]) -> None:
        check_options(target, _OPTIONS)
        self.target = target
        self.calls = 0
        self._book = book
        self._answers = sorted(set(book.values()))
        self._accuracy = option(target, "accuracy", 1.0)
        self._seed = option(target, "seed", 0)
        self._reply = option(target, "reply", "{answer}")
        self._latency = option(target, "latency_seconds", 0.05)
        self._spread = option(target, "spread_seconds", 0.0)
        self._sleep = option(target, "sleep", False)
        self._fail_every = option(target, "fail_every", 0)
        self._fault = Fault(option(target, "fault", Fault.OVERLOADED.value))
        self._retry_after = option(target, "retry_after_seconds", 0.0)

    async def complete(self, request: Request) -> Completion:
        """The answer, cut to `max_tokens` words."""
        sent = " ".join(message.content for message in request.messages)
        last = request.messages[-1].content
        timing = await self._call(last)
        found = self._find(last)
        words = re.findall(r"\s*\S+", self._reply.replace("{answer}", last if found is None else self._answer(found)))
        kept = words[: request.settings.max_tokens]
        return Completion(
            text="".join(kept),
            finish_reason="stop" if len(kept) == len(words) else "length",
            usage=Usage(_count(sent), Tokens(len(kept))),
            timing=timing,
            served_model=self.target.model,
        )

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """The same answer, a word at a time."""
        completion = await self.complete(request)
        for word in re.findall(r"\s*\S+", completion.text):
            yield Delta(word)
        yield completion

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Hashed word counts of unit length: texts that share words are near each other."""
        timing = await self._call("".join(texts))
        vectors = [_vector(text) for text in texts]
        return Embeddings(vectors, Usage(_count(" ".join(texts))), timing, self.target.model)

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        """The label that says the same as the book's answer; all alike for an input that is not in the book."""
        timing = await self._call(request.text)
        count = len(request.labels)
        logs = [math.log(1 / count)] * count
        if request.text in self._book:
            wanted = _plain(self._answer(request.text))
            hits = [_plain(label) == wanted for label in request.labels]
            if any(hits) and count > 1:
                logs = [math.log(_BEST if hit else (1 - _BEST) / (count - 1)) for hit in hits]
        priors = request.priors or (0.0,) * count
        scores = tuple(log - prior for log, prior in zip(logs, priors, strict=True))
        best = scores.index(max(scores))
        usage = Usage(_count(request.prefix + request.prompt))
        return LabelScores(best, scores[best], scores if request.full else None, usage, timing, self.target.model)

    async def close(self) -> None:
        """Nothing is held."""

    async def _call(self, text: str) -> Timing:
        self.calls += 1
        seconds = self._latency + self._spread * self._chance("latency", text)
        if self._sleep:
            await asyncio.sleep(seconds)
        if self._fail_every and self.calls % self._fail_every == 0:
            raise ProviderError(
                self._fault, f"call {self.calls} was to fail", retry_after_seconds=self._retry_after or None
            )
        return Timing(Seconds(seconds), Seconds(seconds / 2))

    def _answer(self, known: str) -> str:
        right = self._book[known]
        wrong = [answer for answer in self._answers if answer != right]
        if not wrong or self._chance("right", known) < self._accuracy:
            return right
        return wrong[int(self._chance("wrong", known) * len(wrong))]

    def _find(self, text: str) -> str | None:
        """The book's input in a rendered prompt: the one that ends last, after the examples; then the longest."""
        if text in self._book:
            return text
        ends = ((text.rfind(known) + len(known), len(known), known) for known in self._book if known in text)
        best = max(ends, default=None)
        return best[2] if best else None

    def _chance(self, purpose: str, text: str) -> float:
        digest = hashlib.sha256(f"{purpose}\0{self.target.model}\0{self._seed}\0{text}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def _book(path: Path) -> dict[str, str]:
    rows = TypeAdapter(dict[str, str])
    book = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = rows.validate_json(line)
            book[row["input"]] = row["answer"]
        except (ValidationError, KeyError):
            raise InputError(
                Problem(
                    slug="bad-answer-book",
                    where=f"{path}, line {number}",
                    what="not a row of an answer book",
                    allowed='{"input": "...", "answer": "..."}',
                )
            ) from None
    return book


def _plain(label: str) -> str:
    return re.sub(r"[\s_-]+", " ", label).strip().casefold()


def _count(text: str) -> Tokens:
    return Tokens(len(text.split()))


def _vector(text: str) -> list[float]:
    counts = [0.0] * _WIDTH
    for word in re.findall(r"\w+", text.casefold()):
        digest = hashlib.sha256(word.encode()).digest()
        counts[digest[0] % _WIDTH] += 1.0
    length = math.sqrt(sum(value * value for value in counts)) or 1.0
    return [value / length for value in counts]
