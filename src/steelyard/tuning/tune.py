"""The recipes: labelled samples in, a fitted file (or a candidate that stands on it) out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from steelyard.catalogue import Candidate
from steelyard.errors import InputError, Problem
from steelyard.providers.linear_model import save
from steelyard.tuning.embeddings import EmbeddingCache
from steelyard.tuning.fit import fit_head, fit_tfidf, require_sklearn
from steelyard.tuning.fitted import Embed, Fitted, Progress, file_for, recall, record
from steelyard.tuning.folds import Ints
from steelyard.usecase import Sample

_VERSION = 2  # of the recipes: another number, another fit


async def tune(
    candidate: Candidate,
    samples: Sequence[Sample],
    labels: Sequence[str],
    folder: Path,
    seed: int,
    *,
    prompts: Sequence[str] = (),
    embed: Embed | None = None,
    base_sha256: str = "",
    progress: Progress = lambda done, total: None,
) -> Candidate:
    """The candidate with the classifier its recipe makes; `prompts` and `embed` are for +head only.

    A candidate that needs no fitting comes back as it is. Raises InputError for a recipe that is not known.
    """
    if candidate.recipe == "head":
        if embed is None:
            raise ValueError("a head needs something to embed its prompts")
        fitted = await tune_head(samples, labels, prompts, embed, folder, seed, progress, base_sha256=base_sha256)
    elif candidate.route == "linear":
        fitted = await tune_linear(samples, labels, folder, seed)
    elif not candidate.recipe:
        return candidate
    else:
        raise InputError(
            Problem(
                slug="unknown-recipe",
                where=candidate.id,
                what=f"there is no recipe {candidate.recipe!r}",
                allowed="+head, or the candidate `linear`",
            )
        )
    return replace(candidate, artefact=fitted.path, artefact_sha256=fitted.sha256)


async def tune_linear(samples: Sequence[Sample], labels: Sequence[str], folder: Path, seed: int) -> Fitted:
    """Fit the baseline on the samples' inputs; found again if it was fitted on the same before.

    `labels` are all classes in the order of the scores. Raises NotAvailable without scikit-learn.
    """
    require_sklearn()
    targets = _targets(samples, labels)
    path = file_for(folder, "linear", samples, _VERSION, list(labels), seed)
    known = recall(path)
    if known is not None:
        return known
    begun = time.perf_counter()
    texts = [sample.input for sample in samples]
    model, how = await asyncio.to_thread(fit_tfidf, texts, targets, tuple(labels), seed)
    save(model, path)
    return record(path, time.perf_counter() - begun, f"{how}; fitted on {len(samples)} samples")


async def tune_head(
    samples: Sequence[Sample],
    labels: Sequence[str],
    prompts: Sequence[str],
    embed: Embed,
    folder: Path,
    seed: int,
    progress: Progress = lambda done, total: None,
    *,
    base_sha256: str,
) -> Fitted:
    """Fit a head on the embeddings of `prompts` (one a sample), found again if nothing has changed.

    A prompt here is what `LabelRequest.prompt` will be when the head is asked. `base_sha256` is of the
    embedder's weights: embeddings are kept in `folder` under it.
    """
    require_sklearn()
    targets = _targets(samples, labels)
    if len(prompts) != len(samples):
        raise ValueError(f"{len(samples)} samples, but {len(prompts)} prompts")
    path = file_for(folder, "head", samples, _VERSION, list(labels), seed, list(prompts), base_sha256)
    known = recall(path)
    if known is not None:
        return known
    begun = time.perf_counter()
    vectors = await EmbeddingCache(folder, base_sha256).embed(prompts, embed, progress)
    model, how = await asyncio.to_thread(fit_head, vectors, targets, tuple(labels), seed)
    save(model, path)
    return record(path, time.perf_counter() - begun, f"{how}; fitted on {len(samples)} samples")


def _targets(samples: Sequence[Sample], labels: Sequence[str]) -> Ints:
    if not samples:
        raise InputError(
            Problem(
                slug="nothing-to-fit-on",
                what="a classifier is to be fitted, but there are no dev samples",
                next_step="give `data` a smaller `test` share, or a `train` file",
            )
        )
    numbers = {label: number for number, label in enumerate(labels)}
    return np.array([numbers[sample.target] for sample in samples], np.int64)
