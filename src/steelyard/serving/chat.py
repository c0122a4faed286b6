"""The wire format of /v1/chat/completions: a body to an Ask, an answer to a body. Nothing is ignored silently."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from steelyard.providers.protocol import Completion, Message, Request, Settings, Usage
from steelyard.serving.refusal import Refusal

DEFAULT_MAX_TOKENS = 512
LARGEST_MAX_TOKENS = 1_000_000


@dataclass(frozen=True)
class Ask:
    """One well-formed request."""

    model: str
    request: Request
    stream: bool
    include_usage: bool

    @property
    def last_user(self) -> str | None:
        """The input of the study's task."""
        return next((m.content for m in reversed(self.request.messages) if m.role == "user"), None)


def parse(body: bytes) -> Ask:
    """The request in a body, or Refusal(400) that names the field at fault."""
    try:
        chat = _Chat.model_validate(_loads(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        param = _path(first["loc"])
        said = (
            "this parameter is not supported"
            if first["type"] == "extra_forbidden"
            else first["msg"].removeprefix("Value error, ")
        )
        message = f"{param}: {said}" if param else said
        raise Refusal(400, "invalid_value", message, param=param or None) from None
    settings = Settings(
        max_tokens=chat.max_completion_tokens or chat.max_tokens or DEFAULT_MAX_TOKENS,
        temperature=chat.temperature or 0.0,
        seed=chat.seed or 0,
        stop=tuple(chat.stop or ()),
    )
    turns = tuple(Message("system" if m.role == "developer" else m.role, m.content) for m in chat.messages)
    options = chat.stream_options
    return Ask(chat.model, Request(turns, settings), bool(chat.stream), bool(options and options.include_usage))


def completion_body(call: str, created: int, model: str, completion: Completion) -> bytes:
    """The answer in one piece."""
    message = {"role": "assistant", "content": completion.text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(completion)}
    return orjson.dumps(
        {**_head("chat.completion", call, created, model), "choices": [choice], "usage": _usage(completion.usage)}
    )


def first_event(call: str, created: int, model: str) -> bytes:
    """The stream's opening: whose turn it is."""
    return _event(call, created, model, {"role": "assistant", "content": ""}, None)


def delta_event(call: str, created: int, model: str, text: str) -> bytes:
    """One piece of the text."""
    return _event(call, created, model, {"content": text}, None)


def last_events(call: str, created: int, model: str, completion: Completion, include_usage: bool) -> bytes:
    """The end of a whole answer: why it ended, the usage if asked for, and [DONE]."""
    end = _event(call, created, model, {}, _finish(completion))
    if include_usage:
        head = _head("chat.completion.chunk", call, created, model)
        end += b"data: " + orjson.dumps({**head, "choices": [], "usage": _usage(completion.usage)}) + b"\n\n"
    return end + b"data: [DONE]\n\n"


def error_event(refusal: Refusal) -> bytes:
    """A stream that broke off says so in band; no [DONE] follows."""
    return b"data: " + orjson.dumps(refusal.body) + b"\n\n"


def _event(call: str, created: int, model: str, delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return (
        b"data: "
        + orjson.dumps({**_head("chat.completion.chunk", call, created, model), "choices": [choice]})
        + b"\n\n"
    )


def _head(kind: str, call: str, created: int, model: str) -> dict[str, str | int]:
    return {"id": call, "object": kind, "created": created, "model": model}


def _finish(completion: Completion) -> str:
    return "stop" if completion.finish_reason == "other" else completion.finish_reason


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _loads(body: bytes) -> object:
    """Strict JSON: orjson refuses NaN, lone surrogates, bad UTF-8 and deep nesting; json sees duplicate keys."""
    try:
        parsed = orjson.loads(body)
        json.loads(body, object_pairs_hook=_distinct)
    except RecursionError:
        raise Refusal(400, "invalid_json", "the body is nested too deeply") from None
    except ValueError as error:
        raise Refusal(400, "invalid_json", f"the body is not valid JSON: {error}") from None
    return parsed


def _distinct(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise ValueError(f"the key {key!r} stands twice in one object")
        seen.add(key)


def _path(loc: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


def _joined(content: object) -> object:
    """Text parts become one text; any other part is refused."""
    if not isinstance(content, list):
        return content
    texts: list[str] = []
    for part in content:
        match part:
            case {"type": "text", "text": str(text), **rest} if not rest:
                texts.append(text)
            case _:
                raise ValueError('only text is supported: a string, or parts of the form {"type": "text", "text": ...}')
    return "".join(texts)


def _listed(stop: object) -> object:
    return [stop] if isinstance(stop, str) else stop


def _only(neutral: object) -> Callable[[object], object]:
    def check(value: object) -> object:
        if value is not None and value != neutral:
            raise ValueError(f"only {orjson.dumps(neutral).decode()} is supported")
        return value

    return check


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Turn(_Strict):
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_joined)]
    name: str | None = None
    refusal: None = None


class _StreamOptions(_Strict):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


_MaxTokens = Annotated[int, Field(ge=1, le=LARGEST_MAX_TOKENS)]


class _Chat(_Strict):
    """What is understood; then what may stand there without effect; then what may only have its neutral value."""

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[_Turn], Field(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: _MaxTokens | None = None
    max_completion_tokens: _MaxTokens | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Annotated[list[str] | None, BeforeValidator(_listed)] = None

    user: str | None = None
    metadata: dict[str, str] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None

    n: Annotated[object, AfterValidator(_only(1))] = None
    top_p: Annotated[object, AfterValidator(_only(1))] = None
    frequency_penalty: Annotated[object, AfterValidator(_only(0))] = None
    presence_penalty: Annotated[object, AfterValidator(_only(0))] = None
    logprobs: Annotated[object, AfterValidator(_only(False))] = None
    store: Annotated[object, AfterValidator(_only(False))] = None
    tools: Annotated[object, AfterValidator(_only([]))] = None
    response_format: Annotated[object, AfterValidator(_only({"type": "text"}))] = None
