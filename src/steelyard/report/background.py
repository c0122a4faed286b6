"""How it was measured, and what the method can and cannot say."""

from __future__ import annotations

from steelyard.decision import Decision, Standing
from steelyard.quantities import Unknown
from steelyard.report import numbers
from steelyard.report.blocks import Block, Bullets, Cell, Fact, Facts, Section, Table
from steelyard.report.leaderboard import measured
from steelyard.report.numbers import count, listing
from steelyard.stats import Estimate

ODD_ROWS_SHOWN = 20


def background(decision: Decision) -> tuple[Section, ...]:
    """Data, settings and their choice, comparisons, versions, limits."""
    lines = measured(decision)
    blocks: list[Block] = [_data(decision)]
    if lines:
        blocks.append(_answers(lines))
    if any(line.dev_choices for line in lines):
        blocks.append(_dev(lines))
    if decision.comparisons:
        blocks.append(_comparisons(decision))
    how = Section("measured", "How it was measured", "", tuple(blocks))
    return (how, Section("method", "Method and limits", "", (Bullets(_method(decision, lines)),)))


def _data(decision: Decision) -> Facts:
    data = decision.data
    leaks = f"{count(data.exact_leaks, 'exact duplicate')} and {count(data.near_leaks, 'near duplicate')}"
    preference = ", ".join(f"{name} {weight * 100:.0f} %" for name, weight in decision.preference.items())
    versions = ", ".join(f"{name} {version}" for name, version in decision.versions.items())
    odd = data.odd_rows[:ODD_ROWS_SHOWN]
    if len(data.odd_rows) > len(odd):
        odd = (*odd, f"and {len(data.odd_rows) - len(odd)} more")
    rows = (
        ("Data", (f"{count(data.n_test, 'test sample')}, {count(data.n_dev, 'dev sample')}, "
                  f"{count(data.n_labels, 'label')}; fingerprint {data.fingerprint[:12] or numbers.UNKNOWN}",)),
        ("Leaks between dev and test", (leaks,)),
        ("Odd rows", odd or ("none",)),
        ("Looks at the test set", (f"{count(data.peeks, 'run')}, this one included",)),
        ("Requirements", ("; ".join(decision.requirements) or "none",)),
        ("Preference", (preference or "not stated",)),
        ("Workload", (decision.workload,)),
        ("Privacy", (decision.privacy,)),
        ("Intended use", (decision.intended_use,)),
        ("Order for serving", (", then ".join(decision.fallback_order) or "nobody passed",)),
        ("Versions", (versions or numbers.UNKNOWN,)),
    )  # fmt: skip
    return Facts(tuple(Fact(term, tuple(text for text in texts if text)) for term, texts in rows))


def _answers(lines: list[Standing]) -> Table:
    rows = []
    for line in lines:
        failed = ", ".join(f"{number} x {kind}" for kind, number in line.failures.items())
        rows.append(
            (
                Cell(line.name, note=line.candidate),
                Cell(line.settings or "as it is"),
                Cell(numbers.value(line.strict_rate), numeric=True),
                Cell(numbers.value(line.lenient_rate), numeric=True),
                Cell(numbers.value(line.unparseable_rate), numeric=True),
                Cell(numbers.value(line.ttft_p95), numeric=True),
                Cell(numbers.value(line.throughput_per_second), numeric=True),
                Cell(failed or "none"),
                Cell(", ".join(line.served_models) or numbers.UNKNOWN),
            )
        )
    head = (
        "Candidate", "Settings", "Exactly a label", "With a label", "No label",
        "First token, p95", "Throughput", "Failed calls", "Reported as",
    )  # fmt: skip
    return Table("How each candidate ran and answered", head, tuple(rows))


def _dev(lines: list[Standing]) -> Table:
    rows = tuple(
        (
            Cell(line.name),
            Cell(f"{choice.shots}", numeric=True),
            Cell(choice.calibration),
            Cell(numbers.percent(choice.accuracy), numeric=True),
            Cell(f"{choice.n}", numeric=True),
            Cell("chosen" if choice.chosen else ""),
        )
        for line in lines
        for choice in line.dev_choices
    )
    head = ("Candidate", "Shots", "Calibration", "Dev accuracy", "n", "Choice")
    return Table("Settings were chosen on dev, never on test", head, rows)


def _comparisons(decision: Decision) -> Table:
    names = {line.candidate: line.name for line in decision.standings}
    rows = []
    for pair in decision.comparisons:
        span = numbers.interval(pair.difference)
        rows.append(
            (
                Cell(names.get(pair.first, pair.first)),
                Cell(names.get(pair.second, pair.second)),
                Cell(numbers.points(pair.difference.value), note=span, numeric=True),
                Cell(numbers.p_value(pair.p_value), numeric=True),
                Cell(numbers.p_value(pair.p_adjusted), numeric=True),
                Cell("yes" if pair.separable else "no"),
            )
        )
    head = ("First", "Second", "First minus second", "p", "p, Holm", "Told apart")
    return Table("Paired comparisons on the same samples", head, tuple(rows))


def _method(decision: Decision, lines: list[Standing]) -> tuple[str, ...]:
    said: list[str] = []
    qualities = [line.quality for line in lines if isinstance(line.quality, Estimate)]
    if qualities:
        methods = sorted(
            {f"{quality.method} at {numbers.level(quality)}" for quality in qualities if numbers.level(quality)}
        )
        if methods:
            said.append(f"Intervals of {decision.metric}: {listing(methods)}.")
        half = max((_half(quality) for quality in qualities), default=0.0)
        if half and qualities[0].unit == "share":
            said.append(
                f"With {count(decision.data.n_test, 'test sample')} the {decision.metric} of one candidate is known to "
                f"about {half * 100:.0f} points either way; smaller differences need more samples."
            )
    said += _latency_method(lines)
    if decision.comparisons:
        methods = sorted({pair.difference.method for pair in decision.comparisons})
        said.append(
            f"Differences are paired on the same samples ({listing(methods)}); p-values are corrected by Holm over "
            f"{count(len(decision.comparisons), 'comparison')}."
        )
    said.append("Costs are projections from measured usage and dated prices, not bills.")
    said.append("Licence verdicts are terms applied by rule to the stated use; they are not legal advice.")
    return tuple(said)


def _latency_method(lines: list[Standing]) -> list[str]:
    known = [line.latency_p95 for line in lines if isinstance(line.latency_p95, Estimate)]
    if not known:
        return []
    numbers_of = sorted({f"{latency.n:,}" for latency in known if latency.n is not None})
    methods = sorted({latency.method for latency in known})
    lags = [line.loop_lag.value for line in lines if isinstance(line.loop_lag, Estimate)]
    late = f" This machine read 19 of 20 answers at most {numbers.figure(max(lags), 'seconds')} late." if lags else ""
    return [
        f"Latency: {listing(numbers_of) or 'an unknown number of'} timed requests a candidate ({' / '.join(methods)})."
        + late
    ]


def _half(estimate: Estimate) -> float:
    if isinstance(estimate.interval, Unknown):
        return 0.0
    return (estimate.interval.high - estimate.interval.low) / 2
