"""What OpenAI-compatible servers answer, read leniently: unknown fields are ignored, absent ones have defaults."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator


class ContentPart(BaseModel):
    """One part of a message whose content is a list; parts that are no text (thinking) count as empty."""

    text: str | None = None


class ChatMessage(BaseModel):
    """A message, or the part of one that a stream's chunk adds."""

    content: str | list[ContentPart] | None = None
    refusal: str | None = None

    def said(self) -> tuple[str, bool]:
        """The text, and whether it is a refusal."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content), False
        if not self.content and self.refusal:
            return self.refusal, True
        return self.content or "", False


def _or_empty(value: object) -> object:
    return {} if value is None else value


class ChatChoice(BaseModel):
    """One answer; only the first is ever asked for."""

    message: Annotated[ChatMessage, BeforeValidator(_or_empty)] = Field(default_factory=ChatMessage)
    delta: Annotated[ChatMessage, BeforeValidator(_or_empty)] = Field(default_factory=ChatMessage)
    finish_reason: str | None = None


Count = Annotated[int, Field(ge=0, le=10**9)]


class InputDetails(BaseModel):
    """What the input tokens consist of."""

    cached_tokens: Count | None = None
    audio_tokens: Count | None = None


class OutputDetails(BaseModel):
    """What the output tokens consist of."""

    reasoning_tokens: Count | None = None
    audio_tokens: Count | None = None


class ChatUsage(BaseModel):
    """Token counts; cached tokens are part of the prompt's, reasoning tokens of the completion's."""

    prompt_tokens: Annotated[Count, Field(gt=0)]
    completion_tokens: Count | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None


def _if_sensible(value: object, validate: ValidatorFunctionWrapHandler) -> ChatUsage | None:
    """No counts are better than counts that cannot be: what is missing is estimated, and flagged."""
    try:
        return validate(value)  # type: ignore[no-any-return]
    except ValidationError:
        return None


SensibleUsage = Annotated[ChatUsage | None, WrapValidator(_if_sensible)]


class ChatAnswer(BaseModel):
    """A chat completion, or one chunk of a streaming one. `error` is set where a 200 was no success."""

    model: str | None = None
    choices: Annotated[list[ChatChoice], BeforeValidator(lambda value: value or [])] = Field(default_factory=list)
    usage: SensibleUsage = None
    error: object | None = None


class EmbeddingRow(BaseModel):
    """One vector and the number of its text."""

    embedding: list[float]
    index: int


class EmbeddingAnswer(BaseModel):
    """An answer with embeddings."""

    model: str | None = None
    data: list[EmbeddingRow] = Field(default_factory=list)
    usage: SensibleUsage = None
    error: object | None = None
