"""The parts of a condition: what each asks, what the facts say to it, and how an open one could turn out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import product
from typing import Any, TypeAlias, get_args

from steelyard.catalogue.model import Way
from steelyard.licences.clauses import Condition, OrganisationKind
from steelyard.licences.facts import Facts
from steelyard.licences.territories import is_country, load_territories, members
from steelyard.usecase.case import Distribute, OutputsTrain, Purpose, Role

Wanted: TypeAlias = "tuple[str, ...] | bool | int"

VALUES: dict[str, tuple[Any, ...]] = {
    "purpose": get_args(Purpose),
    "commercial": (True, False),
    "distribute": get_args(Distribute),
    "outputs_train": get_args(OutputsTrain),
    "role": get_args(Role),
    "kind": get_args(OrganisationKind),
    "way": get_args(Way),
    "tuned": (True, False),
    "qualified_non_profit": (True, False),
}
"""Facts with few values; the same names in a condition and in Facts."""

COUNTED = {
    "monthly_active_over": "monthly active users of all products of the group",
    "product_monthly_active_over": "monthly active users of the product",
    "annual_revenue_over_usd": "yearly revenue of the group in USD",
    "monthly_revenue_over_usd": "monthly revenue of the group in USD",
    "product_monthly_revenue_over_usd": "monthly revenue of the product in USD",
}
"""Facts with a limit, and what is counted."""

QUESTIONS = {
    "purpose": "What is it for? (use.purpose)",
    "commercial": "Is money earned with it, directly or not? (use.commercial)",
    "distribute": "Is anything handed on to others: weights, a derivative, an application? (use.distribute)",
    "outputs_train": "Are other models trained on the outputs? (use.outputs_train)",
    "role": "Do you deploy it, or use another's product? (use.role)",
    "kind": "What kind of organisation is it? (use.organisation.kind)",
    "way": "Is it called over an API, run on your own servers, or on devices? (candidates)",
    "tuned": "Is the model fine-tuned? (use.tuned)",
    "modality": "What does the model read and write: text, images, audio? (candidates)",
    "field": "What is the field of use? (use.field)",
    "domicile": "In which country is the organisation established? (use.organisation.domicile)",
    "users_in": "In which countries are the users? (use.users.territories)",
    "qualified_non_profit": "Is it a qualified non-profit organisation? (use.organisation.qualified_non_profit)",
    "product_monthly_active_over": "Does the product have more than {0:,} monthly active users? "
    "(use.users.monthly_active)",
    "annual_revenue_over_usd": "Is the group's yearly revenue, all affiliates included, above {0:,} USD? "
    "(use.organisation.annual_revenue_usd)",
    "monthly_revenue_over_usd": "Is the group's revenue of the preceding month, all affiliates included, above "
    "{0:,} USD? (use.organisation.monthly_revenue_usd)",
    "product_monthly_revenue_over_usd": "Does the product earn more than {0:,} USD a month? "
    "(use.organisation.product_monthly_revenue_usd)",
    "monthly_active_over": "How many monthly active users did all products of the organisation and its affiliates "
    "have in the month before {1}: more than {0:,}? (use.users.monthly_active_at)",
}


@dataclass(frozen=True)
class Part:
    """One thing that a condition asks. `day`: the release date that users are counted before, "" elsewhere."""

    asks: str
    wanted: Wanted
    day: str = ""

    @property
    def fact(self) -> str:
        """Parts on the same fact cannot turn out independently."""
        return f"{self.asks} {self.day}".rstrip()

    def holds(self, facts: Facts) -> bool | None:
        """None where the facts do not decide it."""
        asks = self.asks
        if asks in VALUES:
            value = getattr(facts, asks)
            return None if value is None else self.fits(value)
        if asks in COUNTED:
            return _exceeds(asks, self.day, self.wanted, facts)
        assert isinstance(self.wanted, tuple)
        if asks == "modality":
            return bool(_pictures(facts.modality) & _pictures(self.wanted)) if facts.modality else None
        if asks == "field":
            return _in_field(facts.field, self.wanted)
        if asks == "recipe":
            return facts.recipe in self.wanted
        return _somewhere_in(facts.domicile if asks == "domicile" else facts.users_in, self.wanted)

    def fits(self, value: object) -> bool:
        """Whether one of the few values of a fact is what is asked for."""
        return value in self.wanted if isinstance(self.wanted, tuple) else value is self.wanted

    def question(self, facts: Facts) -> str:
        """What the user would have to say to decide it."""
        if self.asks in ("domicile", "users_in"):
            places = facts.domicile if self.asks == "domicile" else facts.users_in
            odd = [code for code in places if not is_country(code) and code not in load_territories()]
            says = f"{', '.join(odd)} is not the ISO 3166 code of a country. " if odd else ""
            return says + QUESTIONS[self.asks]
        if self.asks == "tuned" and facts.recipe:
            return f"Does a {facts.recipe} fitted on the model count as fine-tuning it? (use.tuned)"
        if self.asks == "field" and facts.field and isinstance(self.wanted, tuple):
            return f"Does {facts.field} count as {' or '.join(self.wanted[:4])}? (use.field)"
        revenue = {"annual_revenue_over_usd": facts.annual_revenue, "monthly_revenue_over_usd": facts.monthly_revenue}
        stated = revenue.get(self.asks)
        if stated is not None:
            return f"Does the revenue of {stated:,} USD include all affiliates? (use.organisation.affiliates_included)"
        return QUESTIONS[self.asks].format(self.wanted, self.day)


def parts_of(condition: Condition) -> Iterator[Part]:
    """Everything a condition asks; all of it must hold."""
    for asks in (*VALUES, "modality", "field", "domicile", "users_in", "recipe"):
        wanted = getattr(condition, asks)
        if wanted is not None and wanted != ():
            yield Part(asks, wanted)
    for asks in COUNTED:
        limit = getattr(condition, asks)
        if limit is not None:
            yield Part(asks, limit, condition.monthly_active_on if asks == "monthly_active_over" else "")


def outcomes(open_parts: Iterable[Part]) -> list[tuple[bool, ...]]:
    """How open parts on one fact can turn out together. No two are the same; an impossible one may be among them."""
    parts = tuple(open_parts)
    asks = parts[0].asks
    if asks in VALUES:
        return list(dict.fromkeys(tuple(part.fits(value) for part in parts) for value in VALUES[asks]))
    if asks in COUNTED:
        limits = sorted({part.wanted for part in parts if isinstance(part.wanted, int)})
        return [tuple(part.wanted in limits[:passed] for part in parts) for passed in range(len(limits) + 1)]
    if asks in ("field", "domicile", "modality"):
        known = [word for part in parts if isinstance(part.wanted, tuple) for word in part.wanted]
        values: list[str] = [*known, ""]
        return list(dict.fromkeys(tuple(part.fits(value) for part in parts) for value in values))
    return list(product((True, False), repeat=len(parts)))


def stated_count(asks: str, day: str, facts: Facts) -> int | None:
    """The number that the facts give for what a limit counts."""
    if asks == "monthly_active_over":
        return _users_before(day, facts)
    return {
        "product_monthly_active_over": facts.users_product,
        "annual_revenue_over_usd": facts.annual_revenue,
        "monthly_revenue_over_usd": facts.monthly_revenue,
        "product_monthly_revenue_over_usd": facts.product_revenue,
    }[asks]


def _exceeds(asks: str, day: str, limit: Wanted, facts: Facts) -> bool | None:
    """A group's revenue above the limit decides; below it only where affiliates are known to be counted in."""
    count = stated_count(asks, day, facts)
    if count is None:
        return None
    if count > limit:  # type: ignore[operator]
        return True
    group = asks in ("annual_revenue_over_usd", "monthly_revenue_over_usd")
    return None if group and not facts.affiliates_included else False


