"""The built-in fake answers by rule, the same every time."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from steelyard.errors import Fault, InputError, ProviderError
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import LabelRequest, Message, Option, Request, Settings, Target
from steelyard.providers.scripted import Scripted, open_scripted

BOOK = {f"message {n}": ("delivery_late", "refund", "other")[n % 3] for n in range(300)}
LABELS = (" delivery late", " other", " refund")
POOL = Pool(DataRule.default("public"))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.jsonl"
    path.write_text("\n".join(json.dumps({"input": key, "answer": value}) for key, value in BOOK.items()))
    return path


async def opened(book: Path | None, model: str = "m", **options: Option) -> Scripted:
    return await open_scripted(Target("scripted", model, weights=book, options=options), POOL)


def asked(text: str, **more: object) -> Request:
    return Request((Message("user", text),), Settings(**more))  # type: ignore[arg-type]


async def right(provider: Scripted) -> list[bool]:
    return [(await provider.complete(asked(f"Message: {text}\nIntent:"))).text == BOOK[text] for text in BOOK]


async def test_it_is_right_as_often_as_told_on_the_same_items_every_time(book: Path) -> None:
    provider = await opened(book, accuracy=0.7)
    first = await right(provider)
    assert 0.62 < sum(first) / len(first) < 0.78
    assert first == await right(await opened(book, accuracy=0.7))
    assert first != await right(await opened(book, accuracy=0.7, seed=1))
    assert all(await right(await opened(book)))


async def test_labels_and_words_agree(book: Path) -> None:
    provider = await opened(book, accuracy=0.5)
    for text in list(BOOK)[:60]:
        scored = await provider.score_labels(LabelRequest(text, "", f"Message: {text}", LABELS, full=True))
        said = (await provider.complete(asked(text))).text
        assert LABELS[scored.best].strip() == said.replace("_", " ")
        assert scored.scores is not None and math.isclose(sum(map(math.exp, scored.scores)), 1.0)


async def test_the_input_is_found_behind_the_examples(book: Path) -> None:
    prompt = "Message: message 1\nIntent: refund\n\nMessage: message 12\nIntent:"
    assert (await (await opened(book)).complete(asked(prompt))).text == "delivery_late"


async def test_without_a_book_it_echoes() -> None:
    provider = await opened(None, reply="You said: {answer}!")
    assert (await provider.complete(asked("good  morning"))).text == "You said: good  morning!"
    cut = await provider.complete(asked("good morning", max_tokens=3))
    assert (cut.text, cut.finish_reason, cut.usage.output_tokens) == ("You said: good", "length", 3)


async def test_latency_is_told_and_not_slept() -> None:
    provider = await opened(None, latency_seconds=1000.0, spread_seconds=10.0)
    timing = (await provider.complete(asked("x"))).timing
    assert 1000 <= timing.total_seconds <= 1010
    assert timing == (await provider.complete(asked("x"))).timing


async def test_it_fails_when_told() -> None:
    provider = await opened(None, fail_every=3, fault="rate limit", retry_after_seconds=2)
    faults = []
    for _ in range(6):
        try:
            await provider.complete(asked("x"))
            faults.append(None)
        except ProviderError as error:
            faults.append((error.fault, error.retry_after_seconds))
    failed = (Fault.RATE_LIMIT, 2.0)
    assert faults == [None, None, failed, None, None, failed]


async def test_a_bad_book_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    path.write_text('{"input": "a", "answer": "b"}\n{"input": "a"}\n')
    with pytest.raises(InputError, match="line 2"):
        await opened(path)
