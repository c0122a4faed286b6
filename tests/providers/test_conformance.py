"""Every built-in provider keeps the protocol, and the check notices those that do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.providers.server import COMPLETION, DONE, STREAM_HEAD, USAGE_EVENT, answer, chunk, piece, serving

from steelyard.errors import NotAvailable
from steelyard.providers.conformance import check_provider
from steelyard.providers.linear import open_linear
from steelyard.providers.linear_model import HeadModel, save
from steelyard.providers.openai_api import open_compatible, open_openai
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Delta,
    Embeddings,
    LabelRequest,
    LabelScores,
    Request,
    Target,
)
from steelyard.providers.recorded import Recorder, open_recorded
from steelyard.providers.scripted import Scripted, open_scripted


async def fake_openai(writer: asyncio.StreamWriter, body: bytes) -> None:
    """Both endpoints, plain and streaming."""
    asked = json.loads(body)
    if "input" in asked:
        rows = [{"index": n, "embedding": [float(len(text)), 1.0]} for n, text in enumerate(asked["input"])]
        writer.write(answer(200, {"data": rows, "model": "e", "usage": {"prompt_tokens": 9}}))
    elif asked.get("stream"):
        events = (piece("Good "), piece("morning", "stop"), USAGE_EVENT, DONE)
        writer.write(STREAM_HEAD + b"".join(map(chunk, events)) + b"0\r\n\r\n")
    else:
        writer.write(answer(200, COMPLETION))


@pytest.mark.parametrize("opener", [open_openai, open_compatible])
async def test_openai_api_conforms(monkeypatch: pytest.MonkeyPatch, opener: object) -> None:
    monkeypatch.setenv("CANARY_KEY", "sk-canary-1")
    async with serving(fake_openai) as server:
        target = Target("openai", "m", server.base_url, "CANARY_KEY")
        assert await check_provider(opener, target) == []  # type: ignore[arg-type]


async def test_scripted_conforms(tmp_path: Path) -> None:
    book = tmp_path / "book.jsonl"
    book.write_text(json.dumps({"input": "Where is my parcel?", "answer": "no"}) + "\n")
    assert await check_provider(open_scripted, Target("scripted", "m", weights=book)) == []


async def test_a_recording_of_the_check_passes_the_check(tmp_path: Path) -> None:
    async def recording(target: Target, pool: object) -> Recorder:
        return Recorder(Scripted(target, {}), tmp_path / "calls.jsonl")

    assert await check_provider(recording, Target("scripted", "m")) == []
    replayed = Target("recorded", "m", weights=tmp_path / "calls.jsonl")
    assert await check_provider(open_recorded, replayed) == []
    assert "is not in the recording" in str(await check_provider(open_recorded, replace(replayed, model="n")))
    with pytest.raises(NotAvailable, match="no recording"):
        await open_recorded(replace(replayed, weights=tmp_path / "none"), Pool(DataRule.default("public")))


async def test_linear_conforms(tmp_path: Path) -> None:
    class Embedders:
        async def get(self, target: Target) -> Scripted:
            return Scripted(target, {})

    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype("f4") for shape in (64, (2, 64), 2)]
    save(HeadModel(("a", "b"), arrays[0], np.ones(64, "f4"), arrays[1], arrays[2]), tmp_path / "head.npz")
    target = Target("linear", "m", adapter=tmp_path / "head.npz")
    assert await check_provider(open_linear, target, pool=Embedders()) == []


@pytest.mark.local_model
async def test_llama_cpp_conforms() -> None:
    pytest.importorskip("xllamacpp", reason="needs the [local] extra")
    from steelyard.catalogue.load import load_catalogue
    from steelyard.catalogue.weights import find_weights
    from steelyard.providers.llama_cpp import open_llama_cpp

    model = load_catalogue().models["smollm2-135m-instruct"]
    found = next((path for path in (find_weights(model, each) for each in model.weights) if path), None)
    if found is None:
        pytest.skip("no weights at hand: steelyard models get smollm2-135m-instruct")
    assert await check_provider(open_llama_cpp, Target("llama-cpp", model.id, weights=found, custody="own")) == []


class Wrong(Scripted):
    """Breaks one promise at a time."""

    fault = ""

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        completion = await self.complete(request)
        if self.fault != "no deltas":
            yield Delta(completion.text)
        if self.fault != "no completion":
            yield replace(completion, served_model="" if self.fault == "nameless" else "m")

    async def complete(self, request: Request) -> Completion:
        completion = await super().complete(request)
        if self.fault == "negative":
            return replace(completion, usage=replace(completion.usage, cached_tokens=-1))
        return completion

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        answer = await super().embed(texts)
        return replace(answer, vectors=answer.vectors[1:]) if self.fault == "short" else answer

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        if self.fault == "no priors":
            request = replace(request, priors=None)
        scored = await super().score_labels(request)
        if self.fault == "worst":
            return replace(scored, best=1 - scored.best)
        if self.fault == "always full":
            return await super().score_labels(replace(request, full=True))
        return scored


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        ("no deltas", "all its deltas"),
        ("no completion", "exactly one Completion"),
        ("nameless", "served_model"),
        ("negative", "none negative"),
        ("short", "one vector a text"),
        ("worst", "best must be the argmax"),
        ("no priors", "priors must be subtracted"),
        ("always full", "scores must be None"),
        ("", ""),
    ],
)
async def test_a_broken_promise_is_noticed(fault: str, promise: str) -> None:
    async def open_wrong(target: Target, pool: object) -> Wrong:
        provider = Wrong(target, {"Where is my parcel?": "no"})
        provider.fault = fault
        return provider

    broken = await check_provider(open_wrong, Target("scripted", "m"))
    assert any(promise in sentence for sentence in broken) if fault else broken == []


async def test_verbs_that_are_not_had_must_say_so() -> None:
    class Shy(Scripted):
        verbs = frozenset({"complete"})

    async def open_shy(target: Target, pool: object) -> Shy:
        return Shy(target, {})

    broken = await check_provider(open_shy, Target("scripted", "m"))
    assert broken == ["embed works, but is not among the verbs", "score_labels works, but is not among the verbs"]
