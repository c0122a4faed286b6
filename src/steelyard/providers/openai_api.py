"""The wires "openai" and "compatible": chat completions and embeddings as OpenAI defined them.

They differ in defaults only: OpenAI itself takes `max_completion_tokens`, most other servers `max_tokens`.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from pydantic import ValidationError

from steelyard.errors import Fault, ProviderError
from steelyard.providers.http import Answer, HttpClient, Limits, fault_of, html_said
from steelyard.providers.openai_messages import ChatAnswer, ChatUsage, EmbeddingAnswer
from steelyard.providers.options import check_options, option
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Delta,
    Embeddings,
    LabelRequest,
    LabelScores,
    Message,
    Pool,
    Request,
    Settings,
    Target,
    Usage,
)
from steelyard.providers.sse import Event, EventParser
from steelyard.quantities import Tokens

_OPENAI_ADDRESS = "https://api.openai.com/v1"
_BODY = "body."
_OPTIONS = (
    "max_tokens_field",
    "send_temperature",
    "send_seed",
    "include_usage",
    "connect_seconds",
    "first_byte_seconds",
    "idle_seconds",
    "total_seconds",
    "answer_bytes",
)
_USAGE_WAIT_SECONDS = 1.0
_DRAIN_SECONDS = 0.25
_UNSPOKEN = (
    "all {} tokens of the answer were used up before its first word, as by a model that thinks first: give it room "
    "with the option body.max_tokens (or body.max_completion_tokens), or keep it from thinking"
)

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json]"

_Reply = TypeVar("_Reply", ChatAnswer, EmbeddingAnswer)


async def open_openai(target: Target, pool: Pool) -> OpenAiApi:
    """Plug-in "openai". An empty base_url means OpenAI itself."""
    if target.base_url.rstrip("/") in ("", _OPENAI_ADDRESS):
        return OpenAiApi(target, _OPENAI_ADDRESS, "max_completion_tokens")
    return await open_compatible(target, pool)


async def open_compatible(target: Target, pool: Pool) -> OpenAiApi:
    """Plug-in "compatible": any server with the same interface; base_url is needed, a key may be."""
    return OpenAiApi(target, target.base_url, "max_tokens")


class OpenAiApi:
    """One model behind an OpenAI-compatible endpoint."""

    verbs = frozenset({"complete", "embed"})

    def __init__(self, target: Target, base_url: str, max_tokens_field: str) -> None:
        check_options(target, _OPTIONS, (_BODY,))
        self.target = target
        standard = Limits()
        limits = Limits(
            connect_seconds=option(target, "connect_seconds", standard.connect_seconds),
            first_byte_seconds=option(target, "first_byte_seconds", standard.first_byte_seconds),
            idle_seconds=option(target, "idle_seconds", standard.idle_seconds),
            total_seconds=option(target, "total_seconds", standard.total_seconds),
            answer_bytes=option(target, "answer_bytes", standard.answer_bytes),
        )
        self._max_tokens_field = option(target, "max_tokens_field", max_tokens_field)
        self._send_temperature = option(target, "send_temperature", True)
        self._send_seed = option(target, "send_seed", True)
        self._include_usage = option(target, "include_usage", True)
        self._spoken = False
        self._client = HttpClient(base_url, target.key_env, limits)

    async def complete(self, request: Request) -> Completion:
        """A whole answer, asked for whole: `first_token_seconds` is None."""
        async with self._client.post("/chat/completions", _encode(self._chat(request))) as answer:
            document = await answer.body()
        reply = _parse(ChatAnswer, document, answer)
        if not reply.choices:
            raise ProviderError(Fault.MALFORMED, "the answer has no choices")
        choice = reply.choices[0]
        text, refused = choice.message.said()
        self._spoken = self._spoken or bool(text.strip())
        if choice.finish_reason == "length" and not self._spoken:
            raise ProviderError(Fault.BAD_REQUEST, _UNSPOKEN.format(request.settings.max_tokens))
        return Completion(
            text=text,
            finish_reason="content_filter" if refused else _finish(choice.finish_reason),
            usage=_usage(reply.usage, request, text),
            timing=answer.timing(),
            served_model=reply.model or self.target.model,
        )

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """Ends with the finish reason and the usage; whether the server then says [DONE] does not matter.

        Chunks that are not JSON are skipped. Raises ProviderError(CUT_STREAM) if the end comes before a finish
        reason, and the server's own error if it sends one inside the stream.
        """
        body = self._chat(request) | {"stream": True}
        if self._include_usage:
            body["stream_options"] = {"include_usage": True}
        async with self._client.post("/chat/completions", _encode(body)) as answer:
            if any(kind in answer.headers.get("Content-Type", "") for kind in ("json", "html")):
                raise _not_a_stream(await answer.body(), answer)
            state = _Stream()
            async with aclosing(answer.chunks()) as chunks, aclosing(_deltas(chunks, state, answer)) as deltas:
                try:
                    async for delta in deltas:
                        yield delta
                except ProviderError:
                    if state.finish is None:
                        raise
                yield self._completion(request, state, answer)
                answer.hurry(_DRAIN_SECONDS)
                with suppress(ProviderError):
                    async for _ in chunks:
                        pass

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """One vector a text, in the order of the texts."""
        body: dict[str, Json] = {"model": self.target.model, "input": list(texts), "encoding_format": "float"}
        async with self._client.post("/embeddings", _encode(body | self._extras())) as answer:
            document = await answer.body()
        reply = _parse(EmbeddingAnswer, document, answer)
        rows = sorted(reply.data, key=lambda row: row.index)
        if [row.index for row in rows] != list(range(len(texts))):
            raise ProviderError(Fault.MALFORMED, f"{len(texts)} texts were sent, {len(rows)} vectors came back")
        usage = _estimate("".join(texts), "")
        if reply.usage:
            usage = Usage(input_tokens=Tokens(reply.usage.prompt_tokens))
        return Embeddings([row.embedding for row in rows], usage, answer.timing(), reply.model or self.target.model)

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        """Not to be had: these servers give no log-probability of a text of ours."""
        raise ProviderError(Fault.BAD_REQUEST, f"the wire {self.target.wire} cannot score labels")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def _chat(self, request: Request) -> dict[str, Json]:
        settings: Settings = request.settings
        body: dict[str, Json] = {
            "model": self.target.model,
            "messages": [_message(message) for message in request.messages],
            self._max_tokens_field: settings.max_tokens,
        }
        if self._send_temperature:
            body["temperature"] = settings.temperature
        if self._send_seed:
            body["seed"] = settings.seed
        if settings.stop:
            body["stop"] = list(settings.stop)
        return body | self._extras()

    def _extras(self) -> dict[str, Json]:
        return {
            name.removeprefix(_BODY): value for name, value in self.target.options.items() if name.startswith(_BODY)
        }

    def _completion(self, request: Request, state: _Stream, answer: Answer) -> Completion:
        if state.finish is None and not state.done:
            raise ProviderError(Fault.CUT_STREAM, "the stream ended without a finish reason")
        text = "".join(state.text)
        return Completion(
            text=text,
            finish_reason="content_filter" if state.refused else _finish(state.finish),
            usage=_usage(state.usage, request, text),
            timing=answer.timing(state.first_token, state.last),
            served_model=state.model or self.target.model,
        )


@dataclass
class _Stream:
    """What has been heard of a streaming answer. Stamps are those of the bytes that brought the news."""

    text: list[str] = field(default_factory=list)
    model: str = ""
    finish: str | None = None
    usage: ChatUsage | None = None
    refused: bool = False
    done: bool = False
    first_token: float | None = None
    last: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether nothing more is needed."""
        return self.done or (self.finish is not None and self.usage is not None)

    def take(self, event: Event, answer: Answer) -> str:
        """The text that an event adds."""
        if event.data.strip() == "[DONE]":
            self.done = True
            return ""
        try:
            chunk = ChatAnswer.model_validate_json(event.data)
        except ValidationError:
            return ""
        if chunk.error is not None or event.name == "error":
            raise _in_band(*answer.explain(event.data.encode()))
        self.last = answer.last_byte
        self.model = self.model or chunk.model or ""
        self.usage = chunk.usage or self.usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finish = choice.finish_reason or self.finish
        text, refused = choice.delta.said()
        self.refused = self.refused or refused
        if text:
            self.text.append(text)
            self.first_token = self.first_token or self.last
        return text


