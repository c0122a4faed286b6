"""The wire "recorded": calls made once are answered from a file. `Recorder` writes such a file.

A recording is a JSON Lines file; each line holds the SHA-256 of (verb, model, request) and the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from steelyard.errors import Fault, InputError, NotAvailable, Problem, ProviderError
from steelyard.providers.options import check_options
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Delta,
    Embeddings,
    LabelRequest,
    LabelScores,
    Pool,
    Provider,
    Request,
    Target,
)

_Answer = TypeVar("_Answer", Completion, Embeddings, LabelScores)


@dataclass(frozen=True)
class _Line:
    """One recorded call."""

    key: str
    answer: Completion | Embeddings | LabelScores


_LINES = TypeAdapter(_Line)


def call_key(model: str, request: Request | LabelRequest | Sequence[str]) -> str:
    """SHA-256 (hex) of a call; the kind of request tells the verb."""
    verb = {Request: "complete", LabelRequest: "score_labels"}.get(type(request), "embed")
    content = list(request) if isinstance(request, Sequence) else request
    return hashlib.sha256(orjson.dumps([verb, model, content])).hexdigest()


async def open_recorded(target: Target, pool: Pool) -> Recorded:
    """Plug-in "recorded": `target.weights` is the recording, `target.model` the model it was made with."""
    check_options(target, ())
    if target.weights is None or not target.weights.is_file():
        raise NotAvailable(
            Problem(
                slug="recording-missing",
                what=f"there is no recording at {target.weights}",
                next_step="make one with steelyard.providers.recorded.Recorder",
            )
        )
    return Recorded(target, _read(target.weights))


class Recorded:
    """Answers only what was recorded; anything else raises ProviderError(NOT_FOUND)."""

    verbs = frozenset({"complete", "embed", "score_labels"})

    def __init__(self, target: Target, answers: dict[str, Completion | Embeddings | LabelScores]) -> None:
        self.target = target
        self._answers = answers

    async def complete(self, request: Request) -> Completion:
        """The recorded completion, with the timing of the recording."""
        return self._find(call_key(self.target.model, request), Completion)

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """The recorded completion in one piece."""
        completion = await self.complete(request)
        if completion.text:
            yield Delta(completion.text)
        yield completion

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """The recorded vectors for exactly this list of texts."""
        return self._find(call_key(self.target.model, texts), Embeddings)

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        """The recorded scores for exactly this request."""
        return self._find(call_key(self.target.model, request), LabelScores)

    async def close(self) -> None:
        """Nothing is held."""

    def _find(self, key: str, kind: type[_Answer]) -> _Answer:
        answer = self._answers.get(key)
        if not isinstance(answer, kind):
            raise ProviderError(Fault.NOT_FOUND, f"this call to {self.target.model} is not in the recording")
        return answer


class Recorder:
    """A provider that passes every call on and appends the answer to a file. Failed calls are not recorded."""

    def __init__(self, provider: Provider, file: Path) -> None:
        self.target = provider.target
        self.verbs = provider.verbs
        self._provider = provider
        self._file = file

    async def complete(self, request: Request) -> Completion:
        return self._keep(request, await self._provider.complete(request))

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """Recorded when, and only when, it comes to its end."""
        async for chunk in self._provider.stream(request):
            if isinstance(chunk, Completion):
                self._keep(request, chunk)
            yield chunk

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        return self._keep(texts, await self._provider.embed(texts))

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        return self._keep(request, await self._provider.score_labels(request))

    async def close(self) -> None:
        """Close the provider that was recorded."""
        await self._provider.close()

    def _keep(self, request: Request | LabelRequest | Sequence[str], answer: _Answer) -> _Answer:
        line = _LINES.dump_json(_Line(call_key(self.target.model, request), answer))
        with self._file.open("ab") as file:
            file.write(line + b"\n")
        return answer


def _read(file: Path) -> dict[str, Completion | Embeddings | LabelScores]:
    answers = {}
    for number, text in enumerate(file.read_bytes().splitlines(), 1):
        try:
            line = _LINES.validate_json(text)
        except ValidationError:
            raise InputError(
                Problem(
                    slug="bad-recording",
                    where=f"{file}, line {number}",
                    what="not a recorded call",
                    next_step="record the calls again",
                )
            ) from None
        answers[line.key] = line.answer
    return answers
