"""Terms as data: a licence is a list of clauses, each with an effect and the condition under which it bites.

Conditions are three-valued. What the user has not stated makes a condition undecided, and an undecided condition
becomes a question, never a yes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

from steelyard.catalogue.model import Candidate, Way
from steelyard.licences.territories import is_country
from steelyard.licences.verdict import Status
from steelyard.usecase.case import Already, Distribute, OutputsTrain, Purpose, Role, Use

Read: TypeAlias = Literal["whole", "extract", "none"]
OrganisationKind: TypeAlias = Literal["company", "non-profit", "academic", "government", "individual"]
Modality: TypeAlias = Literal["text", "code", "vision", "image", "audio", "embedding", "reranker"]
Effect: TypeAlias = Literal["allowed", "conditional", "forbidden", "unknown", "rule"]
"""What a clause does. "allowed" grants; "rule" binds without changing the status; the others restrict."""


@dataclass(frozen=True)
class Condition:
    """All parts that are given must hold; a part that is empty does not ask.

    `domicile`: codes of the countries where the organisation is established; `users_in`: where those it serves are.
    `tuned`: the use fine-tunes the model. `field`: slugs such as "military", compared whatever their case; a field
    that was not said is none of them, and asked for: the text's rules on content bind every field as a duty.

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
    in_doubt: Status = "unknown"
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


@dataclass(frozen=True)
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
    def not_read(self) -> tuple[str, ...]:
        """Every text that governs and that nobody here has read to the end."""
        parts = [] if self.read == "whole" else [_reading(self.name, self.read)]
        parts += [_reading(policy.name, policy.read) for policy in self.policies if policy.read != "whole"]
        return (*parts, *self.also_not_read)


def _reading(name: str, read: Read) -> str:
    return f"{name} (an extract was read)" if read == "extract" else name


@dataclass(frozen=True)
class Holding:
    """Whether a condition holds; None when it cannot be decided, with the questions that would decide it.

    False with questions: it does not hold as far as was said, and could with another answer.
    """

    holds: bool | None
    questions: tuple[str, ...] = ()


def examine(condition: Condition, use: Use, candidate: Candidate) -> Holding:
    """Kleene conjunction of the parts: one False decides, else one unknown leaves it open."""
    parts = tuple(_parts(condition, use, candidate))
    if failing := [part for part in parts if part.holds is False]:
        open_still = all(part.questions for part in failing)
        return Holding(False, tuple(question for part in failing for question in part.questions if open_still))
    questions = tuple(question for part in parts for question in part.questions)
    return Holding(None, questions) if questions else Holding(True)


def _parts(condition: Condition, use: Use, candidate: Candidate) -> Iterator[Holding]:
    organisation = use.organisation
    for wanted, actual in (
        (condition.way, candidate.way),
        (condition.purpose, use.purpose),
        (condition.distribute, use.distribute),
        (condition.outputs_train, use.outputs_train),
        (condition.role, use.role),
        (condition.recipe, candidate.recipe),
    ):
        if wanted:
            yield Holding(actual in wanted)
    if condition.commercial is not None:
        yield Holding(use.commercial is condition.commercial)
    if condition.modality:
        yield Holding(bool(set(condition.modality) & set(candidate.model.modalities)))
    if condition.kind:
        yield _stated(organisation.kind, condition.kind, "What kind of organisation is it? (use.organisation.kind)")
    if condition.domicile:
        yield _established(organisation.domicile, condition.domicile)
    if condition.users_in:
        asked = "In which countries are the users? (use.users.territories)"
        served = use.users.territories
        yield Holding(bool(set(served) & set(condition.users_in))) if served else Holding(None, (asked,))
    if condition.field:
        asked = "What is the field of use? (use.field)"
        yield Holding(use.field.casefold() in condition.field) if use.field else Holding(False, (asked,))
    if condition.tuned is not None:
        yield Holding(bool(candidate.recipe) is condition.tuned)
    if condition.qualified_non_profit is not None:
        asked = "Is the organisation a qualified non-profit? (use.organisation.qualified_non_profit)"
        qualified = organisation.qualified_non_profit
        yield Holding(None, (asked,)) if qualified is None else Holding(qualified is condition.qualified_non_profit)
    for over, count, name in (
        (condition.product_monthly_active_over, use.users.monthly_active, "users.monthly_active"),
        (condition.annual_revenue_over_usd, organisation.annual_revenue_usd, "organisation.annual_revenue_usd"),
        (
            condition.product_monthly_revenue_over_usd,
            organisation.product_monthly_revenue_usd,
            "organisation.product_monthly_revenue_usd",
        ),
    ):
        if over is not None:
            asked = f"Is it more than {over:,}? (use.{name})"
            yield Holding(None, (asked,)) if count is None else Holding(count > over)
    if condition.monthly_active_over is not None:
        yield _users(condition.monthly_active_over, condition.monthly_active_on, use)
    if condition.monthly_revenue_over_usd is not None:
        yield _revenue(condition.monthly_revenue_over_usd, use)


def _stated(actual: str | None, wanted: tuple[str, ...], question: str) -> Holding:
    return Holding(None, (question,)) if actual is None else Holding(actual in wanted)


def _established(domicile: str | None, countries: tuple[str, ...]) -> Holding:
    """A code that is no country's ("UK", "EU") says nothing about where the organisation is."""
    question = "In which country is the organisation established? (use.organisation.domicile)"
    if domicile is not None and not is_country(domicile):
        return Holding(None, (f"{domicile} is not the ISO 3166 code of a country. {question}",))
    return _stated(domicile, countries, question)


def _users(limit: int, day: str, use: Use) -> Holding:
    """A count dated on that day or in the calendar month before it decides; today's count does not."""
    month_before = (date.fromisoformat(day).replace(day=1) - timedelta(days=1)).isoformat()[:7]
    counts = [n for when, n in use.users.monthly_active_at.items() if when == day or when.startswith(month_before)]
    if counts:
        return Holding(max(counts) > limit)
    return Holding(
        None,
        (
            f"How many monthly active users did all products of the organisation and its affiliates have in the "
            f"month before {day}: more than {limit:,}? (use.users.monthly_active_at)",
        ),
    )


def _revenue(limit: int, use: Use) -> Holding:
    """Above the limit decides; below it only where affiliates are known to be counted in."""
    revenue = use.organisation.monthly_revenue_usd
    if revenue is None:
        asked = f"Is the group's revenue of the preceding month above {limit:,} USD?"
        return Holding(None, (f"{asked} (use.organisation.monthly_revenue_usd)",))
    if revenue > limit:
        return Holding(True)
    if use.organisation.affiliates_included:
        return Holding(False)
    asked = f"Does the monthly revenue of {revenue:,} USD include all affiliates?"
    return Holding(None, (f"{asked} (use.organisation.affiliates_included)",))
