"""Fit the roofline's constants and say how far it is off on models it has not seen.

    python benchmarks/throughput.py --data silicon_dev.csv        # the backtest: leave one model (system, engine) out
    python benchmarks/throughput.py --data silicon_dev.csv --fit  # rewrite src/steelyard/sizing/constants.toml

Needs scipy for the fit. Errors count against each measurement: |estimate / measured - 1|.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
import tomllib
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steelyard.cli.size.rows import read_load
from steelyard.quantities import Unknown
from steelyard.sizing.roofline import Constants, Numbers, Terms, served, stack, take
from steelyard.sizing.speed import margins
from steelyard.sizing.terms import Load, terms

FILE = Path(__file__).parents[1] / "src" / "steelyard" / "sizing" / "constants.toml"
WEIGHT = 40.0
"""What all rows together weigh against the starting values: rows of one model on one machine tell much the same."""
TPOT_SCALE, TTFT_SCALE, TTFT_SHARE = 0.15, 0.5, 0.3
FASTER_THAN_PLAIN = 3.0
"""Latent models were also measured with drafting, unrecorded: that they are faster than estimated counts a third."""


@dataclass(frozen=True)
class Data:
    loads: list[Load]
    rows: Terms[Numbers]
    models: NDArray[np.str_]
    systems: NDArray[np.str_]
    engines: NDArray[np.str_]
    ttft: Numbers
    tpot: Numbers
    drafted: Numbers


def read(path: Path) -> Data:
    loads, rows, ttft, tpot = [], [], [], []
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            load = read_load(row)
            if isinstance(load, Unknown):
                raise SystemExit(f"{row['id']}: {load.reason}")
            one = terms(load)
            if isinstance(one, Unknown):
                raise SystemExit(f"{row['id']}: {one.reason}")
            loads.append(load)
            rows.append(one)
            ttft.append(float(row["silicon_ttft_ms"]) / 1e3)
            tpot.append(float(row["silicon_tpot_ms"]) / 1e3)
    m = margins()
    return Data(
        loads,
        stack(rows),
        np.array([load.model.id for load in loads]),
        np.array([load.accelerator.id for load in loads]),
        np.array([load.backend for load in loads]),
        np.array(ttft),
        np.array(tpot),
        np.array([m.drafted if load.model.id.startswith(m.drafting) else 1.0 for load in loads]),
    )


def fit(data: Data, chosen: NDArray[np.bool_]) -> Constants:
    from scipy.optimize import least_squares

    raw = tomllib.loads(FILE.read_text())["constants"]
    names = [part.name for part in fields(Constants)]
    start = np.log([raw[name]["start"] for name in names])
    spread = np.array([raw[name]["spread"] for name in names])
    rows, models = take(data.rows, chosen), data.models[chosen]
    counts = dict(zip(*np.unique(models, return_counts=True), strict=True))
    weight = np.array([1 / np.sqrt(counts[model]) for model in models])
    weight *= WEIGHT / weight.sum()
    latent = rows.latent_layers > 0

    def tame(off: Numbers) -> Numbers:
        return np.sign(off) * np.sqrt(np.log1p(off**2) * weight)

    def misses(values: Numbers) -> Numbers:
        ttft, tpot = served(rows, Constants(*np.exp(values)))
        off = np.log(tpot / data.tpot[chosen])
        off = np.where(latent & (off > 0), off / FASTER_THAN_PLAIN, off)
        first = np.log(ttft / data.ttft[chosen])
        return np.concatenate(
            [tame(off / TPOT_SCALE), TTFT_SHARE * tame(first / TTFT_SCALE), (values - start) / spread]
        )

    found = least_squares(misses, start, max_nfev=60)
    return Constants(*(float(value) for value in np.exp(found.x)))


def left_out(data: Data, groups: NDArray[np.str_]) -> tuple[Numbers, Numbers]:
    """Every row by constants fitted without its group."""
    ttft, tpot = np.zeros(len(groups)), np.zeros(len(groups))
    for group in np.unique(groups):
        found = fit(data, groups != group)
        chosen = groups == group
        ttft[chosen], tpot[chosen] = served(take(data.rows, chosen), found)
    return ttft, tpot * data.drafted


def halves(off: Numbers, models: NDArray[np.str_]) -> dict[str, float]:
    """For each model the half width that the other models' misses ask for."""
    return {model: max(float(np.quantile(np.abs(off[models != model]), 0.92)), FLOOR) for model in np.unique(models)}


FLOOR = 0.6
"""Three models are few: never narrower, whatever the rows say."""


