"""The llama.cpp provider against its worker: with a fake child where that is enough, else with a real model."""

import asyncio
import importlib.util
import os
import random
import shutil
import signal
from pathlib import Path

import platformdirs
import pytest

from steelyard.errors import Fault, InputError, NotAvailable, ProviderError
from steelyard.providers import llama_abi
from steelyard.providers import llama_wire as wire
from steelyard.providers.conformance import check_provider
from steelyard.providers.llama_cpp import open_llama_cpp
from steelyard.providers.llama_generation import StopWatch
from steelyard.providers.protocol import Completion, LabelRequest, Message, Request, Settings, Target

CAPITALS = "Capitals.\nGermany: Berlin\nSpain: Madrid\n"


def weights():
    """The model to test with, or the reason why there is none."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "xllamacpp is not installed"
    if named := os.environ.get("STEELYARD_TEST_WEIGHTS"):
        return Path(named) if Path(named).is_file() else f"STEELYARD_TEST_WEIGHTS: no file {named}"
    cache = Path(platformdirs.user_cache_dir("steelyard")) / "weights" / "smollm2-135m-instruct"
    found = sorted(cache.glob("*.gguf"))
    return found[0] if found else f"no weights in {cache}"


WEIGHTS = weights()
real = pytest.mark.skipif(isinstance(WEIGHTS, str), reason=str(WEIGHTS))


def target(**options):
    return Target("llama-cpp", "smollm2", weights=WEIGHTS, options=options)


@pytest.fixture
async def model():
    provider = await open_llama_cpp(target(), None)
    yield provider
    await provider.close()


def capital(country, *labels, full=False, priors=None):
    return LabelRequest("", CAPITALS, f"{country}:", labels, priors, full)


def conversation(text, **settings):
    return Request((Message("user", text),), Settings(**settings))


@pytest.mark.parametrize(
    "message",
    [
        wire.Score(1, "a\n", "b", (" x", " y"), (-1.0, -2.0), True),
        wire.Generate(2, (("user", "héllo"),), 5, 0.5, 3, ("\n",), True),
        wire.Embed(3, ("one", "two")),
        wire.Cancel(4),
    ],
)
def test_an_order_survives_the_pipe(message):
    line = wire.encode(message)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert wire.decode_order(line) == message
    with pytest.raises(ValueError, match="is no reply"):
        wire.decode_reply(line)


@pytest.mark.parametrize("line", [b"[]\n", b"{}\n", b'{"kind":"Score"}\n', b'{"kind":"Nothing"}\n', b"what\n"])
def test_anything_else_is_a_value_error(line):
    with pytest.raises(ValueError):
        wire.decode_order(line)


def test_a_stop_string_is_never_shown_even_in_parts():
    watch = StopWatch(["END", "ENOUGH"])
    assert [watch.feed(text) for text in ("all E", "N", "d of E", "NO", "UGH more")] == ["all ", "", "ENd of ", "", ""]
    assert watch.stopped


async def test_wrong_options_are_all_reported_at_once(tmp_path):
    file = tmp_path / "model.gguf"
    file.touch()
    wrong = Target("llama-cpp", "m", weights=file, options={"threads": 0, "speed": 3, "flash_attention": True})
    with pytest.raises(InputError) as error:
        await open_llama_cpp(wrong, None)
    assert [problem.slug for problem in error.value.problems] == ["wrong-target-option"] * 3


async def test_missing_xllamacpp_names_the_extra(monkeypatch):
    monkeypatch.setattr(llama_abi, "installed", lambda: False)
    with pytest.raises(NotAvailable, match=r"pip install 'steelyard\[local\]'"):
        await open_llama_cpp(Target("llama-cpp", "m"), None)


async def test_missing_weights_name_the_command_that_fetches_them(monkeypatch, tmp_path):
    monkeypatch.setattr(llama_abi, "installed", lambda: True)
    for file in (None, tmp_path / "none.gguf"):
        with pytest.raises(NotAvailable, match="steelyard models get"):
            await open_llama_cpp(Target("llama-cpp", "m", weights=file), None)


@pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed")
def test_a_library_with_other_defaults_is_refused(monkeypatch):
    monkeypatch.setitem(llama_abi._CONTEXT_DEFAULTS, "n_batch", 4096)
    with pytest.raises(NotAvailable, match="n_batch is 2048, not 4096") as error:
        llama_abi.load()
    assert error.value.problems[0].slug == "llama-abi-mismatch"


@pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed")
async def test_a_file_that_is_no_model_is_not_found(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF, or so it says")
    with pytest.raises(ProviderError) as error:
        await open_llama_cpp(Target("llama-cpp", "m", weights=file), None)
    assert error.value.fault is Fault.NOT_FOUND


@real
@pytest.mark.local_model
async def test_it_keeps_the_protocol():
    assert await check_provider(open_llama_cpp, target()) == []


@real
@pytest.mark.local_model
async def test_the_likeliest_label_wins_and_pruning_agrees_with_all_scores(model):
    labels = (" London", " Paris", " New York", " New Delhi", " New")
    france = await model.score_labels(capital("France", *labels))
    assert france.best == 1 and france.scores is None
    whole = await model.score_labels(capital("France", *labels, full=True))
    assert whole.best == 1 == whole.scores.index(max(whole.scores))
    assert whole.scores[4] > whole.scores[2], "a beginning is at least as likely as what continues it"
    assert -1.5 < whole.best_score < 0
    assert whole.usage.cached_tokens > 0, "the examples are known from the request before"


@real
@pytest.mark.local_model
async def test_priors_move_the_choice(model):
    labels = (" London", " Paris")
    plain = await model.score_labels(capital("France", *labels, full=True))
    moved = await model.score_labels(capital("France", *labels, full=True, priors=(-20.0, 0.0)))
    assert (plain.best, moved.best) == (1, 0)
    assert moved.scores[0] == pytest.approx(plain.scores[0] + 20, abs=0.2)


@real
@pytest.mark.local_model
async def test_requests_in_flight_together_get_their_own_answers(model):
    countries = {"France": " Paris", "Italy": " Rome", "England": " London", "Japan": " Tokyo"}
    labels = tuple(countries.values())
    answers = await asyncio.gather(*(model.score_labels(capital(country, *labels)) for country in list(countries) * 3))
    assert [labels[answer.best] for answer in answers] == list(labels) * 3
    assert all(answer.timing.total_seconds > 0 for answer in answers)


@real
@pytest.mark.local_model
@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        (capital("France"), Fault.BAD_REQUEST),
        (capital("France", " Paris", ""), Fault.BAD_REQUEST),
        (capital("France", " Paris", priors=(float("nan"),)), Fault.BAD_REQUEST),
        (LabelRequest("", "", "", (" a",)), Fault.BAD_REQUEST),
        (LabelRequest("", "x " * 70, "x", (" a",)), Fault.TOO_LONG),
    ],
)
async def test_what_cannot_be_scored_is_refused(request_, fault):
    provider = await open_llama_cpp(target(context_tokens=64), None)
    try:
        with pytest.raises(ProviderError) as error:
            await provider.score_labels(request_)
        assert error.value.fault is fault
        assert (await provider.score_labels(capital("France", " London", " Paris"))).best == 1
    finally:
        await provider.close()


@real
@pytest.mark.local_model
async def test_a_context_that_grows_reads_the_examples_again(model):
    before = await model.score_labels(capital("France", " London", " Paris", full=True))
    stream = model.stream(conversation("Write a very long story.", max_tokens=4000))
    await anext(stream)
    await stream.aclose()
    after = await model.score_labels(capital("France", " London", " Paris", full=True))
    assert after.usage.cached_tokens == before.usage.cached_tokens
    assert after.scores == before.scores


@real
@pytest.mark.local_model
async def test_a_stream_is_the_completion_in_pieces_and_seeds_repeat(model):
    request = conversation("Tell me about Zürich.", max_tokens=12, temperature=0.7, seed=5)
    *deltas, last = [chunk async for chunk in model.stream(request)]
    assert isinstance(last, Completion)
    assert "".join(delta.text for delta in deltas) == last.text
    assert 0 < last.timing.first_token_seconds <= last.timing.total_seconds
    whole = await model.complete(request)
    assert (whole.text, whole.usage, whole.finish_reason) == (last.text, last.usage, "length")
    assert whole.usage.output_tokens == 12


@real
@pytest.mark.local_model
async def test_stop_strings_and_the_end_of_the_turn_stop(model):
    question = "What is the capital of France?"
    whole = await model.complete(conversation(question))
    assert "Paris" in whole.text and whole.finish_reason == "stop"
    short = await model.complete(conversation(question, stop=(" Paris",)))
    assert short.text == whole.text.partition(" Paris")[0] and short.finish_reason == "stop"


@real
@pytest.mark.local_model
async def test_leaving_a_stream_ends_the_generation(model):
    stream = model.stream(conversation("Write a very long story.", max_tokens=5000))
    await anext(stream)
    await stream.aclose()
    async with asyncio.timeout(10):
        assert (await model.score_labels(capital("France", " London", " Paris"))).best == 1


@real
@pytest.mark.local_model
async def test_an_embedding_does_not_depend_on_its_neighbours(model):
    texts = ("Where is my parcel?", "I want my money back, now. " * 20)
    together = await model.embed(texts)
    alone = [(await model.embed([text])).vectors[0] for text in texts]
    for one, other in zip(together.vectors, alone, strict=True):
        norm = sum(number * number for number in one) ** 0.5
        apart = sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
        assert apart < 0.05 * norm
    assert together.usage.input_tokens > 100


@real
@pytest.mark.local_model
async def test_a_killed_child_fails_the_call_in_flight_and_the_next_call_works(model):
    stream = model.stream(conversation("Write a very long story.", max_tokens=5000))
    await anext(stream)
    os.kill(model.child.pid, signal.SIGKILL)
    with pytest.raises(ProviderError) as error:
        [chunk async for chunk in stream]
    assert error.value.fault is Fault.CRASHED
    assert (await model.score_labels(capital("France", " London", " Paris"))).best == 1


@real
@pytest.mark.local_model
async def test_weights_that_compute_no_numbers_give_no_answer(tmp_path):
    """Half a download over another, say: it loads, and whatever was likeliest would be so by chance."""
    damaged = tmp_path / "damaged.gguf"
    shutil.copy(WEIGHTS, damaged)
    with damaged.open("r+b") as file:
        file.seek(WEIGHTS.stat().st_size * 3 // 5)
        file.write(random.Random(0).randbytes(200_000))
    provider = await open_llama_cpp(Target("llama-cpp", "m", weights=damaged), None)
    try:
        for call in (
            provider.score_labels(capital("France", " Paris", " Rome")),
            provider.complete(conversation("Hi")),
        ):
            with pytest.raises(ProviderError, match=r"computes no numbers.*\n.*fetch the weights again"):
                await call
    finally:
        await provider.close()
