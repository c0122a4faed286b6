"""The OpenAI wire: what is sent, what is understood, and how a stream may go wrong."""

from __future__ import annotations

import asyncio
import json

import pytest
from openai import AsyncOpenAI
from tests.providers.server import (
    COMPLETION,
    DONE,
    STREAM_HEAD,
    USAGE_EVENT,
    Script,
    Server,
    always,
    answer,
    chunk,
    piece,
    serving,
)

from steelyard.errors import Fault, InputError, ProviderError
from steelyard.providers.openai_api import OpenAiApi, open_compatible, open_openai
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import Chunk, Completion, Delta, Message, Option, Request, Settings, Target, Usage
from steelyard.quantities import Tokens

REQUEST = Request(
    (Message("system", "Be brief."), Message("user", "Say hello ☀ \ud83d")),
    Settings(max_tokens=9, temperature=0.5, seed=3, stop=("\n",)),
)
COUNTED = Usage(Tokens(20), Tokens(7), Tokens(16), Tokens(3))
POOL = Pool(DataRule.default("public"))
WORDS = [piece("", role="assistant"), piece("Good "), piece("morning "), piece("👩‍🚀"), piece(finish="stop")]


async def opened(server: Server, **options: Option) -> OpenAiApi:
    return await open_compatible(Target("compatible", "m", server.base_url, options=options), POOL)


async def streamed(script: Script, **options: Option) -> list[Chunk]:
    async with serving(script) as server:
        provider = await opened(server, **options)
        try:
            return [each async for each in provider.stream(REQUEST)]
        finally:
            await provider.close()


def stream(*events: bytes, end: bytes = b"0\r\n\r\n") -> Script:
    return always(STREAM_HEAD + b"".join(chunk(event) for event in events) + end)


async def test_a_whole_answer_with_its_usage() -> None:
    async with serving(always(answer(200, COMPLETION))) as server:
        provider = await opened(server)
        completion = await provider.complete(REQUEST)
        await provider.close()
    assert (completion.text, completion.finish_reason, completion.served_model) == (
        "Good morning ☀",
        "stop",
        "served-1",
    )
    assert completion.usage == COUNTED
    assert completion.timing.first_token_seconds is None
    assert 0 < completion.timing.total_seconds < 5


async def test_what_is_sent() -> None:
    async with serving(always(answer(200, COMPLETION))) as server:
        plain, quirky = (
            await opened(server),
            await opened(
                server,
                max_tokens_field="max_completion_tokens",
                send_temperature=False,
                send_seed=False,
                **{"body.reasoning_effort": "minimal"},
            ),
        )
        for provider in (plain, quirky):
            await provider.complete(REQUEST)
            await provider.close()
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello ☀ \ud83d"}]
    assert server.bodies == [
        {"model": "m", "messages": messages, "max_tokens": 9, "temperature": 0.5, "seed": 3, "stop": ["\n"]},
        {"model": "m", "messages": messages, "max_completion_tokens": 9, "stop": ["\n"], "reasoning_effort": "minimal"},
    ]
    assert server.heads[0].startswith("POST /v1/chat/completions HTTP/1.1")
    assert "authorization" not in server.heads[0].lower()


async def test_openai_itself_takes_the_newer_field_and_other_servers_the_older() -> None:
    fields = []
    for address in ("", "https://api.openai.com/v1/", "http://127.0.0.1:1/v1"):
        provider = await open_openai(Target("openai", "m", address), POOL)
        fields.append(provider._max_tokens_field)
        await provider.close()
    assert fields == ["max_completion_tokens", "max_completion_tokens", "max_tokens"]


async def test_a_stream_gives_deltas_then_the_completion() -> None:
    chunks = await streamed(stream(*WORDS, USAGE_EVENT, DONE))
    assert chunks[:-1] == [Delta("Good "), Delta("morning "), Delta("👩‍🚀")]
    final = chunks[-1]
    assert isinstance(final, Completion)
    assert (final.text, final.finish_reason, final.usage) == ("Good morning 👩‍🚀", "stop", COUNTED)
    assert final.timing.first_token_seconds is not None
    assert 0 < final.timing.first_token_seconds <= final.timing.total_seconds


async def test_a_stream_in_single_bytes_says_the_same() -> None:
    whole = b"".join([*WORDS, USAGE_EVENT, DONE])
    chunks = await streamed(stream(*(whole[i : i + 1] for i in range(len(whole)))))
    assert "".join(each.text for each in chunks[:-1]) == chunks[-1].text == "Good morning 👩‍🚀"