async def _deltas(chunks: AsyncIterator[bytes], state: _Stream, answer: Answer) -> AsyncGenerator[Delta, None]:
    parser = EventParser()
    more = True
    while more and not state.complete:
        data = await anext(chunks, b"")
        more = bool(data)
        for event in parser.feed(data) if more else parser.finish():
            delta = state.take(event, answer)
            if delta:
                yield Delta(delta)
        if state.finish is not None:
            answer.hurry(_USAGE_WAIT_SECONDS)


def _message(message: Message) -> dict[str, Json]:
    return {"role": message.role, "content": message.content}


def _encode(body: Mapping[str, Json]) -> bytes:
    # The standard library's encoder, because it can escape a lone surrogate where faster ones refuse the text.
    return json.dumps(body).encode()


def _parse(kind: type[_Reply], document: bytes, answer: Answer) -> _Reply:
    try:
        reply = kind.model_validate_json(document)
    except ValidationError:
        reply = _parse_damaged(kind, document)
    if reply.error is not None:
        raise _in_band(*answer.explain(document))
    return reply


def _parse_damaged(kind: type[_Reply], document: bytes) -> _Reply:
    """A text that was cut inside a character is no reason to lose the answer: what is no Unicode is replaced."""
    with suppress(ValueError, RecursionError):  # ValidationError is a ValueError
        readable = json.dumps(json.loads(document.decode(errors="replace")), ensure_ascii=False)
        return kind.model_validate_json(readable.encode(errors="replace"))
    text = document.decode(errors="replace").lstrip()
    shape = html_said(text) if text.startswith("<") else "not what was asked for"
    raise ProviderError(Fault.MALFORMED, f"the answer is {shape}")


