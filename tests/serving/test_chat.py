"""What a body must look like."""

from __future__ import annotations

import json

import orjson
import pytest

from steelyard.providers.protocol import Message
from steelyard.serving.chat import DEFAULT_MAX_TOKENS, parse
from steelyard.serving.refusal import Refusal

GOOD = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def body(**more: object) -> bytes:
    return orjson.dumps({**GOOD, **more})


def test_a_plain_request_is_greedy_and_bounded() -> None:
    ask = parse(body())
    assert ask.request.messages == (Message("user", "hi"),)
    assert (ask.request.settings.temperature, ask.request.settings.max_tokens) == (0.0, DEFAULT_MAX_TOKENS)
    assert not ask.stream and not ask.include_usage


def test_null_means_left_out() -> None:
    assert parse(body(temperature=None, max_tokens=None, stop=None, stream=None, n=None)) == parse(body())


def test_what_changes_nothing_is_taken() -> None:
    harmless = {"n": 1, "top_p": 1.0, "presence_penalty": 0, "tools": [], "response_format": {"type": "text"}}
    assert parse(body(**harmless, user="u", metadata={"a": "b"})) == parse(body())


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": 1}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "messages[0].content"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"other": 1}}, "stream_options.other"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -5}, "max_tokens"),
        ({"max_tokens": 10**12}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"temperature": True}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"seed": 2**64}, "seed"),
        ({"stop": [1]}, "stop[0]"),
        ({"n": 2}, "n"),
        ({"top_p": 0.5}, "top_p"),
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_cannot_be_done_is_refused_and_named(more: dict[str, object], param: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(json.dumps({**GOOD, **more}).encode())
    assert (caught.value.status, caught.value.param) == (400, param)
    assert caught.value.message.startswith(param)
    assert "Value error" not in caught.value.message


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        b'{"model": NaN}',
        b'{"temperature": 1e400}',
        b'{"model": "m", "model": "n", "messages": []}',
        b'{"model": "m", "messages": [{"role": "user", "content": "a", "content": "b"}]}',
        b'{"model": "\\ud800", "messages": []}',
        b'{"model": "\xed\xa0\x80", "messages": []}',
        b"[" * 100_000,
        b'{"a":' * 1_010 + b"1" + b"}" * 1_010,
        b"[" * 1_023 + b"]" * 1_023,
        b'{"seed": ' + b"9" * 5_000 + b"}",
    ],
)
def test_hostile_json_is_a_400(hostile: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        parse(hostile)
    assert caught.value.status == 400
    orjson.dumps(caught.value.body)