@pytest.mark.parametrize(
    "events",
    [
        [*WORDS, USAGE_EVENT],
        [*WORDS, DONE],
        [*WORDS],
        [*WORDS[:2], b": ping\n\n", b"data: {broken\n\n", *WORDS[2:], USAGE_EVENT, DONE],
        [*WORDS[:-1], DONE],
        [*WORDS, USAGE_EVENT.removesuffix(b"\n\n")],
    ],
)
async def test_a_stream_may_lack_its_last_words_or_hold_noise(events: list[bytes]) -> None:
    assert (await streamed(stream(*events)))[-1].text == "Good morning 👩‍🚀"


async def test_a_stream_that_stays_open_after_its_usage_ends_at_once() -> None:
    async with asyncio.timeout(5):
        chunks = await streamed(stream(*WORDS, USAGE_EVENT, end=b""))
    assert isinstance(chunks[-1], Completion) and chunks[-1].usage == COUNTED


async def test_usage_is_asked_for_and_estimated_where_it_does_not_come() -> None:
    async with serving(stream(*WORDS, DONE)) as server:
        provider = await opened(server)
        final = [each async for each in provider.stream(REQUEST)][-1]
        await provider.close()
        assert server.bodies[0]["stream_options"] == {"include_usage": True}
    assert isinstance(final, Completion)
    assert final.usage.estimated and final.usage.input_tokens > 0 and final.usage.output_tokens > 0


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"CLOSE"])
async def test_a_stream_cut_before_its_finish_reason_is_never_a_success(end: bytes) -> None:
    async def cut(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.write(STREAM_HEAD + b"".join(chunk(event) for event in WORDS[:3]) + end.replace(b"CLOSE", b""))
        writer.close()

    with pytest.raises(ProviderError) as caught:
        await streamed(cut)
    assert caught.value.fault is Fault.CUT_STREAM


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"error": {"message": "engine overloaded", "type": "overloaded_error"}}\n\n',
        b'event: error\ndata: {"message": "engine overloaded"}\n\n',
    ],
)
async def test_an_error_inside_a_stream_is_an_error(event: bytes) -> None:
    with pytest.raises(ProviderError, match="engine overloaded") as caught:
        await streamed(stream(*WORDS[:3], event))
    assert caught.value.fault is Fault.OVERLOADED


async def test_a_whole_answer_where_a_stream_was_asked_for_is_malformed() -> None:
    with pytest.raises(ProviderError, match="a whole answer came") as caught:
        await streamed(always(answer(200, COMPLETION)))
    assert caught.value.fault is Fault.MALFORMED


async def test_leaving_a_stream_early_drops_the_connection() -> None:
    closed = asyncio.Event()

    async def endless(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.write(STREAM_HEAD)
        try:
            while True:
                writer.write(chunk(piece("more ")))
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            closed.set()

    async with serving(endless) as server:
        provider = await opened(server)
        chunks = provider.stream(REQUEST)
        assert await anext(chunks) == Delta("more ")
        await chunks.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(5):
            await closed.wait()
        await provider.close()


@pytest.mark.parametrize(
    ("message", "finish", "text", "reason"),
    [
        ({"content": None}, "stop", "", "stop"),
        ({"content": "Hm"}, "tool_calls", "Hm", "other"),
        ({"content": None, "refusal": "I can't"}, "stop", "I can't", "content_filter"),
        ({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Yes"}]}, "stop", "Yes", "stop"),
        ({"content": "cut"}, "content_filter", "cut", "content_filter"),
        (None, None, "", "other"),
    ],
)
async def test_odd_messages_are_understood(message: object, finish: str | None, text: str, reason: str) -> None:
    document: dict[str, object] = {"choices": [{"message": message, "finish_reason": finish}], "usage": None}
    async with serving(always(answer(200, document))) as server:
        provider = await opened(server)
        completion = await provider.complete(REQUEST)
        await provider.close()
    assert (completion.text, completion.finish_reason, completion.served_model) == (text, reason, "m")
    assert completion.usage.estimated


async def test_a_model_that_thinks_until_it_is_cut_off_is_told_from_one_that_once_says_nothing() -> None:
    said = iter(["", "Good", ""])

    async def script(writer: asyncio.StreamWriter, body: bytes) -> None:
        choice = {"message": {"content": next(said)}, "finish_reason": "length"}
        writer.write(answer(200, {"choices": [choice]}))

    async with serving(script) as server:
        provider = await opened(server)
        with pytest.raises(ProviderError, match="before its first word") as thinking:
            await provider.complete(REQUEST)
        assert thinking.value.fault is Fault.BAD_REQUEST
        assert [(await provider.complete(REQUEST)).text for _ in range(2)] == ["Good", ""]
        await provider.close()


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"prompt_tokens": 5},
        {"prompt_tokens": -5, "completion_tokens": 1},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 10**30, "completion_tokens": 1},
        {"prompt_tokens": "many", "completion_tokens": 1},
        {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": -3}},
        [1],
    ],
)
async def test_counts_that_cannot_be_are_estimated_and_the_answer_is_kept(usage: object) -> None:
    async with serving(always(answer(200, COMPLETION | {"usage": usage}))) as server:
        provider = await opened(server)
        completion = await provider.complete(REQUEST)
        await provider.close()
    assert completion.usage.estimated and completion.usage.input_tokens > 0
    assert completion.text == "Good morning ☀"


