"""A candidate that must be fitted before it can answer, with all that the fit will need."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from steelyard.catalogue import Candidate
from steelyard.catalogue.target import target
from steelyard.providers.protocol import Pool, Target
from steelyard.providers.retry import RetryPolicy, call_with_retry
from steelyard.tuning.fitted import Progress
from steelyard.tuning.tune import tune
from steelyard.usecase import Dataset
from steelyard.usecase.split import thin

MOST = 20_000
MOST_WORK = 4_000_000
"""Samples, and samples times classes, that a classifier is fitted on: more would take hours and gigabytes."""


@dataclass(frozen=True)
class Fitting:
    """Calling it fits the candidate on dev and gives it back with its artefact.

    More `threads` than one are used by an embedder of its own, which gives the same vectors in less time.

    `base` is what runs meanwhile: the embedder of a head, or for `linear` a target that only says whose
    machines see the data and cannot be opened.
    """

    candidate: Candidate
    base: Target
    data: Dataset
    render: Callable[[str], str]
    folder: Path
    seed: int

    async def __call__(self, pool: Pool, progress: Progress = lambda done, total: None, threads: int = 1) -> Candidate:
        samples = thin(self.data.dev, min(MOST, MOST_WORK // len(self.data.labels)), self.seed, cover=True)
        embedder = self.base
        if threads > 1 and self.base.wire == "llama-cpp":
            embedder = replace(self.base, options={**self.base.options, "threads": threads})

        async def embed(texts: Sequence[str]) -> Sequence[Sequence[float]]:
            provider = await pool.get(embedder)
            return (await call_with_retry(lambda: provider.embed(texts), RetryPolicy(), rng=random.Random())).vectors

        return await tune(
            self.candidate,
            samples,
            self.data.labels,
            self.folder,
            self.seed,
            prompts=[self.render(sample.input) for sample in samples] if self.candidate.recipe == "head" else (),
            embed=embed,
            base_sha256=self.base.weights_sha256,
            progress=progress,
        )


def fitting(
    candidate: Candidate, data: Dataset, render: Callable[[str], str], folder: Path, seed: int
) -> Fitting | None:
    """What it takes to fit the candidate; None if it can answer as it is.

    `render` turns an input into the prompt that `LabelRequest.prompt` will hold. Raises NotAvailable if the
    weights of a head's base are not at hand.
    """
    if candidate.recipe == "head":
        base = target(replace(candidate, recipe=""))
    elif candidate.route == "linear":
        base = Target(wire="linear", model=candidate.model.id, custody=candidate.custody)
    else:
        return None
    return Fitting(candidate, base, data, render, folder, seed)
