"""The wire "linear": predicts with a classifier that tuning fitted. Reads the raw text, or embeds the prompt.

A head is `target.adapter`, and `target.weights` is the GGUF whose embeddings it reads; a classifier that reads
the text stands on nothing, so it is `target.weights` itself.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import numpy as np

from steelyard.errors import Fault, NotAvailable, Problem, ProviderError
from steelyard.providers.linear_model import Floats, HeadModel, TfidfModel, load
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Embeddings,
    LabelRequest,
    LabelScores,
    Pool,
    Provider,
    Request,
    Target,
    Timing,
    Usage,
)
from steelyard.quantities import Seconds


async def open_linear(target: Target, pool: Pool) -> Linear:
    """Plug-in "linear"."""
    file = target.adapter or target.weights
    if file is None or not file.is_file():
        raise NotAvailable(
            Problem(
                slug="not-fitted",
                what=f"{target.model} has not been fitted: there is no file {file}",
                next_step="steelyard run STUDY fits it on the study's dev messages",
            )
        )
    model = load(file)
    if isinstance(model, TfidfModel):
        return Linear(target, model, None)
    return Linear(target, model, await pool.get(embedder(target)))


def embedder(target: Target) -> Target:
    """The target whose embeddings a head reads: the same weights, without the head."""
    return replace(target, wire="llama-cpp", adapter=None, adapter_sha256="")


class Linear:
    """One classifier, ready to predict. Has the verb score_labels only."""

    verbs = frozenset({"score_labels"})

    def __init__(self, target: Target, model: TfidfModel | HeadModel, base: Provider | None) -> None:
        self.target = target
        self._model = model
        self._base = base
        self._score: Callable[[str], Floats] | None = model.scorer() if isinstance(model, TfidfModel) else None

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        """Labels stand for the classifier's classes in order; `best` and scores follow LabelScores.

        Raises ProviderError(BAD_REQUEST) if the number of labels is another than that of the classes.
        """
        classes = self._model.classes
        if len(request.labels) != len(classes):
            raise ProviderError(
                Fault.BAD_REQUEST,
                f"{self.target.model} was fitted on {len(classes)} labels, {len(request.labels)} are asked for",
            )
        logs, usage, timing = await self._logs(request)
        scores = logs if request.priors is None else logs - np.asarray(request.priors, np.float32)
        best = int(np.argmax(scores))
        every = tuple(float(score) for score in scores) if request.full else None
        return LabelScores(best, float(scores[best]), every, usage, timing, self.target.model)

    async def _logs(self, request: LabelRequest) -> tuple[Floats, Usage, Timing]:
        begun = time.perf_counter()
        if self._score is not None:
            logs = self._score(request.text)
            return logs, Usage(), Timing(Seconds(time.perf_counter() - begun))
        assert self._base is not None and isinstance(self._model, HeadModel)
        embedded = await self._base.embed([request.prompt])
        begun = time.perf_counter()
        logs = self._model.score(embedded.vectors[0])
        seconds = embedded.timing.total_seconds + time.perf_counter() - begun
        return logs, embedded.usage, Timing(Seconds(seconds))

    async def complete(self, request: Request) -> Completion:
        """Not to be had."""
        raise self._cannot("complete")

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """Not to be had."""
        yield await self.complete(request)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Not to be had."""
        raise self._cannot("embed")

    async def close(self) -> None:
        """Nothing is held; the pool closes the embedder."""

    def _cannot(self, verb: str) -> ProviderError:
        return ProviderError(Fault.BAD_REQUEST, f"{self.target.model} is a classifier and cannot {verb}")
