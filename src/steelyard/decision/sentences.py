"""The wording: how numbers and outcomes are said in plain English."""

from __future__ import annotations

import math
from collections.abc import Sequence

from steelyard.costs import Cost
from steelyard.decision.record import Comparison, Standing
from steelyard.licences import Verdict
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Estimated
from steelyard.usecase import Privacy, Requirement, Use, Workload

CUSTODY = {"own": "your own machines", "contracted": "a contracted processor", "any": "a third party"}
MOST_DIGITS = 6
FIGURE = {
    "latency_p50": "half of the answers within {}",
    "latency_p95": "95 % of the answers within {}",
    "ttft_p95": "95 % of the first tokens within {}",
    "cost_per_month": "{} a month",
    "cost_per_1000": "{} per 1,000 requests",
}
"""How each metric of `require` is said; any other metric is a share of right answers."""


def percent(share: float) -> str:
    """One digit, and more where the share would look like none or all.

    >>> percent(0.7125), percent(0.6), percent(0.0004), percent(0.9996)
    ('71.2 %', '60 %', '0.04 %', '99.96 %')
    """
    digits = 1
    while 0 < share < 1 and digits < MOST_DIGITS and float(f"{100 * share:.{digits}f}") in (0, 100):
        digits += 1
    return f"{_trimmed(f'{100 * share:.{digits}f}')} %"


def points(share: float, signed: bool = False) -> str:
    """A difference of shares in percentage points: 0.012 -> "1.2"."""
    return _trimmed(f"{100 * share:{'+' if signed else ''}.1f}")


def usd(amount: float) -> str:
    """US dollars: whole above ten, cents above one, two significant digits below.

    >>> usd(70.128), usd(2.349), usd(0.1152), usd(0.05), usd(0.0045), usd(0.0), usd(3000.4)
    ('$70', '$2.35', '$0.12', '$0.05', '$0.0045', '$0', '$3,000')
    """
    if amount == 0:
        return "$0"
    size = abs(amount)
    sign = "-" if amount < 0 else ""
    if size >= 9.995:
        return f"{sign}${size:,.0f}"
    digits = 2 if size >= 0.0995 else 1 - math.floor(math.log10(size))
    text = f"{size:.{digits}f}"
    return f"{sign}${text.removesuffix('0') if digits > 2 else text}"


def seconds(value: float) -> str:
    """A latency: milliseconds below ten seconds, one significant digit below a tenth of one.

    >>> seconds(0.0019), seconds(0.091), seconds(1.45), seconds(12.34), seconds(0.00004), seconds(0.0)
    ('1.9 ms', '91 ms', '1,450 ms', '12.3 s', '0.04 ms', '0 ms')
    """
    if value >= 10:
        return f"{value:,.1f} s"
    milliseconds = value * 1000
    if milliseconds >= 9.95 or not milliseconds:
        return f"{milliseconds:,.0f} ms"
    digits = 1 if milliseconds >= 0.095 else -math.floor(math.log10(milliseconds))
    return f"{milliseconds:.{digits}f} ms"


def p_value(p: float) -> str:
    """Such as "p = 0.012", or "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Such as "A", "A and B", "A, B and C"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def counted(number: int, noun: str) -> str:
    """Such as "1 sample", "240 samples"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def full_name(line: Standing) -> str:
    """Id and name: "linear (TF-IDF + linear model)"."""
    return line.candidate if line.candidate == line.name else f"{line.candidate} ({line.name})"


def figure(metric: str, value: float) -> str:
    """A value of one of the metrics of `require`, said with its unit."""
    if metric.startswith(("latency", "ttft")):
        return seconds(value)
    return usd(value) if metric.startswith("cost") else percent(value)


def said(metric: str, value: float) -> str:
    """A measured value as a phrase: "95 % of the answers within 340 ms", "71.2 % right"."""
    return FIGURE.get(metric, "{} right").format(figure(metric, value))


def limit(requirement: Requirement) -> str:
    """Such as "accuracy >= 60 %"."""
    return f"{requirement.metric} {requirement.op} {figure(requirement.metric, requirement.limit)}"


def too_late(line: Standing) -> str:
    """By how much this machine may have made a candidate look slow."""
    lag, p50 = line.loop_lag, line.latency_p50
    late = seconds(lag.value) if isinstance(lag, Estimate) else "an unknown time"
    median = seconds(p50.value) if isinstance(p50, Estimate) else "an unknown time"
    return f"this machine read its answers up to {late} late, and half of them took {median} or less"


def gate_sentence(requirement: Requirement, value: float) -> str:
    """What was measured, by how much it missed, and what was asked for."""
    metric, asked = requirement.metric, figure(requirement.metric, requirement.limit)
    if metric in FIGURE:
        distance = figure(metric, abs(value - requirement.limit))
    else:  # of the rounded value, so that the sentence adds up
        distance = f"{points(abs(round(100 * value, 1) / 100 - requirement.limit))} points"
        if distance == "0 points" and value != requirement.limit:
            distance = "less than 0.1 points"
    floor = requirement.op in (">=", ">")
    if requirement.passes(value):
        side = f"{distance} above the {asked} asked for" if floor else f"{distance} inside the limit of {asked}"
    else:
        side = f"{distance} short of the {asked} asked for" if floor else f"{distance} over the limit of {asked}"
    return sentence(f"{said(metric, value)}, {side}")


