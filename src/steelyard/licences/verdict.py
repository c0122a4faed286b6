"""A verdict: terms applied to one intended use, with the clause that decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["allowed", "conditional", "forbidden", "unknown"]

STRICTEST_FIRST: tuple[Status, ...] = ("forbidden", "unknown", "conditional", "allowed")


@dataclass(frozen=True)
class Reason:
    """One clause and what it does to this use. `clause` is a section number ("§3.2(a)") or "" when none was read.

    `licence` is the text's name; `source` and `as_of` say where it was read and when.
    """

    effect: Status
    clause: str
    text: str
    licence: str
    licence_id: str = ""
    source: str = ""
    as_of: str = ""


@dataclass(frozen=True)
class Threshold:
    """A limit that the terms draw, and how far the stated facts are from it. None: not said, or never reached.

    `text` is the whole of it as a sentence. `effect` is what being above it does. `headroom` is what is left, below
    zero when it is passed. `crossed_in_months` follows from the stated growth: today's verdict stands until then.
    Where a limit looks at a release date, it is when today's users pass the number, as a later version would count.
    """

    text: str
    licence: str
    section: str
    effect: str
    counted: str
    limit: int
    value: int | None = None
    headroom: int | None = None
    crossed_in_months: int | None = None
    crossed_in: str = ""
    licence_id: str = ""


@dataclass(frozen=True)
class Verdict:
    """The strictest effect over all terms that apply (own licence, policy, every base model's).

    `reasons` lead with the deciding one. `duties` must be done ("display Built with Llama"); `questions` must be
    answered by the user to turn conditional or unknown into an answer. `not_read` names what nobody has read yet.
    Not legal advice.
    """

    status: Status
    reasons: tuple[Reason, ...]
    duties: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    licence_id: str = ""
    licence_name: str = ""
    revision: str = ""
    source: str = ""
    as_of: str = ""
    thresholds: tuple[Threshold, ...] = ()

    @property
    def headline(self) -> str:
        """The deciding reason in one line, with its clause."""
        if not self.reasons:
            return self.status
        first = self.reasons[0]
        return f"{first.text} ({first.licence} {first.clause})".replace(" )", ")")
