"""Exports of leaderboards to scores: each recognised by its own fields, nothing guessed where it is none of them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TypeAlias

import yaml

from steelyard.catalogue.model import PublicScore
from steelyard.catalogue.scores.kept import Scored
from steelyard.errors import InputError, Problem

Row: TypeAlias = Mapping[str, object]

OPEN_LLM = ("IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO")
ARENA_RATINGS = ("rating", "Arena Score", "arena_score", "elo")
NAMES = ("fullname", "model_name", "model_id", "model", "Model", "key", "name")
KNOWN = (
    "the Open LLM Leaderboard (CSV or JSON rows), LMArena (CSV or JSON with ratings), LLM-Stats (model.json or rows), "
    "Aider's polyglot leaderboard (YAML), models.dev (api.json with benchmarks)"
)


def read_scores(path: Path, read_on: str) -> tuple[Scored, ...]:
    """The scores of an export, or of every model.json below a folder. InputError where nothing is recognised.

    `read_on` dates what has no date of its own. Percentages become shares; ratings stay what they are.
    """
    files = sorted(path.rglob("model.json")) if path.is_dir() else [path]
    found: list[Scored] = []
    for file in files:
        try:
            found += _recognised(file, file.read_bytes().decode("utf-8-sig"), read_on)
        except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
            raise _unreadable(file, str(error).partition("\n")[0]) from None
    if not found:
        raise _unreadable(path, "no score was recognised")
    return tuple(found)


def _recognised(path: Path, text: str, read_on: str) -> Iterator[Scored]:
    if path.suffix in (".yml", ".yaml"):
        yield from _aider(_rows(yaml.safe_load(text)), path)
        return
    if path.suffix == ".csv":
        yield from _table([dict(row) for row in csv.DictReader(io.StringIO(text))], path, read_on)
        return
    content = json.loads(text)
    if isinstance(content, dict) and "qualitative_metrics" in content:
        yield from _llm_stats(_rows(content["qualitative_metrics"]), path.parent.name, read_on)
    elif isinstance(content, dict) and isinstance(content.get("rows"), list):
        yield from _table([_inner(row) for row in _rows(content["rows"])], path, read_on)
    elif isinstance(content, dict):
        yield from _nested(content, path, read_on)
    else:
        yield from _table(_rows(content), path, read_on)


def _table(rows: list[Row], path: Path, read_on: str) -> Iterator[Scored]:
    for row in rows:
        name = _text(row, *NAMES)
        if not name:
            continue
        if any(column in row for column in OPEN_LLM):
            day = _day(row.get("Submission Date") or row.get("Upload To Hub Date"), read_on)
            for column in OPEN_LLM:
                yield from _scored(name, column, row.get(column), 100, False, f"Open LLM Leaderboard, {path.name}", day)
        elif any(column in row for column in ARENA_RATINGS):
            rating = next(row[column] for column in ARENA_RATINGS if column in row)
            day = _day(row.get("date"), read_on)
            yield from _scored(name, "LMArena", rating, 0, False, f"LMArena, {path.name}", day)
        else:
            yield from _llm_stats([row], name, read_on)


def _llm_stats(rows: list[Row], name: str, read_on: str) -> Iterator[Scored]:
    for row in rows:
        benchmark = _text(row, "dataset_name", "benchmark_name", "benchmark_id")
        if not benchmark or "is_self_reported" not in row:
            continue
        link = _text(row, "source_link", "source", "self_reported_source")
        source = "LLM-Stats (CC-BY-4.0)" + (f": {link}" if link else "")
        own = row["is_self_reported"] is not False
        day = _day(row.get("date_recorded"), read_on)
        yield from _scored(name, benchmark, row.get("score"), 1, own, source, day)


def _aider(rows: list[Row], path: Path) -> Iterator[Scored]:
    for row in rows:
        name = _text(row, "model")
        if name and "+" not in name and "pass_rate_2" in row:
            day = _day(row.get("date"), "")
            if day:
                source = f"Aider polyglot leaderboard (Apache-2.0), {path.name}"
                yield from _scored(name, "Aider polyglot", row["pass_rate_2"], 100, False, source, day)


def _nested(content: Row, path: Path, read_on: str) -> Iterator[Scored]:
    """{category: {model: {rating}}} of LMArena, or {seller: {models: {id: {benchmarks}}}} of models.dev."""
    for key, value in content.items():
        inner = value if isinstance(value, dict) else {}
        models = inner.get("models")
        if isinstance(models, dict):
            for id, model in models.items():
                for row in _rows(model.get("benchmarks") if isinstance(model, dict) else None):
                    benchmark, day = _text(row, "name", "benchmark"), _day(row.get("date"), read_on)
                    source = f"models.dev (MIT): {_text(row, 'source', 'url') or path.name}"
                    own = row.get("self_reported") is not False
                    yield from _scored(str(id), benchmark, row.get("score", row.get("value")), 1, own, source, day)
            continue
        for name, row in inner.items():
            if isinstance(row, dict) and "rating" in row:
                yield from _scored(
                    str(name), f"LMArena {key}", row["rating"], 0, False, f"LMArena, {path.name}", read_on
                )


def _scored(name: str, benchmark: str, value: object, scale: int, own: bool, source: str, day: str) -> Iterator[Scored]:
    """Nothing where there is no number. `scale` 0 is a rating; a share above 1 was given as a percentage."""
    try:
        number = float(str(value))
    except ValueError:
        return
    if not benchmark or not math.isfinite(number):
        return
    unit = "rating" if scale == 0 else "share"
    number = number / scale if scale else number
    if unit == "share" and not 0 <= number <= 1:
        unit = "points"
    yield Scored(name, PublicScore(benchmark, round(number, 6), unit, own, source, day))


def _rows(value: object) -> list[Row]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _inner(row: Row) -> Row:
    inner = row.get("row")
    return inner if isinstance(inner, dict) else row


def _text(row: Row, *names: str) -> str:
    return next((value for name in names if isinstance(value := row.get(name), str) and value), "")


def _day(value: object, otherwise: str) -> str:
    """An ISO day, whatever stands behind it."""
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        return otherwise


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        Problem(
            slug="scores-unreadable",
            what=f"no public scores can be read: {why}",
            where=str(path),
            allowed=KNOWN,
            next_step="export the leaderboard again in one of these forms",
        )
    )