def _users_before(day: str, facts: Facts) -> int | None:
    """A count dated on that day or in the calendar month before it decides; today's count does not."""
    if facts.users_at:
        month = _month_before(day)
        counts = [count for when, count in facts.users_at if when == day or when.startswith(month)]
        if counts:
            return max(counts)
    return facts.users_at_release


@cache
def _month_before(day: str) -> str:
    return (date.fromisoformat(day).replace(day=1) - timedelta(days=1)).isoformat()[:7]


def _somewhere_in(places: tuple[str, ...], countries: tuple[str, ...]) -> bool | None:
    """One of several places is enough. A territory lies in the countries if all of its countries are among them."""
    found: bool | None = False if places else None
    for place in places:
        possible = members(place)
        inside = [country in countries for country in possible]
        if inside and all(inside):
            return True
        if not inside or any(inside):
            found = None
    return found


def _in_field(field: str, slugs: tuple[str, ...]) -> bool | None:
    """A field that only contains such a word ("military-logistics") may or may not be one.

    One that was not said is none of them: what terms bar is then a rule on content, which stays as a duty.
    """
    if not field:
        return False
    words = _words(field)
    for slug in slugs:
        if words == _words(slug):
            return True
    return None if any(set(_words(slug)) <= set(words) for slug in slugs) else False


@cache
def _words(text: str) -> tuple[str, ...]:
    return tuple("".join(char if char.isalnum() else " " for char in text.casefold()).split())


def _pictures(words: Iterable[str]) -> set[str]:
    """Terms that speak of multimodal models ask for "image" and for "vision" alike."""
    found = set(words)
    return found | {"image", "vision"} if found & {"image", "vision"} else found
