"""A model file that is cut, garbled or of another making ends in one sentence that says why, and soon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.providers.tiny_gguf import write_tiny

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Candidate, Weights
from steelyard.catalogue.resolve import resolve
from steelyard.catalogue.weights import find_weights
from steelyard.errors import Fault, ProviderError
from steelyard.providers.llama_cpp import LlamaCpp, open_llama_cpp
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import LabelRequest, Target

pytest.importorskip("gguf", reason="needs the [local] extra")
pytest.importorskip("xllamacpp", reason="needs the [local] extra")

LABELS = (" refund", " re", " late", " 😀", " שלום", " e\u0301", " a,b", ' say "x"', " line\nbreak")


async def opened(path: Path) -> LlamaCpp:
    return await open_llama_cpp(Target("llama-cpp", "tiny", weights=path), Pool(DataRule("public", "any")))


async def refusal(path: Path) -> str:
    with pytest.raises(ProviderError) as caught:
        await opened(path)
    assert caught.value.fault in (Fault.NOT_FOUND, Fault.CRASHED)
    assert caught.value.problems[0].next_step
    return caught.value.problems[0].what


async def test_a_model_of_another_tokenizer_scores_every_label_and_prunes_to_the_same_best(tmp_path: Path) -> None:
    model = await opened(write_tiny(tmp_path / "tiny.gguf"))
    try:
        for text in ("hello", "\x1b[31m", "\u202eevil", "مرحبا 😀", "{message}", "<s></s>"):
            ask = LabelRequest("", "a b c\n", f"{text}:", LABELS, None, True)
            every = await model.score_labels(ask)
            best = await model.score_labels(LabelRequest("", "a b c\n", f"{text}:", LABELS))
            assert every.scores is not None
            assert every.best == best.best
            assert every.scores[best.best] == max(every.scores)
            assert best.best_score == pytest.approx(every.best_score, abs=1e-3)
    finally:
        await model.close()


async def test_a_message_longer_than_the_context_costs_itself_only(tmp_path: Path) -> None:
    model = await opened(write_tiny(tmp_path / "tiny.gguf", context=64))
    try:
        with pytest.raises(ProviderError, match="the context holds 64") as caught:
            await model.score_labels(LabelRequest("", "", "word " * 50_000, LABELS))
        assert caught.value.fault is Fault.TOO_LONG
        assert (await model.score_labels(LabelRequest("", "", "hi:", LABELS))).best >= 0
    finally:
        await model.close()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ((" a", ""), "has no tokens"),
        ((" a", " b", " a"), "' a' and ' a'"),
        ((), "no labels"),
    ],
)
async def test_labels_that_cannot_be_told_apart_are_named(tmp_path: Path, labels: tuple[str, ...], said: str) -> None:
    model = await opened(write_tiny(tmp_path / "tiny.gguf"))
    try:
        with pytest.raises(ProviderError) as caught:
            await model.score_labels(LabelRequest("", "", "hi:", labels))
        assert said in caught.value.problems[0].what
        assert caught.value.fault is Fault.BAD_REQUEST
    finally:
        await model.close()


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_bytes(b""), "failed to read magic"),
        (lambda path: path.write_text("I am no model"), "invalid magic"),
        (lambda path: write_tiny(path, tokenizer=""), "tokenizer.ggml.model"),
        (lambda path: write_tiny(path, tokenizer="nonsense"), "unknown tokenizer: 'nonsense'"),
        (lambda path: write_tiny(path, tokenizer="gpt2"), "cannot find tokenizer merges"),
        (lambda path: write_tiny(path, bytes_too=False), "no tokens for single bytes"),
    ],
)
async def test_a_file_that_is_no_usable_model_says_why(
    tmp_path: Path, write: Callable[[Path], object], said: str
) -> None:
    write(tmp_path / "m.gguf")
    assert said in await refusal(tmp_path / "m.gguf")


async def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = write_tiny(tmp_path / "tiny.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for share in (0.001, 0.03, 0.2, 0.5, 0.9):
        cut.write_bytes(whole[: int(len(whole) * share)])
        assert "cannot load" in await refusal(cut), share
    cut.write_bytes(whole[:-64])
    assert "cannot load" in await refusal(cut)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_no_model(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "m.gguf")
    candidate = resolve(load_catalogue(), f"llama-cpp:{tmp_path / 'm.gguf'}")
    assert isinstance(candidate, Candidate)
    assert isinstance(candidate.weights, Weights)
    assert find_weights(candidate.model, candidate.weights) is None
