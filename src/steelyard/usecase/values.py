"""The short forms a study file may use, each turned into one plain value: `40%`, `auto`, `<= 800 ms`, an order.

Each function takes what stood in the file and gives the value or a Problem without a place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, cast, get_args

from steelyard.catalogue.ids import nearest
from steelyard.errors import Problem
from steelyard.usecase.case import Criterion, Metric, Requirement

AUTO_SHOTS = (0, 12, 24)
MAX_SHOTS = 1000
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)

_NUMBER = r"[0-9][0-9_]*(?:\.[0-9]+)?|\.[0-9]+"
_LIMIT = re.compile(rf"\s*(>=|<=|>|<)\s*({_NUMBER})\s*(\S*)\s*")
_SHARE = re.compile(rf"\s*([-+]?)({_NUMBER})\s*%\s*")


@dataclass(frozen=True)
class Measure:
    """How a metric may be limited: its units (each with its factor to the stored one), from which side."""

    units: dict[str, float]
    side: Literal[">", "<"]
    example: str


_SECONDS = {"ms": 0.001, "s": 1.0}
MEASURES: dict[Metric, Measure] = {
    "accuracy": Measure({"": 1.0, "%": 0.01}, ">", ">= 0.60"),
    "latency_p50": Measure(_SECONDS, "<", "<= 300 ms"),
    "latency_p95": Measure(_SECONDS, "<", "<= 800 ms"),
    "ttft_p95": Measure(_SECONDS, "<", "<= 500 ms"),
    "cost_per_month": Measure({"USD": 1.0}, "<", "<= 3000 USD"),
    "cost_per_1000": Measure({"USD": 1.0}, "<", "<= 0.50 USD"),
}


def share(value: object) -> float | Problem:
    """A number, or a percentage as text. No range is checked.

    >>> share("40%"), share(0.4)
    (0.4, 0.4)
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return bad_value(f"{value!r} is not a share", "a number such as 0.4, or a percentage such as 40%")
    return float(f"{match[1]}{match[2].replace('_', '')}") / 100


def shots(value: object) -> tuple[int, ...] | Problem:
    """`auto`, one number (fixed) or several to choose from, sorted and without repetition.

    >>> shots("auto"), shots(8), shots([24, 0])
    ((0, 12, 24), (8,), (0, 24))
    """
    if value == "auto":
        return AUTO_SHOTS
    numbers = value if isinstance(value, (list, tuple)) else [value]
    whole = [n for n in numbers if isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= MAX_SHOTS]
    if not numbers or len(whole) < len(numbers):
        return bad_value(f"{value!r} is not a number of shots", f"auto, N or [N, ...] with N from 0 to {MAX_SHOTS}")
    return tuple(sorted(set(whole)))


def requirement(metric: Metric, value: object) -> Requirement | Problem:
    """A limit such as ">= 0.60", "<= 800 ms" (stored in seconds) or "<= 3000 USD".

    >>> requirement("latency_p95", "<= 800 ms").limit
    0.8
    """
    measure = MEASURES[metric]
    match = _LIMIT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return _bad_limit(metric, f"{value!r} is not a limit")
    op, number, unit = match.groups()
    if unit not in measure.units:
        return _bad_limit(metric, f"{value!r} has {f'the unit {unit!r}' if unit else 'no unit'}")
    if op[0] != measure.side:
        bound = "below" if measure.side == ">" else "above"
        return _bad_limit(metric, f"{value!r} limits {metric} from the wrong side; it needs a limit from {bound}")
    limit = float(number.replace("_", "")) * measure.units[unit]
    if limit > 1e15:
        return _bad_limit(metric, f"{number[:20]}... is more than can be meant")
    if metric == "accuracy" and limit > 1:
        return _bad_limit(metric, f"{value!r} is more than all of them; an accuracy lies between 0 and 1")
    return Requirement(metric, cast(Literal[">=", "<=", ">", "<"], op), limit, f"{value}".strip())


def weights(value: object) -> dict[Criterion, float] | Problem:
    """An order of criteria, or a mapping of weights, as weights that sum to 1, the heaviest first.

    An order is turned into rank-order centroid weights, w_i = (1/n) * sum over k = i..n of 1/k: the mean of all
    weights that keep the order (Barron and Barrett, Management Science 42, 1996, eq. 3).

    >>> weights(["quality", "cost"])
    {'quality': 0.75, 'cost': 0.25}
    """
    names = list(value) if isinstance(value, (list, dict)) else []
    allowed = f"an order such as [quality, cost], or weights such as {{quality: 3, cost: 1}}, of: {', '.join(CRITERIA)}"
    if not names:
        return bad_value(f"{value!r} is not a preference", allowed)
    for name in names:
        if name not in CRITERIA:
            return bad_value(f"no criterion is called {name!r}{nearest(str(name), CRITERIA)}", allowed)
    if len(set(names)) < len(names):
        return bad_value(f"{value!r} names a criterion twice", allowed)
    if not isinstance(value, dict):
        count = len(names)
        sums = list(accumulate(1 / rank for rank in range(count, 0, -1)))
        return dict(zip(names, (total / count for total in reversed(sums)), strict=True))
    parts = {name: part for name, part in value.items() if isinstance(part, (int, float)) and part is not True}
    if len(parts) < len(value) or any(not 0 <= part < 1e12 for part in parts.values()) or not sum(parts.values()):
        return bad_value("weights must be numbers, none below 0 and not all 0", allowed)
    total = sum(parts.values())
    return {name: parts[name] / total for name in sorted(parts, key=lambda name: -parts[name])}


def bad_value(what: str, allowed: str, next_step: str = "") -> Problem:
    """A value that is not allowed where it stands."""
    return Problem("study-bad-value", what, allowed=allowed, next_step=next_step)


def _bad_limit(metric: Metric, what: str) -> Problem:
    measure = MEASURES[metric]
    units = " or ".join(unit for unit in measure.units if unit)
    allowed = f"{measure.side}= or {measure.side}, a number, " + (
        units if "" not in measure.units else f"alone or with {units}"
    )
    return Problem("study-bad-requirement", what, allowed=allowed, next_step=f'write {metric}: "{measure.example}"')
