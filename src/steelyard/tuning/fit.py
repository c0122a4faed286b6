"""Fitting the two classifiers with scikit-learn, on one thread, the same for the same seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from steelyard.errors import NotAvailable, Problem
from steelyard.providers.linear_model import HeadModel, TfidfModel, Vocabulary, log_softmax
from steelyard.providers.ngrams import char_ngrams, word_ngrams
from steelyard.tuning.folds import LARGE, Ints, large, splits

Floats: TypeAlias = npt.NDArray[np.float64]
_Rows: TypeAlias = Any  # a dense array or a scipy.sparse matrix; both give rows by an index array
_Make: TypeAlias = Callable[..., Any]

_SVM_STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
_HEAD_STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
_BALANCES: tuple[str | None, ...] = (None, "balanced")


def require_sklearn() -> None:
    """Raises NotAvailable where scikit-learn is not installed; its warnings on odd data are not for our users.

    Many labels for few samples are told when the data are read, and a fit that would have gone on for longer is
    judged by its accuracy on held-out samples like any other.
    """
    warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%", UserWarning)
    warnings.filterwarnings("ignore", r"(Liblinear|lbfgs) failed to converge", UserWarning)
    if find_spec("sklearn") is None:  # imported in the fit's own thread: it takes half a second
        raise NotAvailable(
            Problem(
                slug="local-extra-missing",
                what="fitting a classifier needs scikit-learn, which is not installed",
                next_step="pip install 'steelyard[local]'",
            )
        )


def fit_tfidf(texts: Sequence[str], targets: Ints, classes: tuple[str, ...], seed: int) -> tuple[TfidfModel, str]:
    """A linear support-vector machine on word and character n-grams, and a sentence on how it came about.

    Its margins, times one factor that minimises the log-loss out of fold, are read as logits (temperature
    scaling: Guo et al. 2017, section 4.2). C and class weights are those with the best out-of-fold accuracy.
    Each fold has its own vocabulary: a text that has no unknown n-grams gives smaller margins than a new one.
    """
    from sklearn.svm import LinearSVC
    from threadpoolctl import threadpool_limits

    one: dict[str, str] = {}  # the same n-gram of another text is the same object: a fifth of the memory
    grams = [
        [[one.setdefault(gram, gram) for gram in analyse(text)] for text in texts]
        for analyse in (word_ngrams, char_ngrams)
    ]
    everything = np.arange(len(texts))
    with threadpool_limits(1):
        choice = _Choice(lambda strength, balance: LinearSVC(C=strength, class_weight=balance, random_state=seed))
        folds = (
            _Fold(*_tfidf(grams, inside, outside)[1], inside, outside) for inside, outside in splits(targets, seed)
        )
        choice.look(list(folds), targets, len(classes), _SVM_STRENGTHS)
        vocabularies, (rows, _) = _tfidf(grams, everything, everything[:0])
        coef, intercept = choice.fit(rows, targets, len(classes))
        factor = choice.temperature(targets)
    model = TfidfModel(
        classes,
        vocabularies,
        (coef * factor).astype(np.float32),
        (intercept * factor).astype(np.float32),
    )
    return model, f"linear SVM on word and character n-grams, {choice.description}"


def fit_head(
    vectors: npt.NDArray[np.float32], targets: Ints, classes: tuple[str, ...], seed: int
) -> tuple[HeadModel, str]:
    """Logistic regression on standardised embeddings, C and class weights by out-of-fold accuracy."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    scale = vectors.std(axis=0, dtype=np.float64).astype(np.float32)
    scale[scale == 0] = 1.0
    rows = ((vectors - mean) / scale).astype(np.float64)
    with threadpool_limits(1):
        choice = _Choice(
            lambda strength, balance: LogisticRegression(C=strength, class_weight=balance, max_iter=2000, tol=1e-3)
        )
        folds = [_Fold(rows[inside], rows[outside], inside, outside) for inside, outside in splits(targets, seed)]
        choice.look(folds, targets, len(classes), _HEAD_STRENGTHS)
        coef, intercept = choice.fit(rows, targets, len(classes))
    model = HeadModel(classes, mean, scale, coef.astype(np.float32), intercept.astype(np.float32))
    return model, f"logistic regression on embeddings of {vectors.shape[1]} values, {choice.description}"


