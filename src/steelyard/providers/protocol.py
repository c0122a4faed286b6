"""How to call one model: what goes in, what comes out, and the Protocol that every provider keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from steelyard.quantities import Seconds, Tokens

DataClass: TypeAlias = Literal["public", "internal", "confidential", "restricted"]
MaySendTo: TypeAlias = Literal["own", "contracted", "any"]
Option: TypeAlias = str | int | float | bool
Service: TypeAlias = Literal["standard", "batch", "flex", "priority"]
"""At which urgency a vendor answers: batch within a day, flex when there is room, priority first."""


@dataclass(frozen=True)
class Target:
    """All a provider needs to call one model. Knows nothing of licences, prices or studies.

    `wire` names the provider plug-in (openai, llama-cpp, linear, scripted, recorded, ...).
    `custody` says whose machines receive the data: "own", "contracted" (a processing agreement exists) or
    "any" (a third party). `weights_sha256` and `adapter_sha256` enter the journal key.
    `options` are wire-specific (threads, context_tokens, ...).
    """

    wire: str
    model: str
    base_url: str = ""
    key_env: str = ""
    weights: Path | None = None
    weights_sha256: str = ""
    adapter: Path | None = None
    adapter_sha256: str = ""
    custody: MaySendTo = "any"
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Settings:
    """How to generate. Temperature 0 is greedy."""

    max_tokens: int = 64
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """A conversation to be continued."""

    messages: tuple[Message, ...]
    settings: Settings = Settings()


@dataclass(frozen=True)
class Usage:
    """Tokens as the provider bills or counts them, and what it bills by the piece (`units`, such as pages).

    Tokens that were cached, written to a cache (for minutes, or long), of audio or of images are parts of
    `input_tokens` that do not overlap; so are those of hidden reasoning, audio and images of `output_tokens`.
    """

    input_tokens: Tokens = Tokens(0)
    output_tokens: Tokens = Tokens(0)
    cached_tokens: Tokens = Tokens(0)
    reasoning_tokens: Tokens = Tokens(0)
    estimated: bool = False
    cache_write_tokens: Tokens = Tokens(0)
    cache_write_long_tokens: Tokens = Tokens(0)
    audio_input_tokens: Tokens = Tokens(0)
    audio_output_tokens: Tokens = Tokens(0)
    image_input_tokens: Tokens = Tokens(0)
    image_output_tokens: Tokens = Tokens(0)
    service: Service = "standard"
    units: tuple[tuple[str, Decimal], ...] = ()

    @classmethod
    def total(cls, usages: Mapping[Usage, int]) -> Usage:
        """The tokens of all, each taken as often as it occurred: no call, so without service and pieces."""
        total = cls(estimated=any(usage.estimated for usage in usages))
        for name in (one.name for one in fields(cls) if one.name.endswith("_tokens")):
            total = replace(total, **{name: sum(getattr(usage, name) * times for usage, times in usages.items())})
        return total


@dataclass(frozen=True)
class Timing:
    """Stamped at the socket (or at the pipe to the child process), never including our own queue.

    `first_token_seconds` is None where the answer does not stream.
    """

    total_seconds: Seconds
    first_token_seconds: Seconds | None = None


@dataclass(frozen=True)
class Completion:
    """A whole answer. `served_model` is what the server says it ran; it is recorded, never keyed."""

    text: str
    finish_reason: Literal["stop", "length", "content_filter", "other"]
    usage: Usage
    timing: Timing
    served_model: str


@dataclass(frozen=True)
class Delta:
    """One piece of a streaming answer."""

    text: str


Chunk: TypeAlias = Delta | Completion
"""A stream yields any number of Delta and ends with exactly one Completion (text = all deltas joined)."""


@dataclass(frozen=True)
class LabelRequest:
    """Which of these labels fits this input?

    `text` is the raw input (what `linear` and `+head` read). `prefix` + `prompt` is the rendered prompt that
    a language model continues: `prefix` is shared by many requests (few-shot examples), `prompt` is this
    item's part. `labels` are the continuations, each exactly as it would follow the prompt.
    `priors` (one log-probability a label), where given, are subtracted: PMI calibration.
    `full` asks for every label's score; otherwise only the exact argmax is promised.
    """

    text: str
    prefix: str
    prompt: str
    labels: tuple[str, ...]
    priors: tuple[float, ...] | None = None
    full: bool = False


@dataclass(frozen=True)
class LabelScores:
    """`best` is the index of the exact argmax of score = log-probability - prior.

    `scores` holds one log-probability minus prior a label when `full` was asked for, else None.
    """

    best: int
    best_score: float
    scores: tuple[float, ...] | None
    usage: Usage
    timing: Timing
    served_model: str


@dataclass(frozen=True)
class Embeddings:
    """`vectors`: one row a text, float32, as given back by the engine."""

    vectors: Sequence[Sequence[float]]
    usage: Usage
    timing: Timing
    served_model: str


@runtime_checkable
class Provider(Protocol):
    """One target, ready to be called. Verbs that a wire does not have raise ProviderError(BAD_REQUEST).

    `verbs` names those it has: "complete", "embed", "score_labels".
    """

    target: Target
    verbs: frozenset[str]

    async def complete(self, request: Request) -> Completion: ...

    def stream(self, request: Request) -> AsyncIterator[Chunk]: ...

    async def embed(self, texts: Sequence[str]) -> Embeddings: ...

    async def score_labels(self, request: LabelRequest) -> LabelScores: ...

    async def close(self) -> None: ...


class Pool(Protocol):
    """Open providers, one a distinct target, shared by all who ask; closes them all at the end."""

    async def get(self, target: Target) -> Provider: ...


class Opener(Protocol):
    """What a provider plug-in is. `pool` is for wires that stand on another target (a head on an embedder)."""

    async def __call__(self, target: Target, pool: Pool) -> Provider: ...
