"""One tree of exceptions; every user-facing error says what is wrong, what is allowed and what to do next.

Mistakes of the input are values (`Problem`), collected and raised once as `InputError`; mistakes of the
program are ordinary exceptions. Each `slug` is a heading in docs/messages.md (a test holds this), which
`steelyard explain` prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from steelyard.visible import visible, visible_lines


class Exit(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    GATE = 3
    PARTIAL = 4
    BUDGET = 5
    INTERRUPTED = 130
    READER_LEFT = 141


@dataclass(frozen=True)
class Problem:
    """One mistake in the input: where it is, what is wrong, what is allowed, the next step."""

    slug: str
    what: str
    where: str = ""
    allowed: str = ""
    next_step: str = ""

    def __str__(self) -> str:
        """Made to be read: what came from outside cannot steer a terminal or pose as a line of ours."""
        what = visible_lines(self.what, "\n  ")
        lines = [f"{visible(self.where)}: {what}" if self.where else what]
        if self.allowed:
            lines.append(f"  allowed: {visible(self.allowed)}")
        if self.next_step:
            lines.append(f"  next: {visible(self.next_step)}")
        lines.append(f"  help: steelyard explain {self.slug}")
        return "\n".join(lines)


class SteelyardError(Exception):
    """Base of all errors a user may see. Carries one or more problems and the exit code."""

    exit_code: Exit = Exit.INTERNAL

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InputError(SteelyardError):
    """A study file, data file, option or argument is wrong; lists every mistake found."""

    exit_code = Exit.USAGE


class NotWritable(SteelyardError):
    """The study's own output cannot be written: the disk is full, the folder read-only, the journal damaged."""

    exit_code = Exit.USAGE


class NotAvailable(SteelyardError):
    """Something optional is missing on this machine: an extra, weights, a key."""

    exit_code = Exit.USAGE


class BudgetReached(SteelyardError):
    """The next call would cost more than what is left of the budget; work so far is kept."""

    exit_code = Exit.BUDGET


class GateFailed(SteelyardError):
    """A gate that `--fail-on` asked for did not pass."""

    exit_code = Exit.GATE


class Denied(SteelyardError):
    """A data-privacy rule forbids sending this data to that target; raised before any socket opens."""

    exit_code = Exit.USAGE


class Fault(StrEnum):
    """Everything that can go wrong with a call to a model, in one small set."""

    AUTH = "auth"
    PERMISSION = "permission"
    NOT_FOUND = "not found"
    BAD_REQUEST = "bad request"
    TOO_LONG = "too long"
    CONTENT_FILTER = "content filter"
    RATE_LIMIT = "rate limit"
    OVERLOADED = "overloaded"
    SERVER = "server error"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    CUT_STREAM = "cut stream"
    MALFORMED = "malformed answer"
    CRASHED = "crashed"

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed if it is made again."""
        return self in _RETRYABLE

    @property
    def of_the_model(self) -> bool:
        """Whether the model itself could not, or would not, answer: it counts as a wrong answer."""
        return self in (Fault.TOO_LONG, Fault.CONTENT_FILTER)

    @property
    def busy(self) -> bool:
        """Whether the target only asks for patience."""
        return self in (Fault.RATE_LIMIT, Fault.OVERLOADED)

    @property
    def whatever_is_asked(self) -> bool:
        """Whether the fault has nothing to do with the message of the call."""
        return self.busy or self in (Fault.TIMEOUT, Fault.UNREACHABLE)

    @property
    def fatal_for_target(self) -> bool:
        """Whether every further call to the same target will fail the same way."""
        return self in (Fault.AUTH, Fault.PERMISSION, Fault.NOT_FOUND)


_RETRYABLE = frozenset(
    {
        Fault.RATE_LIMIT,
        Fault.OVERLOADED,
        Fault.SERVER,
        Fault.TIMEOUT,
        Fault.UNREACHABLE,
        Fault.CUT_STREAM,
        Fault.MALFORMED,
        Fault.CRASHED,
    }
)


_NEXT_STEPS = {
    Fault.AUTH: "check the key that `key_env` names",
    Fault.PERMISSION: "ask the provider what this key may do and whether it is paid for",
    Fault.NOT_FOUND: "check the model's name and the base_url",
    Fault.BAD_REQUEST: "see docs/providers.md for the options that change what is sent",
    Fault.RATE_LIMIT: "run again later, what was answered is kept; or set the candidate's `concurrency` lower",
    Fault.OVERLOADED: "run again later, what was answered is kept; or set the candidate's `concurrency` lower",
    Fault.SERVER: "run again later, what was answered is kept; the server's own log says more",
    Fault.TIMEOUT: "see whether the server is up; a slow one gets more time with the option `first_byte_seconds`",
    Fault.UNREACHABLE: "check the base_url, and that the server is up",
    Fault.CUT_STREAM: "run again, what was answered is kept; the server's own log says more",
    Fault.MALFORMED: "check that base_url is that of an OpenAI-compatible API, most often ending in /v1",
    Fault.CRASHED: "run again, what was answered is kept; free memory if there is little",
}


class ProviderError(SteelyardError):
    """A call to a model failed. `fault` says how; `retry_after_seconds` is the server's own advice.

    `next_step` is what the fault suggests, unless something better is known.
    """

    def __init__(
        self,
        fault: Fault,
        message: str,
        *,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        next_step: str = "",
    ) -> None:
        self.fault = fault
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        what = f"{fault.value}: {message}"
        super().__init__(Problem(slug="provider-failed", what=what, next_step=next_step or _NEXT_STEPS.get(fault, "")))
