"""Do intervals cover, tests keep their error, and forecasts come true? By simulation from known truth.

    python benchmarks/intervals.py [--runs 2000]

Every line is one kind of data at one size; each run draws its own truth from the band that the line names, because with
scores of 0 and 1 the coverage at one single truth jumps (with 10 items and 2 % wrong it can only be 82 or 98 %).
Bars: intervals at 95 % cover 93 to 97 % of the truths; at most 5 % of studies make one false claim or more; a forecast
chance is within 5 points of what happens. A line is outside when it is so by more than two standard errors of the
simulation (0.5 points each at 2,000 runs). Exit code 1 if a line is. Lines marked "at least" may cover more: with so
few answers of so few kinds no interval covers less without covering too little elsewhere.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from scipy.stats import norm

from steelyard.stats import Estimate, Interval, holm, mean, paired_difference, quantile, wilson
from steelyard.stats.corpus import corpus_difference, corpus_metric, macro_f1
from steelyard.stats.noninferiority import NonInferiority, noninferiority
from steelyard.stats.paired import PairedDifference
from steelyard.stats.power import chance_to_separate, more_items, power
from steelyard.stats.repeats import Repeats, repeats
from steelyard.stats.slices import shrunken

LOW, HIGH, FALSE = 0.93, 0.97, 0.05
SIZES = (10, 20, 50)
BANDS = {"middle": (0.3, 0.8), "near 1": (0.9, 0.99), "near 0": (0.01, 0.1)}
Random = np.random.Generator
Study = Callable[[Random], Iterator[bool]]


def covers(estimate: object, truth: float) -> bool:
    """Whether the interval holds the truth; no interval is a miss."""
    estimate = estimate.estimate if isinstance(estimate, PairedDifference) else estimate
    assert isinstance(estimate, Estimate)
    assert isinstance(estimate.interval, Interval), estimate.interval
    return estimate.interval.low - 1e-9 <= truth <= estimate.interval.high + 1e-9


def answers(random: Random, truths: list[float], sizes: np.ndarray, alike: float) -> list[np.ndarray]:
    """Right or wrong by model and item: hard items are hard for all; `alike` is what items of a cluster share."""
    n = int(sizes.sum())
    group = np.repeat(np.arange(len(sizes)), sizes)
    hard = random.normal(size=n)
    found = []
    for truth in truths:
        own = math.sqrt(0.6) * hard + math.sqrt(0.4) * random.normal(size=n)
        shared = random.normal(size=len(sizes))[group]
        found.append((math.sqrt(alike) * shared + math.sqrt(1 - alike) * own < norm.ppf(truth)).astype(float))
    return found


def graded(random: Random, truth: float, n: int, hard: np.ndarray) -> np.ndarray:
    """Scores of 0, 1/4, ... 1 with this mean: four tries at one item, all as hard as it is."""
    tries = [0.7 * hard + math.sqrt(0.51) * random.normal(size=n) < norm.ppf(truth) for _ in range(4)]
    return np.mean(tries, axis=0)


def unequal(random: Random, clusters: int) -> np.ndarray:
    """Sizes of clusters: most are small, some are not."""
    return 1 + random.geometric(0.2, size=clusters)


def share(n: int, band: tuple[float, float]) -> Study:
    """One accuracy from scores of 0 and 1."""

    def study(random: Random) -> Iterator[bool]:
        truth = random.uniform(*band)
        yield covers(wilson(int(random.binomial(n, truth)), n), truth)

    return study


def grades(n: int, band: tuple[float, float]) -> Study:
    """One mean of graded scores."""

    def study(random: Random) -> Iterator[bool]:
        truth = random.uniform(*band)
        yield covers(mean(list(graded(random, truth, n, random.normal(size=n))), "share"), truth)

    return study


def clustered_share(clusters: int, band: tuple[float, float]) -> Study:
    """One accuracy where items come in clusters of unlike sizes."""

    def study(random: Random) -> Iterator[bool]:
        truth, sizes = random.uniform(*band), unequal(random, clusters)
        (scores,) = answers(random, [truth], sizes, 0.3)
        yield covers(mean(list(scores), "share", clusters=list(np.repeat(np.arange(clusters), sizes))), truth)

    return study


def pair(n: int, band: tuple[float, float], gap: float, kind: str) -> Study:
    """A paired difference: scores of 0 and 1, graded ones, or 0 and 1 in n clusters."""

    def study(random: Random) -> Iterator[bool]:
        best = random.uniform(*band)
        truths = [best, max(0.001, best - gap * random.uniform())]
        sizes = unequal(random, n) if kind == "clustered" else np.ones(n, dtype=int)
        if kind == "graded":
            hard = random.normal(size=n)
            first, second = (graded(random, truth, n, hard) for truth in truths)
        else:
            first, second = answers(random, truths, sizes, 0.3 if kind == "clustered" else 0.0)
        groups = list(np.repeat(np.arange(n), sizes)) if kind == "clustered" else None
        yield covers(paired_difference(list(first), list(second), groups), truths[0] - truths[1])

    return study


def part(n: int, whole: int) -> Study:
    """The difference over a finite set of which n items were answered."""

    def study(random: Random) -> Iterator[bool]:
        best = random.uniform(0.5, 0.95)
        first, second = answers(random, [best, best - 0.1 * random.uniform()], np.ones(whole, dtype=int), 0.0)
        got = noninferiority(list(first[:n]), list(second[:n]), 0.02, population=whole)
        assert isinstance(got, NonInferiority)
        yield covers(got.items, float((first - second).mean()))

    return study


def quantiles(n: int, q: float) -> Study:
    """A latency quantile, log-normal."""

    def study(random: Random) -> Iterator[bool]:
        yield covers(quantile(list(random.lognormal(0, 0.7, n)), q, "seconds"), math.exp(0.7 * norm.ppf(q)))

    return study


def macro(n: int, classes: int, paired: bool) -> Study:
    """Macro-F1 over classes of unlike accuracy, alone or as a paired difference."""

    def study(random: Random) -> Iterator[bool]:
        tables = []
        for _ in range(2):
            right = np.clip(0.8 + 0.1 * random.normal(size=classes), 0.3, 0.99)
            off = random.dirichlet(np.full(classes, 0.5), size=classes)
            np.fill_diagonal(off, 0)
            tables.append(off / off.sum(1, keepdims=True) * (1 - right)[:, None] + np.diag(right))
        truths = [float(np.mean(2 * np.diag(t) / (t.sum(0) + 1))) for t in tables]
        target = random.integers(0, classes, n)
        draws = np.where(random.random(n) < 0.5, random.random((1, n)), random.random((2, n)))
        first, second = (
            list(map(str, (np.cumsum(t[target], 1) < u[:, None]).sum(1))) for t, u in zip(tables, draws, strict=True)
        )
        named = list(map(str, target))
        if paired:
            yield covers(corpus_difference(macro_f1, named, first, second), truths[0] - truths[1])
        else:
            yield covers(corpus_metric(macro_f1, named, first), truths[0])

    return study


def slices(parts: int, spread: float) -> Study:
    """Shrunken accuracies of parts of very unlike sizes."""

    def study(random: Random) -> Iterator[bool]:
        centre = random.uniform(0.5, 0.85)
        truths = np.clip(centre + spread * random.normal(size=parts), 0.02, 0.98)
        sizes = np.maximum(2, random.geometric(1 / 40, size=parts))
        values = [float(random.random() < truths[k]) for k in range(parts) for _ in range(sizes[k])]
        names = [str(k) for k in range(parts) for _ in range(sizes[k])]
        raw = {str(k): wilson(1, 2) for k in range(parts)}
        for found, truth in zip(shrunken(values, names, raw), truths, strict=True):
            yield covers(found.shrunk, float(truth))

    return study


def repeated(items: int, times: int) -> Study:
    """The mean over traffic and over these very items, each answered several times."""

    def study(random: Random) -> Iterator[bool]:
        truth = random.uniform(0.3, 0.9)
        chance = random.beta(2 * truth, 2 * (1 - truth), items)
        got = repeats((random.random((items, times)) < chance[:, None]).astype(float).tolist())
        assert isinstance(got, Repeats)
        yield covers(got.traffic, truth)
        if isinstance(got.items.interval, Interval):
            yield covers(got.items, float(chance.mean()))

    return study


def family(models: int, n: int, band: tuple[float, float], kind: str) -> Study:
    """All models are equally good: does any pair pass for different (Holm over all pairs)?"""

    def study(random: Random) -> Iterator[bool]:
        truth = random.uniform(*band)
        sizes = unequal(random, n) if kind == "clustered" else np.ones(n, dtype=int)
        groups = list(np.repeat(np.arange(n), sizes)) if kind == "clustered" else None
        if kind == "graded":
            hard = random.normal(size=n)
            scores = [graded(random, truth, n, hard) for _ in range(models)]
        else:
            scores = answers(random, [truth] * models, sizes, 0.3 if kind == "clustered" else 0.0)
        pairs = [paired_difference(list(a), list(b), groups) for a, b in combinations(scores, 2)]
        yield min(holm([pair.p_value for pair in pairs if isinstance(pair, PairedDifference)])) < 0.05

    return study


def just_inferior(n: int, band: tuple[float, float], kind: str) -> Study:
    """Worse by exactly the margin of 5 points: is it claimed to be within it?"""

    def study(random: Random) -> Iterator[bool]:
        truth = random.uniform(*band)
        sizes = unequal(random, n) if kind == "clustered" else np.ones(n, dtype=int)
        groups = list(np.repeat(np.arange(n), sizes)) if kind == "clustered" else None
        best, other = answers(random, [truth, truth - 0.05], sizes, 0.3 if kind == "clustered" else 0.0)
        got = noninferiority(list(other), list(best), 0.05, groups)
        assert isinstance(got, NonInferiority)
        yield got.p_traffic < 0.05

    return study


def coverage() -> Iterator[tuple[str, Study, bool]]:
    """Name, study, and whether more than 97 % is accepted."""
    for n in SIZES:
        for name, band in BANDS.items():
            yield f"share, {name}, n = {n}", share(n, band), n < 50 and name != "middle"
        for name in ("middle", "near 1"):
            few = name == "near 1" and n < 50
            yield f"graded mean, {name}, n = {n}", grades(n, BANDS[name]), few
            yield f"share in {n} clusters, {name}", clustered_share(n, BANDS[name]), few
            for kind in ("0/1", "graded", "clustered"):
                where = f"{n} clusters" if kind == "clustered" else f"n = {n}"
                yield f"difference, {kind}, tied, {name}, {where}", pair(n, BANDS[name], 0.0, kind), few or n < 20
                yield (
                    f"difference, {kind}, gap to 20 points, {name}, {where}",
                    pair(n, BANDS[name], 0.2, kind),
                    few or n < 20,
                )
    for n, whole in ((20, 40), (50, 60), (100, 400)):
        yield f"these {whole} items, {n} of them answered", part(n, whole), n == 20
    for n, q in ((20, 0.5), (60, 0.95), (300, 0.95)):
        yield f"latency, quantile {q:g}, n = {n}", quantiles(n, q), True
    for n, classes in ((50, 5), (100, 10), (400, 20)):
        yield f"macro-F1, {classes} classes, n = {n}", macro(n, classes, False), False
        yield f"difference of macro-F1, {classes} classes, n = {n}", macro(n, classes, True), False
    for parts in (3, 6, 20):
        for spread in (0.0, 0.05, 0.15):
            yield f"{parts} slices, {100 * spread:.0f} points apart, shrunken", slices(parts, spread), spread == 0
    for items, times in ((20, 3), (100, 2)):
        yield f"{items} items, {times} answers each", repeated(items, times), False


def errors() -> Iterator[tuple[str, Study]]:
    """Studies in which every claim is false."""
    for n in SIZES:
        for name in ("middle", "near 1"):
            for kind in ("0/1", "graded", "clustered"):
                where = f"{n} clusters" if kind == "clustered" else f"n = {n}"
                yield f"5 models alike, {kind}, {name}, {where}: any told apart", family(5, n, BANDS[name], kind)
    for n in (50, 200):
        for kind in ("0/1", "clustered"):
            yield f"5 points worse, {kind}, {n}: within 5 points", just_inferior(n, (0.6, 0.95), kind)


def forecasts(random: Random, runs: int) -> Iterator[tuple[str, float, float, int]]:
    """Name, chance as told, how often it came true, in how many runs."""
    for n, gap in ((100, 0.12), (400, 0.05)):
        told = power(n, gap, 0.25)
        shares = [(0.25 + gap) / 2, (0.25 - gap) / 2, 0.75]
        wins, losses, _ = random.multinomial(n, shares, size=runs).T
        hit = (np.abs(wins - losses) > 1.959964 * np.sqrt(wins + losses)).mean()
        yield f"power of {n} items for {100 * gap:.0f} points", told, float(hit), runs
    told_of, came = [], []
    for run in range(runs):
        shares = random.dirichlet(((1, 1, 6), (2, 2, 12), (4, 4, 24))[run % 3])  # some pairs differ more than others
        wins, losses, _ = random.multinomial(100, shares)
        if abs(wins - losses) > 1.96 * math.sqrt(wins + losses):
            continue
        more = more_items(int(wins), int(losses), 100, seed=run)
        if more is None or more > 20_000:
            continue
        told_of.append(chance_to_separate(int(wins), int(losses), 100, more, seed=run + 1))
        new = random.multinomial(more, shares)
        up, down = wins + new[0], losses + new[1]
        came.append(abs(up - down) > 1.96 * math.sqrt(up + down))
    yield "so many more items separate the two", float(np.mean(told_of)), float(np.mean(came)), len(came)


def main() -> int:
    """Prints a line a kind of data; those outside the bar are marked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--only", default="", help="Lines whose name holds this text")
    asked = parser.parse_args()
    outside = lines = 0
    for number, (name, study, more) in enumerate(coverage()):
        if asked.only not in name:
            continue
        random = np.random.default_rng((2026, number))
        runs = asked.runs // 4 if "macro" in name or "slices" in name else asked.runs
        found = [hit for _ in range(runs) for hit in study(random)]
        got, error = float(np.mean(found)), math.sqrt(0.05 * 0.95 / runs)
        wrong = got < LOW - 2 * error or (got > HIGH + 2 * error and not more)
        outside, lines = outside + wrong, lines + 1
        note = "at least 93" if more else "93 to 97"
        print(f"{100 * got:6.1f} %  {note:12} {'OUTSIDE ' if wrong else ''}{name} ({runs:,} runs)", flush=True)
    for number, (name, study) in enumerate(errors()):
        if asked.only not in name:
            continue
        random = np.random.default_rng((2027, number))
        got = float(np.mean([hit for _ in range(asked.runs) for hit in study(random)]))
        wrong = got > FALSE + 2 * math.sqrt(0.05 * 0.95 / asked.runs)
        outside, lines = outside + wrong, lines + 1
        print(
            f"{100 * got:6.1f} %  {'at most 5':12} {'OUTSIDE ' if wrong else ''}{name} ({asked.runs:,} runs)",
            flush=True,
        )
    for name, told, came, runs in forecasts(np.random.default_rng(2028), asked.runs) if not asked.only else ():
        wrong = abs(told - came) > 0.05 + 2 * math.sqrt(told * (1 - told) / runs)
        outside, lines = outside + wrong, lines + 1
        print(
            f"{100 * came:6.1f} %  {f'told {100 * told:.1f}':12} {'OUTSIDE ' if wrong else ''}{name} ({runs:,} runs)",
            flush=True,
        )
    print(f"{lines} lines, {outside} outside")
    return int(outside > 0)


if __name__ == "__main__":
    sys.exit(main())