@dataclass(frozen=True)
class _Fold:
    """Features to fit on and to look at, and which samples they are of."""

    rows: _Rows
    held_rows: _Rows
    inside: Ints
    outside: Ints


def _tfidf(
    grams: Sequence[Sequence[list[str]]], inside: Ints, outside: Ints
) -> tuple[tuple[Vocabulary, Vocabulary], tuple[_Rows, _Rows]]:
    """Vocabularies of the samples inside; the features of those inside and of those outside."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    vocabularies, blocks = [], []
    for every in grams:
        rarest = 2 if len(inside) >= LARGE // 2 else 1
        vectoriser = TfidfVectorizer(analyzer=list, sublinear_tf=True, min_df=rarest)
        rows = vectoriser.fit_transform([every[row] for row in inside])
        held = [every[row] for row in outside]
        blocks.append((rows, vectoriser.transform(held) if held else csr_matrix((0, rows.shape[1]))))
        terms = tuple(str(term) for term in vectoriser.get_feature_names_out())
        vocabularies.append(Vocabulary(terms, vectoriser.idf_.astype(np.float32)))
    fit_rows, held_rows = (hstack(each, format="csr") for each in zip(*blocks, strict=True))
    return (vocabularies[0], vocabularies[1]), (fit_rows, held_rows)


class _Choice:
    """The settings with the best out-of-fold accuracy; of equals, those that are tried first (the strictest)."""

    def __init__(self, make: _Make) -> None:
        self._make = make
        self._settings: tuple[float, str | None] = (1.0, None)
        self._held: list[tuple[Ints, Floats]] = []
        self.description = "not cross-validated: too few samples"

    def look(self, folds: Sequence[_Fold], targets: Ints, classes: int, strengths: Sequence[float]) -> None:
        """Try all settings on the same folds."""
        best = -1.0
        for balance in _BALANCES[:1] if large(targets) else _BALANCES:
            for strength in strengths:
                held = []
                for fold in folds:
                    coef, intercept = _fit(self._make(strength, balance), fold.rows, targets[fold.inside], classes)
                    held.append((fold.outside, np.asarray(fold.held_rows @ coef.T + intercept)))
                right = sum(int((sums.argmax(axis=1) == targets[outside]).sum()) for outside, sums in held)
                looked_at = sum(len(outside) for outside, _ in held)
                if looked_at and right / looked_at > best:
                    best = right / looked_at
                    self._settings, self._held = (strength, balance), held
                    weights = ", balanced classes" if balance else ""
                    self.description = f"C = {strength:g}{weights}; right on {best:.1%} of {looked_at} held-out samples"

    def fit(self, rows: _Rows, targets: Ints, classes: int) -> tuple[Floats, Floats]:
        """Coefficients (classes x features) and intercepts on all rows."""
        return _fit(self._make(*self._settings), rows, targets, classes)

    def temperature(self, targets: Ints) -> float:
        """The factor on the out-of-fold sums that minimises their log-loss; 1 where there are none."""
        from scipy.optimize import minimize_scalar

        kept = [(sums[i], targets[row]) for rows, sums in self._held for i, row in enumerate(rows)]
        seen = [(sums, target) for sums, target in kept if np.isfinite(sums[target])]
        if not seen:
            return 1.0
        sums, right = np.stack([each for each, _ in seen]), np.array([target for _, target in seen])

        def loss(log_factor: float) -> float:
            return -float(log_softmax(sums * np.exp(log_factor))[np.arange(len(right)), right].mean(dtype=np.float64))

        return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 5.0), method="bounded").x))


def _fit(model: Any, rows: _Rows, targets: Ints, classes: int) -> tuple[Floats, Floats]:
    """Spread what scikit-learn fits (classes seen only; one row where there are two) over all classes."""
    coef, intercept = np.zeros((classes, rows.shape[1])), np.full(classes, -np.inf)
    seen = np.unique(targets)
    if len(seen) == 1:
        intercept[seen] = 0.0
        return coef, intercept
    model.fit(rows, targets)
    halves = np.array([[-1.0], [1.0]]) / 2
    coef[seen] = model.coef_ if len(seen) > 2 else halves * model.coef_
    intercept[seen] = model.intercept_ if len(seen) > 2 else halves[:, 0] * model.intercept_
    return coef, intercept
