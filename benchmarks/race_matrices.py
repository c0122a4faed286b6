"""Questions for the race: models x items, drawn from real matrices where given, and simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np

THIRDS = ("clear", "typical", "near")
SIMULATED = ("items", "families", "clusters", "graded")


@dataclass(frozen=True)
class Question:
    """All scores, and what the policy is told."""

    truth: np.ndarray
    kind: str
    third: str
    price: np.ndarray
    seed: int
    delta: float = 0.05
    epsilon: float = 0.01

    @property
    def n_models(self) -> int:
        return len(self.truth)

    @property
    def n_items(self) -> int:
        return self.truth.shape[1]


def simulated(rng: np.random.Generator, models: int, items: int, kind: str) -> np.ndarray:
    """Item response: ability less difficulty; families and clusters of items share more than that."""
    ability = rng.normal(0, 1, models) * rng.choice([0.25, 0.6, 1.2]) + rng.normal(0.5, 0.8)
    latent = np.exp(rng.normal(0.2, 0.4, items)) * (ability[:, None] - rng.normal(0, rng.uniform(0.7, 2.2), items))
    if kind == "families":
        family = rng.integers(0, max(2, models // 3), models)
        latent += 1.5 * rng.normal(0, 1, (family.max() + 1, items))[family]
    if kind == "clusters":
        cluster = rng.integers(0, max(8, items // 12), items)
        latent += rng.normal(0, 1, (models, cluster.max() + 1))[:, cluster]
    chance = 1 / (1 + np.exp(-latent))
    if kind == "graded":
        return rng.beta(chance * 8 + 0.05, (1 - chance) * 8 + 0.05)
    return (rng.random(chance.shape) < chance).astype(float)


def drawn(rng: np.random.Generator, matrix: np.ndarray, models: int, items: int) -> np.ndarray:
    """Rows of a real matrix, every other time neighbours in rank; too few rows are filled up by routers between two."""
    have, ranked = len(matrix), np.argsort(matrix.mean(axis=1))
    columns = rng.choice(matrix.shape[1], min(items, matrix.shape[1]), replace=False)
    if have >= 2 * models and rng.random() < 0.5:
        start = int(rng.integers(0, have - 2 * models + 1))
        return matrix[np.ix_(ranked[rng.choice(np.arange(start, start + 2 * models), models, replace=False)], columns)]
    rows = list(matrix[np.ix_(rng.permutation(have)[:models], columns)])
    while len(rows) < models:
        first, second = rng.choice(have, 2, replace=False)
        rows.append(
            np.where(rng.random(len(columns)) < rng.uniform(0.2, 0.8), matrix[first, columns], matrix[second, columns])
        )
    return np.array(rows)


def questions(count: int, seed: int, real: Sequence[np.ndarray]) -> Iterator[Question]:
    """A third each with a clear lead (over 5 points), a typical one and a near tie (under 1 point)."""
    rng = np.random.default_rng(seed)
    wanted = dict.fromkeys(THIRDS, count // 3)
    sources: list[str | np.ndarray] = [kind for pair in zip(SIMULATED, real, strict=False) for kind in pair]
    sources += [*SIMULATED[len(real) :], *real[len(SIMULATED) :]]
    for source in cycle(sources):
        if not any(wanted.values()):
            return
        models, items = int(rng.integers(5, 16)), int(np.exp(rng.uniform(np.log(200), np.log(2000))))
        named = isinstance(source, str)
        truth = simulated(rng, models, items, source) if named else drawn(rng, source, models, items)
        ranked = np.sort(truth.mean(axis=1))
        lead = ranked[-1] - ranked[-2]
        third = "clear" if lead > 0.05 else "typical" if lead > 0.01 else "near"
        if not wanted[third]:
            continue
        wanted[third] -= 1
        truth = truth[rng.permutation(models)]
        quality = truth.mean(axis=1)
        dearer = (quality - quality.mean()) / max(quality.std(), 0.05)
        price = 1e-3 * np.exp(rng.normal(0, 1.2, models) + dearer)
        yield Question(truth, source if named else "real", third, price, int(rng.integers(1 << 31)))
