"""What latency is asked for: a metric, the share of requests that must keep it, and the limit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

from steelyard.errors import InputError, Problem
from steelyard.quantities import Sourced
from steelyard.sizing.served import Metric, Served
from steelyard.usecase import Requirement

_FORM = re.compile(r"\s*(ttft|tpot|latency|wait)_p(\d{1,2}(?:\.\d+)?)\s*<=?\s*(\d[\d_]*(?:\.\d+)?|\.\d+)\s*(ms|s)\s*")
_METRIC = re.compile(r"(ttft|tpot|latency)_p(\d+)")


@dataclass(frozen=True)
class Objective:
    """`quantile` of the requests keep `metric` within `limit_seconds`. `text` is how it was written."""

    metric: Metric
    quantile: float
    limit_seconds: float
    text: str

    def value(self, served: Served) -> float:
        """What was reached, in seconds."""
        return served.quantile(self.metric, self.quantile)

    def holds(self, served: Served) -> bool:
        """NaN (no request with a second token) keeps a limit on the time a token; refused requests keep none."""
        allowed = 1 - self.quantile
        return not (float(served.refused.mean()) > allowed or self.value(served) > self.limit_seconds)


def objective(text: str) -> Objective:
    """From "ttft_p95 <= 500 ms"; InputError otherwise.

    >>> objective("ttft_p95 <= 500 ms")
    Objective(metric='ttft', quantile=0.95, limit_seconds=0.5, text='ttft_p95 <= 500 ms')
    """
    match = _FORM.fullmatch(text)
    if match is None or not 0 < float(match[2]) < 100:
        raise InputError(
            Problem(
                slug="bad-objective",
                what=f"{text!r} is not a latency objective",
                allowed="ttft, tpot, latency or wait, _p and a percentile, <=, a number with ms or s",
                next_step='write for example --objective "ttft_p95 <= 500 ms"',
            )
        )
    seconds = float(match[3].replace("_", "")) * (0.001 if match[4] == "ms" else 1.0)
    return Objective(cast(Metric, match[1]), float(match[2]) / 100, seconds, text.strip())


def required(requirements: Sequence[Requirement]) -> tuple[Objective, ...]:
    """Those of a study's requirements that limit latency."""
    found = ((limit, _METRIC.fullmatch(limit.metric)) for limit in requirements)
    return tuple(
        Objective(cast(Metric, match[1]), int(match[2]) / 100, limit.limit, f"{limit.metric} {limit.text}")
        for limit, match in found
        if match
    )


@cache
def usual() -> Sourced[tuple[Objective, ...]]:
    """What is asked where nobody has asked for anything."""
    raw = tomllib.loads(files("steelyard.sizing").joinpath("objectives.toml").read_text("utf-8"))["default"]
    limits = (("ttft", raw["ttft_p99"]), ("tpot", raw["tpot_p99"]))
    asked = tuple(Objective(cast(Metric, m), 0.99, s, f"{m}_p99 <= {1000 * s:g} ms") for m, s in limits)
    return Sourced(asked, raw["source"], raw["as_of"])
