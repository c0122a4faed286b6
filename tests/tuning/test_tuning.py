"""Fitting is exact about its data, repeatable, and found again instead of done again."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Candidate
from steelyard.catalogue.resolve import resolve
from steelyard.errors import InputError, NotAvailable, ProviderError
from steelyard.providers.linear import open_linear
from steelyard.providers.linear_model import HeadModel, TfidfModel, load, save
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import LabelRequest, Target
from steelyard.providers.scripted import Scripted
from steelyard.tuning.embeddings import EmbeddingCache
from steelyard.tuning.fitting import fitting
from steelyard.tuning.folds import FOLDS, fold_numbers, splits
from steelyard.tuning.tune import tune, tune_head, tune_linear
from steelyard.usecase import Dataset, Sample

LABELS = ("late", "other", "refund", "unseen")
WORDS = {
    "late": ["parcel", "late", "waiting", "where", "tracking", "days", "courier"],
    "other": ["weather", "coffee", "hello", "thanks", "question", "opening", "hours"],
    "refund": ["money", "back", "refund", "return", "paid", "card", "charge"],
}
BASE = "ba5e" * 16


def made(count: int, seed: int = 0) -> tuple[Sample, ...]:
    rng = random.Random(seed)
    samples = []
    for number in range(count):
        target = sorted(WORDS)[number % 3]
        noise = [rng.choice(WORDS[rng.choice(sorted(WORDS))]) for _ in range(3)]
        text = " ".join(rng.sample(WORDS[target], 3) + noise)
        samples.append(Sample(f"s{number}", text, target, hashlib.sha256(text.encode()).hexdigest(), number, "f"))
    return tuple(samples)


class BrokenOff(Exception):
    """The run stops here."""


def files(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(folder.glob(pattern))


class Embedder:
    """Hashed word counts; counts what it is asked for, and can break off."""

    def __init__(self, breaks_after: int = 10**9) -> None:
        self.asked: list[str] = []
        self.breaks_after = breaks_after

    async def __call__(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if len(self.asked) >= self.breaks_after:
            raise BrokenOff
        self.asked += texts
        return (await Scripted(Target("scripted", "e"), {}).embed(texts)).vectors


def prompts(samples: Sequence[Sample]) -> list[str]:
    return [f"Message: {sample.input}" for sample in samples]


async def share_right(target: Target, samples: Sequence[Sample]) -> float:
    class Embedders:
        async def get(self, target: Target) -> Scripted:
            return Scripted(target, {})

    provider = await open_linear(target, Embedders())
    right = 0
    for sample in samples:
        request = LabelRequest(sample.input, "", f"Message: {sample.input}", LABELS, full=True)
        scored = await provider.score_labels(request)
        assert scored.scores is not None and scored.scores[LABELS.index("unseen")] == -np.inf
        right += LABELS[scored.best] == sample.target
    return right / len(samples)


async def test_the_baseline_learns_and_never_says_a_label_it_has_not_seen(tmp_path: Path) -> None:
    fitted = await tune_linear(made(120), LABELS, tmp_path, 0)
    assert await share_right(Target("linear", "linear", weights=fitted.path), made(60, seed=1)) > 0.85
    assert fitted.sha256 == hashlib.sha256(fitted.path.read_bytes()).hexdigest()
    assert "held-out samples; fitted on 120 samples" in fitted.description


async def test_a_head_learns_from_embeddings(tmp_path: Path) -> None:
    samples, embed, seen = made(120), Embedder(), []
    fitted = await tune_head(
        samples, LABELS, prompts(samples), embed, tmp_path, 0, lambda *at: seen.append(at), base_sha256=BASE
    )
    assert await share_right(Target("linear", "m", adapter=fitted.path), made(60, seed=1)) > 0.85
    assert isinstance(load(fitted.path), HeadModel)
    assert (seen[0], seen[-1]) == ((0, 120), (120, 120))
    assert "logistic regression on embeddings of 64 values" in fitted.description


async def test_the_same_data_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    samples = made(60)
    for recipe in ("linear", "head"):
        digests = set()
        for name in ("a", "b"):
            folder = tmp_path / recipe / name
            if recipe == "linear":
                fitted = await tune_linear(samples, LABELS, folder, 0)
            else:
                fitted = await tune_head(samples, LABELS, prompts(samples), Embedder(), folder, 0, base_sha256=BASE)
            digests.add((fitted.path.name, fitted.sha256))
        assert len(digests) == 1


async def test_a_fit_is_found_again_unless_something_changed_or_broke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = made(30)
    first = await tune_linear(samples, LABELS, tmp_path, 0)
    before = first.path.stat().st_mtime_ns
    assert await tune_linear(samples, LABELS, tmp_path, 0) == first
    assert first.path.stat().st_mtime_ns == before
    for changed in (
        await tune_linear(samples, LABELS, tmp_path, 1),
        await tune_linear(samples[1:], LABELS, tmp_path, 0),
        await tune_linear(samples, (*LABELS, "more"), tmp_path, 0),
        await tune_linear((replace(samples[0], target="refund"), *samples[1:]), LABELS, tmp_path, 0),
    ):
        assert changed.path != first.path
    whole = first.path.read_bytes()
    first.path.write_bytes(whole[:100])
    assert (await tune_linear(samples, LABELS, tmp_path, 0)).sha256 == first.sha256
    assert first.path.read_bytes() == whole
    assert not [path for path in files(tmp_path) if path.suffix not in (".npz", ".json")]


async def test_a_run_that_was_broken_off_does_not_embed_again(tmp_path: Path) -> None:
    samples = made(80)
    broken = Embedder(breaks_after=48)
    with pytest.raises(BrokenOff):
        await tune_head(samples, LABELS, prompts(samples), broken, tmp_path, 0, base_sha256=BASE)
    (cache,) = files(tmp_path, "embeddings-*.f32")
    with cache.open("ab") as file:
        file.write(b"half a record")
    resumed, whole = Embedder(), Embedder()
    after = await tune_head(samples, LABELS, prompts(samples), resumed, tmp_path, 0, base_sha256=BASE)
    assert sorted(broken.asked + resumed.asked) == sorted(set(prompts(samples)))
    assert len(broken.asked) == 48
    once = await tune_head(samples, LABELS, prompts(samples), whole, tmp_path / "once", 0, base_sha256=BASE)
    assert after.sha256 == once.sha256


async def test_embeddings_of_other_weights_are_not_taken_for_these(tmp_path: Path) -> None:
    embed = Embedder()
    for base in ("a" * 64, "b" * 64):
        await EmbeddingCache(tmp_path, base).embed(["x", "y", "x"], embed, lambda done, total: None)
    assert embed.asked == ["x", "y", "x", "y"]


async def test_vectors_that_are_none_are_refused_and_not_kept(tmp_path: Path) -> None:
    async def bad(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [[float("nan")] for _ in texts]

    with pytest.raises(ProviderError, match="as many finite vectors"):
        await EmbeddingCache(tmp_path, BASE).embed(["x"], bad, lambda done, total: None)
    assert not files(tmp_path)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
async def test_a_handful_of_samples_is_enough(count: int, tmp_path: Path) -> None:
    """One class, two classes, classes of one sample: a fit with a plain description, no crash."""
    samples = made(count)
    fitted = await tune_linear(samples, LABELS, tmp_path, 0)
    assert 0 < await share_right(Target("linear", "linear", weights=fitted.path), samples) <= 1
    head = await tune_head(samples, LABELS, prompts(samples), Embedder(), tmp_path, 0, base_sha256=BASE)
    assert 0 < await share_right(Target("linear", "m", adapter=head.path), samples) <= 1


async def test_no_samples_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dev samples"):
        await tune_linear((), LABELS, tmp_path, 0)


async def test_without_scikit_learn_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(NotAvailable, match=r"steelyard\[local\]"):
        await tune_linear(made(9), LABELS, tmp_path, 0)


async def test_scores_are_log_probabilities_that_mean_what_they_say(tmp_path: Path) -> None:
    """Mean confidence on new samples is near the share that is right."""
    model = load((await tune_linear(made(150), LABELS, tmp_path, 0)).path)
    assert isinstance(model, TfidfModel)
    score, new = model.scorer(), made(300, seed=2)
    rows = np.exp([score(sample.input) for sample in new])
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
    right = np.mean([LABELS[row.argmax()] == sample.target for row, sample in zip(rows, new, strict=True)])
    assert abs(rows.max(axis=1).mean() - right) < 0.1


def test_folds_hold_equal_shares_of_every_class() -> None:
    targets = np.array([0] * 50 + [1] * 7 + [2])
    numbers = fold_numbers(targets, 0)
    assert (numbers == fold_numbers(targets, 0)).all() and (numbers != fold_numbers(targets, 1)).any()
    assert np.bincount(numbers[:50]).tolist() == [10] * FOLDS
    assert max(np.bincount(numbers[50:57], minlength=FOLDS)) == 2
    assert sorted(row for _, outside in splits(targets, 0) for row in outside) == list(range(58))
    for inside, outside in splits(targets, 0):
        assert not set(inside) & set(outside)


def candidate(id: str) -> Candidate:
    found = resolve(load_catalogue(), id)
    assert isinstance(found, Candidate)
    return found


async def test_a_candidate_comes_back_with_its_artefact(tmp_path: Path) -> None:
    samples = made(30)
    tuned = await tune(candidate("linear"), samples, LABELS, tmp_path, 0)
    assert tuned.artefact is not None
    assert tuned.artefact_sha256 == hashlib.sha256(tuned.artefact.read_bytes()).hexdigest()
    head = candidate("smollm2-135m-instruct+head")
    with_head = await tune(
        head, samples, LABELS, tmp_path, 0, prompts=prompts(samples), embed=Embedder(), base_sha256=BASE
    )
    assert with_head.artefact is not None and isinstance(load(with_head.artefact), HeadModel)
    plain = candidate("smollm2-135m-instruct")
    assert await tune(plain, samples, LABELS, tmp_path, 0) is plain
    with pytest.raises(InputError, match="no recipe 'lora'"):
        await tune(replace(plain, recipe="lora"), samples, LABELS, tmp_path, 0)


async def test_fitting_takes_what_it_needs_from_the_dataset(tmp_path: Path) -> None:
    data = Dataset(dev=made(30), test=(), labels=LABELS, fingerprint="f")
    fit = fitting(candidate("linear"), data, lambda text: text, tmp_path, 0)
    assert fit is not None and fit.base.custody == "own"
    async with Pool(DataRule.default("restricted")) as pool:
        tuned = await fit(pool)
    assert tuned.artefact is not None and tuned.artefact.is_file()
    assert fitting(candidate("smollm2-135m-instruct"), data, lambda text: text, tmp_path, 0) is None


async def test_the_baseline_learns_from_real_messages(shared_data: Path, tmp_path: Path) -> None:
    """Three messages a class of BANKING77; chance is 1 in 77."""

    def read(name: str) -> list[Sample]:
        lines = (shared_data / "banking77" / name).read_text().splitlines()
        return [Sample(r["id"], r["input"], r["expected"], "", n, name) for n, r in enumerate(map(json.loads, lines))]

    train, test = read("train.jsonl")[::40], read("test.jsonl")[::10]
    labels = sorted({sample.target for sample in train + test})
    model = load((await tune_linear(train, labels, tmp_path, 0)).path)
    assert isinstance(model, TfidfModel)
    score = model.scorer()
    assert np.mean([labels[int(score(s.input).argmax())] == s.target for s in test]) > 0.5


async def test_what_is_fitted_on_is_bounded_in_samples_and_in_samples_times_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = resolve(load_catalogue(), "linear")
    assert isinstance(candidate, Candidate)
    monkeypatch.setattr("steelyard.tuning.fitting.MOST", 50)
    data = Dataset(made(90), made(3), LABELS, "f")
    for work, count in ((1000, 50), (80, 20)):
        monkeypatch.setattr("steelyard.tuning.fitting.MOST_WORK", work)
        fit = fitting(candidate, data, str, tmp_path / str(work), 0)
        assert fit is not None
        made_of = await fit(Pool(DataRule("public", "any")))
        assert made_of.artefact is not None
        assert f"fitted on {count} samples" in made_of.artefact.with_suffix(".json").read_text()


@pytest.mark.parametrize("count", [4, 30])
async def test_as_many_labels_as_samples_are_fitted_without_a_word(tmp_path: Path, count: int) -> None:
    labels = tuple(f"l{number:02}" for number in range(count))
    samples = [replace(sample, target=labels[number]) for number, sample in enumerate(made(count))]
    assert (await tune_linear(samples, labels, tmp_path, 0)).path.is_file()


def test_time_is_bounded_by_samples_times_classes() -> None:
    few, many = np.arange(2000) % 20, np.arange(2000) % 500
    assert [len(list(splits(targets, 0))) for targets in (few, many)] == [FOLDS, 1]


@pytest.mark.parametrize("head", [False, True])
async def test_a_damaged_artefact_is_refused_wherever_it_is_hurt(tmp_path: Path, head: bool) -> None:
    samples = made(12)
    if head:
        made_of = await tune_head(samples, LABELS, prompts(samples), Embedder(), tmp_path, 0, base_sha256=BASE)
    else:
        made_of = await tune_linear(samples, LABELS, tmp_path, 0)
    whole = made_of.path.read_bytes()
    rng = random.Random(0)
    hurt = tmp_path / "hurt.npz"
    for cut in [0, 1, 100, *(rng.randrange(len(whole)) for _ in range(20)), len(whole) - 1]:
        hurt.write_bytes(whole[:cut])
        with pytest.raises(InputError, match="run the study again"):
            load(hurt)
    for _ in range(60):
        place = rng.randrange(len(whole))
        hurt.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert load(hurt).classes
        except InputError as error:
            assert error.problems[0].slug == "bad-artefact"


def test_a_classifier_whose_parts_do_not_fit_each_other_is_refused(tmp_path: Path) -> None:
    ones = np.ones(3, np.float32)
    save(HeadModel(("a", "b"), ones, ones, np.ones((2, 4), np.float32), ones[:2]), tmp_path / "m.npz")
    with pytest.raises(InputError, match="bad-artefact"):
        load(tmp_path / "m.npz")


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x08\0\0\0half a record", b"x" * 999]
)
async def test_damaged_embeddings_are_made_again(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / f"embeddings-{BASE[:16]}.f32"
    file.write_bytes(content)
    embedder = Embedder()
    first = await EmbeddingCache(tmp_path, BASE).embed(["a", "b"], embedder, lambda done, total: None)
    again = await EmbeddingCache(tmp_path, BASE).embed(["a", "b"], embedder, lambda done, total: None)
    assert (first == again).all()
    assert first.shape == (2, first.shape[1])