def _in_band(message: str, code: str) -> ProviderError:
    return ProviderError(fault_of(0, code, message), message or code or "an error without explanation")


def _not_a_stream(document: bytes, answer: Answer) -> ProviderError:
    _parse(ChatAnswer, document, answer)
    return ProviderError(Fault.MALFORMED, "a stream was asked for, and a whole answer came")


def _finish(reason: str | None) -> Literal["stop", "length", "content_filter", "other"]:
    match reason:
        case "stop" | "length" | "content_filter":
            return reason
        case _:
            return "other"


def _usage(usage: ChatUsage | None, request: Request, text: str) -> Usage:
    if usage is None or usage.completion_tokens is None:
        return _estimate("".join(message.content for message in request.messages), text)
    inputs, outputs = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = min(usage.prompt_tokens, (inputs and inputs.cached_tokens) or 0)
    hidden = min(usage.completion_tokens, (outputs and outputs.reasoning_tokens) or 0)
    return Usage(
        input_tokens=Tokens(usage.prompt_tokens),
        output_tokens=Tokens(usage.completion_tokens),
        cached_tokens=Tokens(cached),
        reasoning_tokens=Tokens(hidden),
        audio_input_tokens=Tokens(min(usage.prompt_tokens - cached, (inputs and inputs.audio_tokens) or 0)),
        audio_output_tokens=Tokens(min(usage.completion_tokens - hidden, (outputs and outputs.audio_tokens) or 0)),
    )


def _estimate(sent: str, received: str) -> Usage:
    """Four bytes a token: a rule of thumb for English, flagged as an estimate."""
    counts = [math.ceil(len(text.encode(errors="replace")) / 4) for text in (sent, received)]
    return Usage(Tokens(counts[0]), Tokens(counts[1]), estimated=True)
