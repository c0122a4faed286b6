"""A linear classifier as a file: what tuning writes and the wire "linear" reads. NumPy arrays, never pickle.

Scores are log-probabilities: the log-softmax of x @ coef.T + intercept. A class that was never seen in fitting
has an intercept of minus infinity, and so that score.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from steelyard.errors import InputError, Problem
from steelyard.files import write_whole, writing
from steelyard.providers.ngrams import char_ngrams, word_ngrams

Floats: TypeAlias = npt.NDArray[np.float32]

_ANALYSERS: tuple[Callable[[str], list[str]], ...] = (word_ngrams, char_ngrams)


@dataclass(frozen=True)
class Vocabulary:
    """The n-grams of one kind, in the order of their columns, and each one's inverse document frequency."""

    terms: tuple[str, ...]
    idf: Floats


@dataclass(frozen=True)
class TfidfModel:
    """Reads the raw text. `blocks`: word n-grams, then character n-grams; columns in that order.

    Each block is weighted (1 + ln count) * idf and scaled to unit length by itself.
    """

    classes: tuple[str, ...]
    blocks: tuple[Vocabulary, Vocabulary]
    coef: Floats
    intercept: Floats

    def scorer(self) -> Callable[[str], Floats]:
        """A function from a text to one log-probability a class."""
        tables = [{term: column for column, term in enumerate(block.terms)} for block in self.blocks]
        offsets = (0, len(self.blocks[0].terms))
        by_column = np.ascontiguousarray(self.coef.T)

        def score(text: str) -> Floats:
            sums = self.intercept.astype(np.float64)
            for analyse, table, block, offset in zip(_ANALYSERS, tables, self.blocks, offsets, strict=True):
                counts = Counter(table[gram] for gram in analyse(text) if gram in table)
                if counts:
                    columns = np.fromiter(counts.keys(), np.int64)
                    weights = (1 + np.log(np.fromiter(counts.values(), np.float64))) * block.idf[columns]
                    sums += (weights / np.linalg.norm(weights)) @ by_column[columns + offset]
            return log_softmax(sums)

        return score


@dataclass(frozen=True)
class HeadModel:
    """Reads the embedding of the prompt, standardised by `mean` and `scale`."""

    classes: tuple[str, ...]
    mean: Floats
    scale: Floats
    coef: Floats
    intercept: Floats

    def score(self, vector: Sequence[float]) -> Floats:
        """One log-probability a class."""
        x = (np.asarray(vector, np.float64) - self.mean) / self.scale
        return log_softmax(self.coef @ x + self.intercept)


LinearModel: TypeAlias = TfidfModel | HeadModel


def log_softmax(sums: npt.NDArray[np.floating]) -> Floats:
    """Over the last axis."""
    shifted = sums - sums.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)


def save(model: LinearModel, path: Path) -> None:
    """Write the file, whole or not at all. The same model always gives the same bytes."""
    arrays: dict[str, npt.NDArray[np.float32] | npt.NDArray[np.uint8]] = {}
    arrays |= {"classes": _pack(model.classes), "coef": model.coef, "intercept": model.intercept}
    if isinstance(model, TfidfModel):
        for number, block in enumerate(model.blocks):
            arrays |= {f"terms{number}": _pack(block.terms), f"idf{number}": block.idf}
    else:
        arrays |= {"mean": model.mean, "scale": model.scale}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())


def load(path: Path) -> LinearModel:
    """Read the file. Raises InputError if it is none of ours, or not whole."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            model = _model({name: file[name] for name in file.files})
        if _fits(model):
            return model
    except Exception:  # a damaged archive fails in zipfile, zlib, struct or numpy, each in its own way
        pass
    raise InputError(
        Problem(
            slug="bad-artefact",
            what=f"{path} is not a linear classifier written by steelyard, or it is damaged",
            next_step="delete it and run the study again: it is fitted anew",
        )
    )


def _model(arrays: Mapping[str, npt.NDArray[Any]]) -> LinearModel:
    classes, coef, intercept = _unpack(arrays["classes"]), arrays["coef"], arrays["intercept"]
    if "terms0" not in arrays:
        return HeadModel(classes, arrays["mean"], arrays["scale"], coef, intercept)
    words, characters = (Vocabulary(_unpack(arrays[f"terms{n}"]), arrays[f"idf{n}"]) for n in (0, 1))
    return TfidfModel(classes, (words, characters), coef, intercept)


def _fits(model: LinearModel) -> bool:
    """Whether every array has the shape and the kind of numbers that the others ask for."""
    floats = [model.coef, model.intercept]
    if isinstance(model, TfidfModel):
        floats += [block.idf for block in model.blocks]
        width = sum(len(block.terms) for block in model.blocks)
        shapes = all(block.idf.shape == (len(block.terms),) for block in model.blocks)
    else:
        floats += [model.mean, model.scale]
        width = len(model.mean)
        shapes = model.mean.shape == model.scale.shape == (width,)
    kinds = all(array.dtype == np.float32 for array in floats)
    count = len(model.classes)
    return kinds and shapes and model.coef.shape == (count, width) and model.intercept.shape == (count,)


def _pack(words: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\0".join(words).encode(), np.uint8)


def _unpack(array: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    text = array.tobytes().decode()
    return tuple(text.split("\0")) if text else ()
