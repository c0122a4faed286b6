"""Who asks what and when: arrivals over a day with a peak, lengths as the study's own data have them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Seconds: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]
SECONDS_PER_DAY = 86_400
GRID = 24 * 60


@dataclass(frozen=True, eq=False)
class Lengths:
    """Prompt and answer lengths in tokens that occurred together, each pair `weights` times."""

    prompts: Counts
    outputs: Counts
    weights: Counts

    @classmethod
    def of(cls, counted: Mapping[tuple[int, int], int]) -> Lengths:
        """From (prompt, answer) lengths and how often each occurred; at least one token each."""
        pairs = np.array([(max(1, p), max(1, o)) for p, o in counted], dtype=np.int64).reshape(-1, 2)
        return cls(pairs[:, 0], pairs[:, 1], np.array(list(counted.values()), dtype=np.int64))

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Counts, Counts]:
        """`n` pairs, with replacement: a long prompt keeps the answer it had."""
        chosen = rng.choice(len(self.prompts), n, p=self.weights / self.weights.sum())
        return self.prompts[chosen], self.outputs[chosen]

    @property
    def mean_prompt(self) -> float:
        """Mean tokens of a prompt."""
        return float(np.average(self.prompts, weights=self.weights))

    @property
    def mean_output(self) -> float:
        """Mean tokens of an answer."""
        return float(np.average(self.outputs, weights=self.weights))

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt with its answer."""
        return int((self.prompts + self.outputs).max())


def steady(per_second: float, n: int, seed: int) -> Seconds:
    """`n` Poisson arrivals at one rate."""
    gaps: Seconds = np.random.default_rng((seed, 3)).exponential(1 / per_second, n)
    return np.cumsum(gaps)


@dataclass(frozen=True)
class Day:
    """A day's rhythm: rate(t) = mean x exp(k cos(2 pi t / day)) / I0(k), the von Mises curve, its peak at the start.

    One number k gives every ratio of peak to mean from 1 up, and the rate is never zero. All days are alike.
    """

    requests: float
    peak_to_mean: float

    @property
    def concentration(self) -> float:
        """k, where exp(k) / I0(k) is the ratio of peak to mean."""
        from scipy.optimize import brentq
        from scipy.special import i0e

        if self.peak_to_mean <= 1 + 1e-9:
            return 0.0
        most = 2 * math.pi * self.peak_to_mean**2 + 1
        return float(brentq(lambda k: 1 / i0e(k) - self.peak_to_mean, 0.0, most))

    def rate(self, seconds: Seconds) -> Seconds:
        """Requests a second at moments of the day."""
        from scipy.special import i0e

        k = self.concentration
        mean = self.requests / SECONDS_PER_DAY
        shape: Seconds = np.exp(k * (np.cos(2 * np.pi * seconds / SECONDS_PER_DAY) - 1)) / i0e(k)
        return mean * shape

    @property
    def peak_per_second(self) -> float:
        """The rate at the busiest moment."""
        return self.requests / SECONDS_PER_DAY * self.peak_to_mean

    def arrivals(self, days: int, seed: int) -> Seconds:
        """Poisson arrivals over whole days, by inversion of the summed rate."""
        rng = np.random.default_rng((seed, 2))
        edges = np.linspace(0, days * SECONDS_PER_DAY, days * GRID + 1)
        middle = (edges[1:] + edges[:-1]) / 2
        summed = np.concatenate(([0.0], np.cumsum(self.rate(middle) * np.diff(edges))))
        n = rng.poisson(summed[-1])
        found: Seconds = np.interp(np.sort(rng.uniform(0, summed[-1], n)), summed, edges)
        return found