def interval_words(estimate: Estimate) -> str:
    """Such as "65.2 to 76.6 %", or why there is none."""
    if isinstance(estimate.interval, Unknown):
        return f"no interval: {estimate.interval.reason}"
    return f"{points(estimate.interval.low)} to {percent(estimate.interval.high)}"


def cost_words(cost: Cost | Unknown, workload: Workload | Unknown) -> str:
    """The cost as a phrase; the monthly one where it is known."""
    if isinstance(cost, Unknown):
        return f"cost unknown ({cost.reason})"
    if isinstance(cost.per_month, Estimate) and isinstance(workload, Workload):
        machines = f" for {counted(cost.replicas, 'rented machine')}" if cost.replicas else ""
        return f"about {usd(cost.per_month.value)} a month{machines} at {workload.requests_per_day:,.0f} requests a day"
    if isinstance(cost.per_1000, Estimate):
        return f"about {usd(cost.per_1000.value)} per 1,000 requests"
    return f"cost unknown ({cost.per_1000.reason})"


def licence_words(line: Standing) -> str:
    """The licence as a phrase: its name, and how many duties come with it. A baseline is the team's own work."""
    verdict = line.licence
    name = verdict.licence_name or verdict.licence_id or "none named"
    terms = f"{name}, {verdict.status}"
    if verdict.duties:
        terms += f" with {counted(len(verdict.duties), 'condition')}"
    if line.is_language_model:
        return f"licence: {terms}"
    return f"fitted on your own data, so that no model's licence applies (its software: {terms})"


def edition(name: str, revision: str) -> str:
    """Which text of a licence it is, unless its name says so already.

    >>> edition("Gemma", "2025-03-24"), edition("BSD", "1.0"), edition("Apache License 2.0", "2.0")
    ('revision 2025-03-24', 'version 1.0', '')
    """
    if not revision or revision in name.split():
        return ""
    return f"{'revision' if '-' in revision else 'version'} {revision}"


def read_on(licence: Verdict) -> str:
    """When the terms were read; of terms from which no clause is cited, that they were only looked up."""
    if not licence.as_of:
        return ""
    if licence.licence_name in licence.not_read or not any(reason.clause for reason in licence.reasons):
        return f"looked up on {licence.as_of}, not read"
    return f"read on {licence.as_of}"


def right(quality: Estimated) -> str:
    """Such as "71.2 % right"; of an unknown quality the reason."""
    return f"{percent(quality.value)} right" if isinstance(quality, Estimate) else quality.reason


def difference_words(comparison: Comparison, first: str, second: str, pairs: int) -> str:
    """Who is ahead by how much, with the interval; and why a difference outside zero may not be enough.

    `pairs`: how many differences the study looks at. Among many, one outside zero is to be expected by chance.
    """
    difference, interval = comparison.difference, comparison.difference.interval
    side = "above" if difference.value > 0 else "below"
    words = f"{first} is {points(abs(difference.value))} points {side} {second}"
    if difference.value == 0:
        words = f"{first} and {second} are right equally often"
    if isinstance(interval, Unknown):
        return words
    low, high = points(interval.low, signed=True), points(interval.high, signed=True)
    level = f"{100 * interval.level:g} %"
    if interval.low <= 0 <= interval.high:
        return f"{words}, {level} interval of the difference {low} to {high}"
    return (
        f"{words}; taken alone that would do ({level} interval {low} to {high}), but {pairs} pairs were compared, "
        f"and among so many such a difference may well be chance (adjusted {p_value(comparison.p_adjusted)})"
    )


def against(comparison: Comparison | None, better: bool) -> str:
    """How a second candidate stands to the winner: "it is clearly worse (p = 0.01)"."""
    if comparison is None:
        return "the two have no sample in common"
    if not comparison.separable:
        return f"the two cannot be told apart on these samples ({p_value(comparison.p_adjusted)})"
    return f"it is clearly {'better' if better else 'worse'} ({p_value(comparison.p_adjusted)})"


def workload_words(workload: Workload | Unknown) -> str:
    """The workload in one line."""
    if isinstance(workload, Unknown):
        return f"not stated ({workload.reason})"
    return (
        f"{workload.requests_per_day:,.0f} requests a day, peak {workload.peak_to_mean:g} times the mean, "
        f"growing {percent(workload.growth_per_month)} a month, over {counted(workload.horizon_months, 'month')}"
    )


def privacy_words(privacy: Privacy) -> str:
    """The data rule in one line."""
    reach = {
        "own": "may not leave your own machines",
        "contracted": "may go to contracted processors",
        "any": "may be sent to any provider",
    }
    return f"{privacy.data_class} data; {reach[privacy.may_send_to]}"


def use_words(use: Use) -> str:
    """The intended use in one line."""
    parts = [use.purpose, "commercial" if use.commercial else "not commercial"]
    if use.field:
        parts.append(f"in {use.field}")
    if use.distribute != "none":
        parts.append(f"distributing {use.distribute}")
    if use.outputs_train != "none":
        parts.append(f"outputs train {use.outputs_train} models")
    return ", ".join(parts)


def _trimmed(number: str) -> str:
    text = number.removesuffix(".0")
    return "0" if text in ("-0", "+0") else text
