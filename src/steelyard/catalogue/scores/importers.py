"""Exports of leaderboards to scores: each recognised by its own fields, nothing guessed where it is none of them."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeAlias

import yaml

from steelyard.catalogue.model import PublicScore
from steelyard.catalogue.scores.kept import Scored
from steelyard.errors import InputError, Problem

Row: TypeAlias = Mapping[str, object]
_IN_NAME = re.compile(r"(20\d\d)[-_]?(\d\d)[-_]?(\d\d)")

OPEN_LLM = ("IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO")
ARENA_RATINGS = ("rating", "Arena Elo rating", "Arena Score", "arena_score", "elo")
ARENA_TABLE = {"MT-bench (score)": 0, "MMLU": 1}
"""What stands beside the models in LMArena's leaderboard_table_DAY.csv, with its scale; the ratings are elsewhere."""
ARENA_NAMES = ("model_name", "Model", "key")
NAMES = ("fullname", "model_id", "model_name", "model", "Model", "key", "name")
AIDER = {225: "Aider polyglot", 133: "Aider edit", 89: "Aider refactor"}
"""Its leaderboards have the same fields; they differ in the number of exercises."""
KNOWN = (
    "the Open LLM Leaderboard (CSV or JSON rows of open-llm-leaderboard/contents, not its parquet), LMArena (rows of "
    "lmarena-ai/leaderboard-dataset, leaderboard_table_DAY.csv, JSON with ratings), LLM-Stats (model.json, its API's "
    "models), Aider's leaderboards (YAML), models.dev (api.json with benchmarks)"
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
    if path.suffix == ".jsonl":
        yield from _table(_rows([json.loads(line) for line in text.splitlines() if line.strip()]), path, read_on)
        return
    content = json.loads(text)
    if isinstance(content, dict) and "qualitative_metrics" in content:
        yield from _llm_stats(_rows(content["qualitative_metrics"]), path.parent.name, read_on)
    elif isinstance(content, dict) and isinstance(content.get("rows"), list):
        yield from _table([_inner(row) for row in _rows(content["rows"])], path, read_on)
    elif isinstance(content, dict) and isinstance(content.get("benchmarks"), list):
        yield from _table([content], path, read_on)
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
            yield from _open_llm(row, name, path, read_on)
        elif any(column in row for column in ARENA_RATINGS) or "MT-bench (score)" in row:
            yield from _arena(row, path, read_on)
        elif isinstance(row.get("benchmarks"), list):
            yield from _llm_stats(_rows(row["benchmarks"]), name, read_on)
        else:
            yield from _llm_stats([row], name, read_on)


def _open_llm(row: Row, name: str, path: Path, read_on: str) -> Iterator[Scored]:
    """ "IFEval Raw" is the share that was right; "IFEval" is the same between chance and 100, another figure.

    A flagged row was withdrawn by the leaderboard. One model has a row a precision.
    """
    if str(row.get("Flagged", "")).lower() == "true":
        return
    day = _day(row.get("Submission Date") or row.get("Upload To Hub Date"), read_on)
    precision = _text(row, "Precision")
    source = f"Open LLM Leaderboard, {path.name}" + (f", {precision}" if precision else "")
    for column in OPEN_LLM:
        if f"{column} Raw" in row:
            yield from _scored(name, column, row[f"{column} Raw"], 1, False, source, day)
        else:
            yield from _scored(name, f"{column} (normalised)", row.get(column), 100, False, source, day)


def _arena(row: Row, path: Path, read_on: str) -> Iterator[Scored]:
    """A rating per category; `leaderboard_publish_date` is the day of the list."""
    name, category = _text(row, *ARENA_NAMES, *NAMES), _text(row, "category")
    dated = _IN_NAME.search(path.name)
    day = _day(
        row.get("leaderboard_publish_date") or row.get("date"),
        _day("-".join(dated.groups()), read_on) if dated else read_on,
    )
    source = f"LMArena, {path.name}"
    for column in ARENA_RATINGS:
        if column in row:
            yield from _scored(name, f"LMArena {category}".strip(), row[column], 0, False, source, day)
            break
    for column, scale in ARENA_TABLE.items() if "MT-bench (score)" in row else ():
        found = _scored(name, column.removesuffix(" (score)"), row.get(column), scale, scale == 1, source, day)
        for one in found:
            yield one if scale else replace(one, score=replace(one.score, unit="points"))


def _llm_stats(rows: list[Row], name: str, read_on: str) -> Iterator[Scored]:
    """Of model.json and the list (`is_self_reported`), or of one model of the API (`self_reported`, `max_score`)."""
    for row in rows:
        benchmark = _text(row, "dataset_name", "benchmark_name", "name", "benchmark_id")
        own = row.get("is_self_reported", row.get("self_reported"))
        if not benchmark or own is None:
            continue
        link = _text(row, "source_link", "source", "self_reported_source")
        source = "LLM-Stats (CC-BY-4.0)" + (f": {link}" if link else "")
        most = row.get("max_score")
        scale = most if isinstance(most, int | float) and most > 0 else 1
        day = _day(row.get("date_recorded") or row.get("verification_date"), read_on)
        yield from _scored(name, benchmark, row.get("score"), scale, own is not False, source, day)


def _aider(rows: list[Row], path: Path) -> Iterator[Scored]:
    """A row that names two models is of both together. Which leaderboard it is says the file's name, else its size."""
    known = next((name for name in AIDER.values() if name.rpartition(" ")[2] in path.stem), "")
    for row in rows:
        name, exercises = _text(row, "model"), row.get("test_cases")
        board = known or AIDER.get(exercises if isinstance(exercises, int) else 225, "Aider, part of a leaderboard")
        if name and "+" not in name and "pass_rate_2" in row:
            day = _day(row.get("date"), "")
            if day:
                source = f"Aider's leaderboards (Apache-2.0), {path.name}"
                yield from _scored(name, board, row["pass_rate_2"], 100, False, source, day)


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


def _scored(
    name: str, benchmark: str, value: object, scale: float, own: bool, source: str, day: str
) -> Iterator[Scored]:
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
