"""A verdict: terms applied to one intended use, with the clause that decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["allowed", "conditional", "forbidden", "unknown"]


@dataclass(frozen=True)
class Reason:
    """One clause and what it does to this use. `clause` is a section number ("§3.2(a)") or "" when none was read."""

    effect: Status
    clause: str
    text: str
    licence: str


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

    @property
    def headline(self) -> str:
        """The deciding reason in one line, with its clause."""
        if not self.reasons:
            return self.status
        first = self.reasons[0]
        return f"{first.text} ({first.licence} {first.clause})".replace(" )", ")")
