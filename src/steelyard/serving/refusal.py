"""A request that gets no answer: the status and the body that OpenAI's clients understand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steelyard.errors import Fault, ProviderError
from steelyard.providers.keys import scrubbed
from steelyard.visible import visible

_TYPES = {400: "invalid_request_error", 403: "permission_error", 404: "invalid_request_error", 429: "rate_limit_error"}


class Refusal(Exception):
    """Why there is no answer. `param` names the field at fault, as in `messages[0].content`.

    What came from the client or from a model is made harmless to read, and goes out without any key.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.message, self.param = visible(scrubbed(message)), None if param is None else visible(param)
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, dict[str, str | None]]:
        """OpenAI's error object."""
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def not_found(asked: str, models: Sequence[str]) -> Refusal:
    """No such model; says which there are."""
    known = ", ".join(models)
    return Refusal(404, "model_not_found", f"no model is called {asked!r}; there are: {known}", param="model")


def unlogged(error: OSError) -> Refusal:
    """The usage log cannot be written, so nothing is answered."""
    why = error.strerror or type(error).__name__
    return Refusal(503, "usage_log_unwritable", f"the usage log cannot be written ({why}); no answer goes out unlogged")


def from_provider(error: ProviderError, tried: str, *, clients_words: bool) -> Refusal:
    """Only what the client can change is a 4xx: never the gateway's own keys, nor a prompt that is the study's.

    `clients_words`: the conversation went to the model as the client sent it.

    What an upstream said about its own trouble may hold account details, so it stays in the server's log.
    """
    said = error.problems[0].what
    match error.fault:
        case Fault.TOO_LONG:
            return Refusal(400, "context_length_exceeded", said, param="messages")
        case Fault.CONTENT_FILTER:
            return Refusal(400, "content_filter", said, param="messages")
        case Fault.BAD_REQUEST if clients_words:
            return Refusal(400, "bad_request", said)
        case Fault.RATE_LIMIT:
            wait = error.retry_after_seconds
            headers = {} if wait is None else {"retry-after": str(max(1, round(wait)))}
            return Refusal(429, "rate_limit_exceeded", f"no candidate could answer: {tried}", headers=headers)
        case fault:
            return Refusal(503, fault.value.replace(" ", "_"), f"no candidate could answer: {tried}")
