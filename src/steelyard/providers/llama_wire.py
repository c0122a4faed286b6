"""What the llama.cpp provider and its worker say to each other: one JSON object a line, in both directions.

A line is `{"kind": CLASS, ...fields}`. Every request carries an id of the caller's choosing, unique while it is
in flight; every reply repeats it. A request is over after one reply whose `last` is true.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import orjson

from steelyard.errors import Fault, ProviderError


@dataclass(frozen=True)
class Score:
    """Score labels; the fields are those of protocol.LabelRequest."""

    id: int
    prefix: str
    prompt: str
    labels: tuple[str, ...]
    priors: tuple[float, ...] | None
    full: bool


@dataclass(frozen=True)
class Embed:
    """Embed texts."""

    id: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Generate:
    """Continue a conversation, a list of (role, content); `stream` asks for a Piece per piece of text."""

    id: int
    messages: tuple[tuple[str, str], ...]
    max_tokens: int
    temperature: float
    seed: int
    stop: tuple[str, ...]
    stream: bool


@dataclass(frozen=True)
class Cancel:
    """Nobody waits for this request any more. Has no reply."""

    id: int


@dataclass(frozen=True)
class Ready:
    """The model is loaded; said once, with id 0, before any other reply."""

    last: ClassVar[bool] = True
    id: int
    model: str
    trained_tokens: int
    embedding_width: int


@dataclass(frozen=True)
class Failed:
    """The request failed. With id 0 the worker could not start and ends; `slug` is then set where known."""

    last: ClassVar[bool] = True
    id: int
    fault: Fault
    message: str
    slug: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class Scored:
    """`waited_seconds` is the time from reading the request to the start of the group it was scored in.

    A number that is none comes as None.
    """

    last: ClassVar[bool] = True
    id: int
    best: int
    best_score: float | None
    scores: tuple[float | None, ...] | None
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    waited_seconds: float


@dataclass(frozen=True)
class Embedded:
    """`vectors` is base64 of rows of float32 in the machine's own byte order, `width` numbers each."""

    last: ClassVar[bool] = True
    id: int
    width: int
    vectors: str
    input_tokens: int
    waited_seconds: float

    @staticmethod
    def pack(rows: bytes) -> str:
        """Bytes of float32 as `vectors`."""
        return base64.b64encode(rows).decode()

    def rows(self) -> bytes:
        """The bytes that were packed."""
        return base64.b64decode(self.vectors)


@dataclass(frozen=True)
class Piece:
    """Some more text of an answer."""

    last: ClassVar[bool] = False
    id: int
    text: str
    waited_seconds: float


@dataclass(frozen=True)
class Generated:
    """The whole answer."""

    last: ClassVar[bool] = True
    id: int
    text: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    waited_seconds: float


@dataclass(frozen=True)
class Alive:
    """The worker waits for work, or is at it: said every few seconds, and not by one that stands still."""

    last: ClassVar[bool] = False
    id: int = -1


def damaged() -> ProviderError:
    """What to say where logits are no numbers: an answer taken from them would be one by chance."""
    step = "fetch the weights again: steelyard models get ID"
    return ProviderError(Fault.BAD_REQUEST, "the model computes no numbers: its file may be damaged", next_step=step)


Ask: TypeAlias = Score | Embed | Generate
Order: TypeAlias = Ask | Cancel
Reply: TypeAlias = Ready | Alive | Failed | Scored | Embedded | Piece | Generated

_KINDS = {
    kind.__name__: kind
    for kind in (Score, Embed, Generate, Cancel, Ready, Alive, Failed, Scored, Embedded, Piece, Generated)
}


def encode(message: Order | Reply) -> bytes:
    """One line, with its end."""
    return b'{"kind":"%s",' % type(message).__name__.encode() + orjson.dumps(message)[1:] + b"\n"


def decode_order(line: bytes) -> Order:
    """What the worker reads. Raises ValueError for anything that is not an order."""
    message = _decode(line)
    if not isinstance(message, Order):
        raise ValueError(f"{type(message).__name__} is no order")
    return message


def decode_reply(line: bytes) -> Reply:
    """What the provider reads. Raises ValueError for anything that is not a reply."""
    message = _decode(line)
    if not isinstance(message, Reply):
        raise ValueError(f"{type(message).__name__} is no reply")
    return message


def _decode(line: bytes) -> object:
    fields = orjson.loads(line)
    try:
        kind = _KINDS[fields.pop("kind")]
        for name in ("labels", "priors", "texts", "stop", "scores"):
            if isinstance(fields.get(name), list):
                fields[name] = tuple(fields[name])
        if "messages" in fields:
            fields["messages"] = tuple((role, content) for role, content in fields["messages"])
        if "fault" in fields:
            fields["fault"] = Fault(fields["fault"])
        return kind(**fields)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a message: {error!r}") from error
