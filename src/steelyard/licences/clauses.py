"""Terms as data: a licence is a list of clauses, each with an effect and the condition under which it bites.

Conditions are three-valued. What the user has not stated makes a condition undecided, and an undecided condition
becomes a question, never a yes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from steelyard.catalogue.model import Way
from steelyard.licences.verdict import Status
from steelyard.usecase.case import Already, Distribute, OutputsTrain, Purpose, Role

Read: TypeAlias = Literal["whole", "extract", "none"]
OrganisationKind: TypeAlias = Literal["company", "non-profit", "academic", "government", "individual"]
Modality: TypeAlias = Literal["text", "code", "vision", "image", "audio", "embedding", "reranker"]
Effect: TypeAlias = Literal["allowed", "conditional", "forbidden", "unknown", "rule"]
"""What a clause does. "allowed" grants; "rule" binds without changing the status; the others restrict."""


@dataclass(frozen=True)
class Condition:
    """All parts that are given must hold; a part that is empty does not ask.

    `domicile`: codes of the countries where the organisation is established; `users_in`: where those it serves are.
    `tuned`: the use fine-tunes the model. `field`: slugs such as "military", compared whatever their case;
    a field that was not said is none of them, and asked for.

    Thresholds mean strictly more. `monthly_active_over` with `monthly_active_on`: active users of all products of
    the licensee and its affiliates, in the calendar month before that day. `product_monthly_active_over`: of the
    product, now. Revenues are in US dollars: `annual_revenue_over_usd` of the group with affiliates, in a year;
    `monthly_revenue_over_usd` of the group, in the preceding month; `product_monthly_revenue_over_usd` of the
    product, in a month.
    """

    purpose: tuple[Purpose, ...] = ()
    commercial: bool | None = None
    distribute: tuple[Distribute, ...] = ()
    outputs_train: tuple[OutputsTrain, ...] = ()
    role: tuple[Role, ...] = ()
    kind: tuple[OrganisationKind, ...] = ()
    domicile: tuple[str, ...] = ()
    users_in: tuple[str, ...] = ()
    modality: tuple[Modality, ...] = ()
    recipe: tuple[str, ...] = ()
    tuned: bool | None = None
    way: tuple[Way, ...] = ()
    field: tuple[str, ...] = ()
    qualified_non_profit: bool | None = None
    monthly_active_over: int | None = None
    monthly_active_on: str = ""
    product_monthly_active_over: int | None = None
    annual_revenue_over_usd: int | None = None
    monthly_revenue_over_usd: int | None = None
    product_monthly_revenue_over_usd: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it asks nothing at all (it then holds always)."""
        return self == Condition()


@dataclass(frozen=True)
class Clause:
    """One section and what it does where `when` holds and `unless` does not.

    An "allowed" clause grants; nothing is allowed that no clause grants. A "rule" binds without changing the status
    (kept notices, a policy on content that was read, law): its `duty` is listed. `in_doubt` is the effect of a
    restriction whose condition cannot be decided. `lifted_by`: what the user may already have that turns it into a
    duty. `document` names the text where it is not the licence itself but a policy that is part of it.
    """

    section: str
    effect: Effect
    text: str
    when: Condition = Condition()
    unless: Condition = Condition()
    in_doubt: Status = "conditional"
    lifted_by: tuple[Already, ...] = ()
    duty: str = ""
    question: str = ""
    quote: str = ""
    document: str = ""


@dataclass(frozen=True)
class Policy:
    """A text that a licence makes part of itself, and how much of it was read."""

    name: str
    read: Read
    source: str
    as_of: str


@dataclass(frozen=True, eq=False)
class Licence:
    """Terms at one revision. `read` says how much of the text stands behind the clauses; `as_of` when."""

    id: str
    name: str
    steward: str
    revision: str
    published: str
    read: Read
    source: str
    as_of: str
    clauses: tuple[Clause, ...] = ()
    policies: tuple[Policy, ...] = ()
    also_not_read: tuple[str, ...] = ()

    @property
    def is_permissive(self) -> bool:
        """It was read, and nothing in it ever restricts a use: a tag that may hide a stricter base."""
        return self.read != "none" and all(clause.effect in ("allowed", "rule") for clause in self.clauses)

    @property
    def not_read(self) -> tuple[str, ...]:
        """Every text that governs and that nobody here has read to the end."""
        parts = [] if self.read == "whole" else [_reading(self.name, self.read)]
        parts += [_reading(policy.name, policy.read) for policy in self.policies if policy.read != "whole"]
        return (*parts, *self.also_not_read)

    def policy_called(self, document: str) -> Policy | None:
        """The policy that a clause names as its document: the only one there is, or the one with these words."""
        named = [one for one in self.policies if document.casefold() in one.name.casefold()]
        found = self.policies if len(self.policies) == 1 else named
        return found[0] if document and len(found) == 1 else None


def _reading(name: str, read: Read) -> str:
    return f"{name} (an extract was read)" if read == "extract" else name
