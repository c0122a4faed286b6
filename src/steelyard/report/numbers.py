"""Figures as text. One rule for each unit, used by every page, so that no two of them disagree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from steelyard.decision.sentences import seconds, usd
from steelyard.quantities import Unknown
from steelyard.stats import Estimated

UNKNOWN = "unknown"


def percent(share: float) -> str:
    """A share with one digit.

    >>> percent(0.6333)
    '63.3 %'
    """
    return f"{share * 100:.1f} %"


def points(difference: float) -> str:
    """A difference of two shares, signed.

    >>> points(-0.0216), points(0.0)
    ('-2.2 points', '+0.0 points')
    """
    return f"{difference * 100:+.1f} points".replace("-0.0 ", "+0.0 ")


def usd_axis(ticks: Sequence[float]) -> list[str]:
    """Ticks of one axis in one number of digits, more only where two would read the same.

    >>> usd_axis([0.0, 0.05, 0.1]), usd_axis([0.002, 0.01, 5.0, 20.0]), usd_axis([0.0, 5.0, 10.0])
    (['$0', '$0.05', '$0.10'], ['$0.002', '$0.01', '$5', '$20'], ['$0', '$5', '$10'])
    """
    smallest = min((b - a for a, b in pairwise(ticks)), default=1.0)
    written = []
    for tick in ticks:
        exact = f"{tick:.6f}".rstrip("0").rstrip(".")
        digits = len(exact.partition(".")[2])
        fine = max(digits, 2) if digits or (smallest < 1 and 0 < tick < 1) else 0
        written.append(f"${tick:,.{fine}f}")
    return written


def figure(value: float, unit: str) -> str:
    """One number in its unit, as an Estimate names it.

    >>> figure(4.4, "requests/s"), figure(0.5, "share"), figure(1234.5, "USD")
    ('4.4 requests/s', '50.0 %', '$1,234')
    """
    if unit == "share":
        return percent(value)
    if unit == "seconds":
        return seconds(value)
    if unit == "USD":
        return usd(value)
    return f"{_number(value)} {unit}".strip()


def value(estimate: Estimated) -> str:
    """The value alone, or "unknown"."""
    return UNKNOWN if isinstance(estimate, Unknown) else figure(estimate.value, estimate.unit)


def interval(estimate: Estimated, between: str = " to ") -> str:
    """The interval without unit where the value already shows it; "" when there is none."""
    if isinstance(estimate, Unknown) or isinstance(estimate.interval, Unknown):
        return ""
    low, high = (figure(end, estimate.unit) for end in (estimate.interval.low, estimate.interval.high))
    if low.rpartition(" ")[2] == high.rpartition(" ")[2]:
        low = low.rpartition(" ")[0] or low
    return f"{low}{between}{high}"


def with_interval(estimate: Estimated) -> str:
    """Value and interval in one line.

    >>> from steelyard.stats import Estimate, Interval
    >>> with_interval(Estimate(0.6333, Interval(0.570, 0.692), 240, "Wilson", "share"))
    '63.3 % (57.0-69.2)'
    """
    span = interval(estimate, "-")
    if not span:
        return value(estimate)
    return f"{value(estimate)} ({span.removesuffix(' %')})"


def why_unknown(estimate: Estimated) -> str:
    """The reason behind an "unknown"; "" for a known value."""
    return estimate.reason if isinstance(estimate, Unknown) else ""


def level(estimate: Estimated) -> str:
    """The level of the interval ("95 %"), "" when there is none."""
    if isinstance(estimate, Unknown) or isinstance(estimate.interval, Unknown):
        return ""
    return f"{estimate.interval.level * 100:g} %"


def p_value(p: float) -> str:
    """
    >>> p_value(0.048), p_value(1e-8)
    ('0.048', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def count(number: int, noun: str, plural: str = "") -> str:
    """
    >>> count(1, "call"), count(1200, "call"), count(0, "leak")
    ('1 call', '1,200 calls', 'no leaks')
    """
    word = noun if number == 1 else plural or f"{noun}s"
    return f"{number:,} {word}" if number else f"no {word}"


def listing(names: Sequence[str]) -> str:
    """
    >>> listing(["a"]), listing(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + (f" and {names[-1]}" if names else "")


def moment(stamp: str) -> str:
    """An ISO time stamp in UTC; what cannot be read stays as it is.

    >>> moment("2026-11-24T16:00:00+01:00")
    '24 November 2026, 15:00 UTC'
    """
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    if at.tzinfo is None:
        return f"{at.day} {at:%B %Y}, {at:%H:%M} (time zone not stated)"
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y}, {at:%H:%M} UTC"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"