async def test_audio_tokens_are_counted_apart_and_never_beyond_the_whole() -> None:
    usage = {
        "prompt_tokens": 20,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 9},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 2},
    }
    async with serving(always(answer(200, COMPLETION | {"usage": usage}))) as server:
        provider = await opened(server)
        counted = (await provider.complete(REQUEST)).usage
        await provider.close()
    assert (counted.cached_tokens, counted.audio_input_tokens) == (16, 4)
    assert (counted.reasoning_tokens, counted.audio_output_tokens) == (3, 2)


@pytest.mark.parametrize("damaged", [rb'"\ud83d Good"', b'"\xf0\x9f\x98 Good"'])
async def test_a_text_cut_inside_a_character_is_kept(damaged: bytes) -> None:
    document = json.dumps(COMPLETION).encode().replace(rb'"Good morning \u2600"', damaged)
    assert damaged in document
    async with serving(always(answer(200, document))) as server:
        provider = await opened(server)
        completion = await provider.complete(REQUEST)
        await provider.close()
    assert completion.text.endswith(" Good")
    completion.text.encode()


async def test_embeddings_come_in_the_order_of_the_texts() -> None:
    rows = [{"index": 1, "embedding": [3.0, 4.0]}, {"index": 0, "embedding": [1.0, 2.0]}]
    document: dict[str, object] = {"data": rows, "model": "e", "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    async with serving(always(answer(200, document))) as server:
        provider = await opened(server)
        embeddings = await provider.embed(["a", "b"])
        with pytest.raises(ProviderError, match="3 texts were sent, 2 vectors came back"):
            await provider.embed(["a", "b", "c"])
        await provider.close()
    assert list(embeddings.vectors) == [[1.0, 2.0], [3.0, 4.0]]
    assert embeddings.usage == Usage(Tokens(5))


async def test_an_option_that_does_not_exist_or_does_not_fit_is_an_error() -> None:
    with pytest.raises(InputError, match="max_token_field"):
        await open_compatible(Target("compatible", "m", options={"max_token_field": "x"}), POOL)
    with pytest.raises(InputError, match="true or false"):
        await open_compatible(Target("compatible", "m", options={"send_seed": 1}), POOL)
    for wrong in (0, "x"):
        with pytest.raises(InputError, match="a whole number"):
            await open_compatible(Target("compatible", "m", options={"concurrency": wrong}), POOL)


async def test_the_official_client_reads_the_same_from_the_same_bytes() -> None:
    messages = [{"role": "user", "content": "hello"}]
    async with serving(stream(*WORDS, USAGE_EVENT, DONE)) as server:
        client = AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0)
        theirs, usage = "", None
        async for each in await client.chat.completions.create(model="m", messages=messages, stream=True):  # type: ignore[call-overload]
            theirs += (each.choices[0].delta.content or "") if each.choices else ""
            usage = each.usage or usage
        await client.close()
    final = (await streamed(stream(*WORDS, USAGE_EVENT, DONE)))[-1]
    assert isinstance(final, Completion)
    assert (theirs, usage.prompt_tokens, usage.completion_tokens) == (
        final.text,
        final.usage.input_tokens,
        final.usage.output_tokens,
    )
