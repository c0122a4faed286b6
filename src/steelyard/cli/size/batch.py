"""`steelyard size batch`: the speed of many configurations in one go, in the order they were given."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from steelyard.cli.say import say, say_json

if TYPE_CHECKING:
    from steelyard.quantities import Unknown
    from steelyard.sizing.speed import Speed
    from steelyard.stats.estimate import Estimate

SCHEMA_VERSION = "1.0"
FIGURES = ("ttft_ms", "tpot_ms", "out_tok_s_per_gpu")
COLUMNS = ("id", *(f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high")), "unknown", "notes")


@dataclass(frozen=True)
class Told:
    """One row's answer: its figures by column (None where a note says why), or why there are none."""

    id: str
    figures: tuple[float | None, ...]
    unknown: str
    notes: tuple[str, ...]


@click.command("batch")
@click.argument("rows", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of CSV.")
def batch_command(rows: Path, as_json: bool) -> None:
    """Estimate time to the first token, time of each further token, and throughput for every row of a CSV file.

    Columns: id, model_path, system, precision, backend, isl, osl, batch_size, and where they are not 1 tp_size,
    pp_size, attention_dp_size, moe_tp_size, moe_ep_size, gpus. Each figure comes with an interval of 90 %. A model
    or system that is not known makes the row unknown, with the reason.
    """
    from steelyard.cli.size.rows import read_load
    from steelyard.sizing.speed import speeds
    from steelyard.sizing.terms import Load

    records = list(_records(rows))
    loads = [read_load(record) for record in records]
    answers = iter(speeds([load for load in loads if isinstance(load, Load)]))
    told = [
        _told(record["id"], next(answers) if isinstance(load, Load) else load)
        for record, load in zip(records, loads, strict=True)
    ]
    if as_json:
        document = {"schema_version": SCHEMA_VERSION, "rows": [_row(one) for one in told]}
        say_json(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in told:
        figures = ["" if figure is None else f"{figure:.6g}" for figure in one.figures] or [""] * (3 * len(FIGURES))
        writer.writerow([one.id, *figures, one.unknown, "; ".join(one.notes)])
    say(out.getvalue().rstrip("\n"))


def _records(path: Path) -> Iterator[Mapping[str, str]]:
    """Every row, checked; the first mistake ends it, with its line."""
    from steelyard.cli.size.rows import NEEDED, NUMBERS, number

    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(str(error), str(path)) from error
    reader = csv.DictReader(io.StringIO(text), strict=True)
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise _wrong(f"columns are missing: {', '.join(missing)}", f"{path}, line 1")
    try:
        for record in reader:
            if None in record or None in record.values():
                raise _wrong("the row has more or fewer cells than the head", f"{path}, line {reader.line_num}")
            for name in NUMBERS:
                value = number(record.get(name))
                if name != "batch_size" and value != int(value):
                    raise ValueError(f"{name} is {value:g}, not a whole number")
            yield record
    except (ValueError, csv.Error) as error:
        raise _wrong(str(error), f"{path}, line {reader.line_num}") from error


def _wrong(what: str, where: str) -> Exception:
    from steelyard.cli.size.rows import NEEDED, SPLITS
    from steelyard.errors import InputError, Problem

    return InputError(
        Problem(
            slug="bad-rows",
            what=what,
            where=where,
            allowed=f"a CSV file with a head: {', '.join(NEEDED)}; optional: {', '.join(SPLITS)}",
            next_step="put the row right and ask again",
        )
    )


def _told(id: str, answer: Speed | Unknown) -> Told:
    from steelyard.quantities import Unknown

    if isinstance(answer, Unknown):
        return Told(id, (), answer.reason, ())
    figures: list[float | None] = []
    for estimate, times in ((answer.ttft, 1e3), (answer.tpot, 1e3), (answer.output_tokens_per_second_per_gpu, 1.0)):
        figures += _three(estimate, times)
    return Told(id, tuple(figures), "", answer.notes)


def _three(estimate: Estimate | Unknown, times: float) -> tuple[float | None, float | None, float | None]:
    from steelyard.quantities import Unknown

    if isinstance(estimate, Unknown):
        return None, None, None
    inside = estimate.interval
    low, high = (estimate.value,) * 2 if isinstance(inside, Unknown) else (inside.low, inside.high)
    return estimate.value * times, low * times, high * times


def _row(one: Told) -> dict[str, object]:
    if one.unknown:
        return {"id": one.id, **dict.fromkeys(FIGURES), "unknown": one.unknown}
    names = [f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high")]
    return {"id": one.id, **dict(zip(names, one.figures, strict=True)), "notes": list(one.notes)}