def table(data: Data, groups: NDArray[np.str_], ttft: Numbers, tpot: Numbers, title: str) -> None:
    miss, first = np.abs(tpot / data.tpot - 1), np.abs(np.log(ttft / data.ttft))
    off = np.log(data.tpot / tpot)
    half = halves(off, data.models)
    width = np.array([half[model] for model in data.models])
    print(f"\n{title:24}   rows  TPOT median   p90   90 % covers  width  TTFT within 2x")
    for group in [*np.unique(groups), "all"]:
        at = groups == group if group != "all" else np.ones(len(groups), dtype=bool)
        print(
            f"{group:24} {at.sum():6d} {np.median(miss[at]):11.1%} {np.quantile(miss[at], 0.9):6.1%}"
            f" {np.mean(np.abs(off[at]) <= width[at]):12.1%} {np.median(np.exp(2 * width[at])):6.2f}"
            f" {np.mean(first[at] <= np.log(2)):14.1%}"
        )


def pairs(data: Data, ttft: Numbers, tpot: Numbers) -> None:
    """Of two configurations of one model under one load, more than 25 % apart: how often the faster one is told."""
    answer = np.array([load.osl for load in data.loads])
    per = np.array([load.batch * load.osl / (load.gpus or load.parallel.gpus) for load in data.loads])
    figures = {
        "by seconds a token": (data.tpot, tpot),
        "by tokens a second and accelerator": tuple(
            -np.log(per / (a + (answer - 1) * b)) for a, b in ((data.ttft, data.tpot), (ttft, tpot))
        ),
    }
    groups: dict[tuple[object, ...], list[int]] = {}
    for at, load in enumerate(data.loads):
        groups.setdefault((load.model.id, load.isl, load.osl, load.batch), []).append(at)
    for name, (real, told) in figures.items():
        real, told = (np.log(real), np.log(told)) if "seconds a token" in name else (real, told)
        right = apart = same = 0
        for members in groups.values():
            for a, b in combinations(members, 2):
                if abs(real[a] - real[b]) > np.log(1.25):
                    if abs(told[a] - told[b]) < 1e-9:
                        same += 1
                        continue
                    apart += 1
                    right += (real[a] > real[b]) == (told[a] > told[b])
        print(
            f"faster of two, {name}: {right / apart:.1%} of {apart}; {same} more pairs are the same configuration twice"
        )


def noise(data: Data) -> None:
    """The same configuration measured more than once."""
    groups: dict[tuple[object, ...], set[float]] = {}
    for load, tpot in zip(data.loads, data.tpot, strict=True):
        p = load.parallel
        key = (load.model.id, load.accelerator.id, load.precision, load.backend, load.isl, load.osl, load.batch, p)
        groups.setdefault(key, set()).add(float(tpot))
    several = [sorted(values) for values in groups.values() if len(values) > 1]
    ratios = [values[-1] / values[0] for values in several]
    if ratios:
        print(
            f"\nmeasured again with another outcome: {len(ratios)} configurations, "
            f"slowest/fastest median {np.median(ratios):.2f}, largest {max(ratios):.2f}"
        )


def write(data: Data, path: Path, source: Path, ttft: Numbers, tpot: Numbers) -> None:
    found = fit(data, np.ones(len(data.tpot), dtype=bool))
    text, digest = path.read_text().splitlines(), hashlib.sha256(source.read_bytes()).hexdigest()
    half = {
        "tpot": max(np.quantile(np.abs(np.log(data.tpot / tpot)), 0.92), FLOOR),
        "ttft": np.quantile(np.abs(np.log(data.ttft / ttft)), 0.90),
    }
    section, out = "", []
    for line in text:
        section = line.strip("[]") if line.startswith("[") else section
        name = section.removeprefix("constants.")
        if line.startswith("value = ") and section.startswith("constants."):
            line = f"value = {getattr(found, name):.4g}"
        for key, value in half.items():
            if section == "interval" and line.startswith(f"{key} = "):
                line = f"{key} = {value:.3f}"
        if section == "fit" and line.startswith("sha256 = "):
            line = f'sha256 = "{digest}"'
        if section == "fit" and line.startswith("rows = "):
            line = f"rows = {len(data.tpot)}"
        if section == "fit" and line.startswith("as_of = "):
            line = f'as_of = "{datetime.now(UTC).date().isoformat()}"'
        out.append(line)
    path.write_text("\n".join(out) + "\n")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--data", type=Path, required=True)
    ask.add_argument("--fit", action="store_true")
    given = ask.parse_args()
    data = read(given.data)
    ttft, tpot = left_out(data, data.models)
    table(data, data.models, ttft, tpot, "without the model")
    pairs(data, ttft, tpot)
    for title, groups in (("without the system", data.systems), ("without the engine", data.engines)):
        table(data, groups, *left_out(data, groups), title)
    noise(data)
    if given.fit:
        write(data, FILE, given.data, ttft, tpot)
        print(f"wrote {FILE}", file=sys.stderr)


if __name__ == "__main__":
    main()
