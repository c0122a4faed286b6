"""Real matrices for `benchmarks/race.py`: many classifiers on labelled messages, and recorded answers of four systems.

    python benchmarks/race_recorded.py --banking77 DIR --gsm8k DIR --out DIR
    python benchmarks/race.py --matrices DIR/banking77.npz DIR/gsm8k.npz

DIR holds `train.jsonl` and `test.jsonl` with `input` and `expected`, or `recorded.jsonl` with `id`, `model` and
`source_is_correct`. Needs scikit-learn (the `[local]` extra); two minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.svm import LinearSVC

SIZES = (400, 800, 1500, 3000, 6000, 10_003)
RIDGE_UP_TO = 3000
FEATURES: dict[str, Any] = {
    "words": TfidfVectorizer(),
    "word pairs": TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
    "letters": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    "presence": CountVectorizer(binary=True),
}
MODELS: dict[str, Any] = {
    "svm": LinearSVC(),
    "complement bayes": ComplementNB(),
    "bayes": MultinomialNB(alpha=0.1),
    "ridge": RidgeClassifier(),
    "centroid": NearestCentroid(),
    "neighbours": KNeighborsClassifier(5),
}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def classifiers(folder: Path) -> Iterator[np.ndarray]:
    """Who is right on which test message: one row a classifier."""
    train, test = lines(folder / "train.jsonl"), lines(folder / "test.jsonl")
    np.random.default_rng(0).shuffle(train)
    wanted = np.array([row["expected"] for row in test])
    for size in SIZES:
        texts, labels = [row["input"] for row in train[:size]], [row["expected"] for row in train[:size]]
        for features in FEATURES.values():
            seen, unseen = features.fit_transform(texts), features.transform([row["input"] for row in test])
            for name, model in MODELS.items():
                if name != "ridge" or size <= RIDGE_UP_TO:
                    yield model.fit(seen, labels).predict(unseen) == wanted


def recorded(folder: Path) -> np.ndarray:
    """Who is right on which question: one row a recorded system."""
    found: dict[str, dict[str, bool]] = {}
    for row in lines(folder / "recorded.jsonl"):
        found.setdefault(row["model"], {})[row["id"]] = row["source_is_correct"]
    items = sorted(next(iter(found.values())))
    return np.array([[found[model][item] for item in items] for model in sorted(found)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--banking77", type=Path)
    parser.add_argument("--gsm8k", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # a solver that stops early is one more classifier
    if options.banking77:
        np.savez(options.out / "banking77.npz", M=np.array([*classifiers(options.banking77)], np.float32))
    if options.gsm8k:
        np.savez(options.out / "gsm8k.npz", M=recorded(options.gsm8k).astype(np.float32))


if __name__ == "__main__":
    main()
