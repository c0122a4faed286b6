"""A fitted classifier predicts from its file what scikit-learn predicts from memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from steelyard.errors import Fault, InputError, NotAvailable, ProviderError
from steelyard.providers.linear import embedder, open_linear
from steelyard.providers.linear_model import HeadModel, TfidfModel, Vocabulary, load, save
from steelyard.providers.ngrams import char_ngrams, word_ngrams
from steelyard.providers.protocol import LabelRequest, Provider, Target
from steelyard.providers.scripted import Scripted

TEXTS = [
    "Where is my parcel?",
    "my parcel is late, again",
    "the parcel hasn't come",
    "Send the money back please",
    "I want my money back",
    "a refund, please!",
    "wie ist das Wetter",
    "  ",
    "ÉTÉ à Zürich ☀ 1 2 3",
]
TARGETS = [0, 0, 0, 1, 1, 1, 2, 2, 2]
CLASSES = ("late", "refund", "other")


class Embedder:
    """A pool whose every target embeds by hashed word counts."""

    def __init__(self) -> None:
        self.asked: list[Target] = []

    async def get(self, target: Target) -> Provider:
        self.asked.append(target)
        return Scripted(Target("scripted", "e"), {})


def request(text: str, count: int = 3, **more: object) -> LabelRequest:
    return LabelRequest(text, "", text, tuple(f" l{n}" for n in range(count)), **more)  # type: ignore[arg-type]


def fitted_tfidf() -> tuple[TfidfModel, np.ndarray, list[str]]:
    sklearn = pytest.importorskip("sklearn", reason="needs the [local] extra")
    assert sklearn
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorisers = [TfidfVectorizer(analyzer=each, sublinear_tf=True) for each in (word_ngrams, char_ngrams)]
    rows = hstack([each.fit_transform(TEXTS) for each in vectorisers], format="csr")
    model = LogisticRegression(C=10).fit(rows, TARGETS)
    blocks = [Vocabulary(tuple(each.get_feature_names_out()), each.idf_.astype("f4")) for each in vectorisers]
    made = TfidfModel(CLASSES, (blocks[0], blocks[1]), model.coef_.astype("f4"), model.intercept_.astype("f4"))
    new = [*TEXTS, "is the parcel in Zürich?", "xyzzy", "", "parcel parcel parcel money"]
    expected = model.predict_proba(hstack([each.transform(new) for each in vectorisers], format="csr"))
    return made, expected, new


async def test_a_classifier_on_text_says_what_scikit_learn_says(tmp_path: Path) -> None:
    model, expected, texts = fitted_tfidf()
    save(model, tmp_path / "linear.npz")
    provider = await open_linear(Target("linear", "linear", weights=tmp_path / "linear.npz"), Embedder())
    for text, row in zip(texts, expected, strict=True):
        scored = await provider.score_labels(request(text, full=True))
        np.testing.assert_allclose(np.exp(scored.scores), row, atol=1e-5)
        assert scored.best == row.argmax() and scored.best_score == max(scored.scores or ())


async def test_a_head_on_embeddings_says_what_scikit_learn_says(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="needs the [local] extra")
    from sklearn.linear_model import LogisticRegression

    vectors = np.array((await Scripted(Target("scripted", "e"), {}).embed(TEXTS)).vectors, "f4")
    mean, scale = vectors.mean(0), np.where(vectors.std(0) == 0, 1, vectors.std(0))
    model = LogisticRegression().fit((vectors - mean) / scale, TARGETS)
    save(HeadModel(CLASSES, mean, scale, model.coef_.astype("f4"), model.intercept_.astype("f4")), tmp_path / "h.npz")
    pool = Embedder()
    target = Target("linear", "smol", weights=tmp_path / "w.gguf", adapter=tmp_path / "h.npz", adapter_sha256="a",
                    weights_sha256="w", custody="own", options={"threads": 1})  # fmt: skip
    provider = await open_linear(target, pool)
    assert pool.asked == [
        Target("llama-cpp", "smol", weights=tmp_path / "w.gguf", weights_sha256="w", custody="own",
               options={"threads": 1})
    ] == [embedder(target)]  # fmt: skip
    for text, row in zip(TEXTS, model.predict_proba((vectors - mean) / scale), strict=True):
        scored = await provider.score_labels(request(text, full=True))
        np.testing.assert_allclose(np.exp(scored.scores), row, atol=1e-4)
        assert scored.usage.input_tokens == len(text.split())


def head(intercept: Sequence[float]) -> HeadModel:
    zeros = np.zeros((len(intercept), 64), "f4")
    return HeadModel(CLASSES, zeros[0], zeros[0] + 1, zeros, np.array(intercept, "f4"))


async def opened(path: Path, model: HeadModel) -> Provider:
    save(model, path / "head.npz")
    return await open_linear(Target("linear", "m", adapter=path / "head.npz"), Embedder())


async def test_priors_are_subtracted_before_the_best_is_taken(tmp_path: Path) -> None:
    provider = await opened(tmp_path, head(np.log([0.5, 0.3, 0.2])))
    assert (await provider.score_labels(request("x"))).best == 0
    tilted = await provider.score_labels(request("x", priors=(0.0, 0.0, -5.0), full=True))
    assert tilted.best == 2
    np.testing.assert_allclose(tilted.scores, np.log([0.5, 0.3, 0.2 * np.exp(5)]), rtol=1e-5)


async def test_a_class_without_samples_is_never_the_answer(tmp_path: Path) -> None:
    provider = await opened(tmp_path, head([0.0, -np.inf, 0.0]))
    scored = await provider.score_labels(request("x", full=True))
    assert scored.scores is not None and scored.scores[1] == -np.inf and np.isfinite(scored.best_score)


async def test_another_number_of_labels_is_refused(tmp_path: Path) -> None:
    provider = await opened(tmp_path, head([0.0, 0.0, 0.0]))
    with pytest.raises(ProviderError, match="fitted on 3 labels, 2 are asked for") as caught:
        await provider.score_labels(request("x", 2))
    assert caught.value.fault is Fault.BAD_REQUEST


async def test_a_file_that_is_missing_or_foreign_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="has not been fitted"):
        await open_linear(Target("linear", "m"), Embedder())
    for number, content in enumerate((b"", b"PK\x03\x04nonsense", b"cos\nsystem\n(S'true'\ntR.")):
        path = tmp_path / f"{number}.npz"
        path.write_bytes(content)
        with pytest.raises(InputError, match="fitted anew"):
            await open_linear(Target("linear", "m", weights=path), Embedder())
    np.savez(tmp_path / "pickled.npz", classes=np.array([{"a": 1}], object))
    with pytest.raises(InputError, match="fitted anew"):
        load(tmp_path / "pickled.npz")


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(head([1.0, 2.0, 3.0]), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
