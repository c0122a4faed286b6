"""What a race costs and how often it is wrong, against a reference race and a stop by the posterior.

    python benchmarks/race.py [--count 600] [--seed 1] [--matrices FILE.npz ...]

Matrices are models x items in [0, 1], under the name M. Shares are of the calls and dollars of asking every model
everything; a miss is a model more than a point below the best. Exit code 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from race_matrices import THIRDS, Question, questions
from race_reference import PosteriorStop, Reference

from steelyard.trials.race import Call, Policy, Stop, expected, guaranteed

COLUMNS = ("calls", "dollars", "miss", "tied", "noninferior", "superior")


@dataclass
class Answers:
    """The history of one race."""

    scores: np.ndarray
    new: list[Call] = field(default_factory=list)
    calls: int = 0
    spend: float = 0.0


def play(make: Callable[[Question], Policy], question: Question) -> tuple[float, ...]:
    """One race: the columns."""
    truth = question.truth
    answers, policy = Answers(np.full(truth.shape, np.nan)), make(question)
    while not isinstance(wanted := policy(answers), Stop):
        for model, item in wanted:
            answers.scores[model, item] = truth[model, item]
        answers.new, answers.calls = wanted, answers.calls + len(wanted)
        answers.spend += float(sum(question.price[model] for model, _ in wanted))
    means = truth.mean(axis=1)
    best = means.max()
    return (
        answers.calls / truth.size,
        answers.spend / float(question.price.sum() * question.n_items),
        means[wanted.model] < best - question.epsilon - 1e-9,
        all(means[model] < best - 1e-9 for model in wanted.tied),
        any(means[small] < means[big] - margin - 1e-9 for small, big, margin in wanted.noninferior),
        any(means[a] <= means[b] + 1e-12 for a, b in wanted.superior),
    )


def table(name: str, make: Callable[[Question], Policy], asked: Sequence[Question]) -> np.ndarray:
    """Play all; a line in all and one a third."""
    before = time.process_time()
    rows = np.array([play(make, question) for question in asked], dtype=float)
    thirds = np.array([question.third for question in asked])
    print(f"{name}: {time.process_time() - before:.0f} s of CPU, {len(asked)} races")
    for third in ("all", *THIRDS):
        part = rows if third == "all" else rows[thirds == third]
        print(f"  {third:8}", *(f"{c} {v:.3f}" for c, v in zip(COLUMNS, part.mean(axis=0), strict=True)))
    return rows


def main() -> int:
    """The table and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--matrices", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    asked = list(
        questions(options.count, options.seed, [np.load(path)["M"].astype(float) for path in options.matrices])
    )
    failed = False
    for (new, make), (old, other), most, misses in (
        (("guaranteed", guaranteed), ("reference", Reference), 0.85, 0.01),
        (("expected", expected), ("posterior stop", PosteriorStop), 0.9, 0.06),
    ):
        before, after = table(old, other, asked), table(new, make, asked)
        ratio = after[:, :2].mean(axis=0) / before[:, :2].mean(axis=0)
        print(f"{new} / {old}: calls {ratio[0]:.3f}, dollars {ratio[1]:.3f} (limit {most}, misses {misses:.0%})")
        failed |= bool((ratio > most).any() or after[:, 2].mean() > misses)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
