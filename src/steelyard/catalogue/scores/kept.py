"""Scores by the name of their model, as they are kept in one file and found again for a model of the catalogue."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from steelyard.catalogue.model import Model, PublicScore
from steelyard.catalogue.snapshot.listed import model_id
from steelyard.errors import InputError, Problem

FILE = "scores.json.gz"


@dataclass(frozen=True)
class Scored:
    """One score of the model that its source calls `name`."""

    name: str
    score: PublicScore


def encoded(scores: Iterable[Scored]) -> bytes:
    """Compressed JSON; the same scores give the same bytes."""
    return gzip.compress(orjson.dumps(tuple(scores)), 9, mtime=0)


def read_kept(path: Path) -> tuple[Scored, ...]:
    """A file that was written with `encoded`. InputError where it is none."""
    try:
        kept: tuple[Scored, ...] = TypeAdapter(tuple[Scored, ...]).validate_json(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValidationError):
        raise InputError(Problem("scores-unreadable", "these are not kept scores", str(path))) from None
    return kept


@cache
def shipped() -> tuple[Scored, ...]:
    """The scores that ship with Steelyard."""
    return read_kept(Path(str(files("steelyard.catalogue.scores") / FILE)))


def scores_of(model: Model, kept: Iterable[Scored]) -> tuple[PublicScore, ...]:
    """The model's own scores, then those that were kept under its id or its repository's name."""
    names = {model.id, model_id(model.repository)} - {""}
    return model.public_scores + tuple(one.score for one in kept if model_id(one.name) in names)


def by_name(kept: Iterable[Scored]) -> Mapping[str, tuple[PublicScore, ...]]:
    """Scores by the model's bare name."""
    found: defaultdict[str, list[PublicScore]] = defaultdict(list)
    for one in kept:
        found[model_id(one.name)].append(one.score)
    return {name: tuple(scores) for name, scores in found.items()}
