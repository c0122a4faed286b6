"""What holds of every licence and every use, whatever the terms say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.licences.clauses import Modality
from steelyard.licences.combine import all_of, any_of
from steelyard.licences.facts import Facts
from steelyard.licences.judge import judge_facts
from steelyard.licences.load import load_licences
from steelyard.licences.parts import VALUES
from steelyard.licences.verdict import STRICTEST_FIRST, Verdict

AT = date(2026, 11, 24)
LICENCES = [licence for revisions in load_licences().by_id.values() for licence in revisions]
COUNTS = (0, 999_999, 1_000_001, 5_000_000, 15_000_000, 25_000_000, 35_000_000, 150_000_000, 900_000_000)
FEW: dict[str, tuple[Any, ...]] = VALUES | {"modality": tuple(frozenset({word}) for word in get_args(Modality))}
MANY: dict[str, tuple[Any, ...]] = {
    "domicile": (("DE",), ("US",), ("CN",), ("EU",), ("GB",)),
    "users_in": (("DE",), ("US",), ("CN",), ("EU",), ("KR",), ("DE", "US")),
    "users_product": COUNTS,
    "users_at_release": COUNTS,
    "annual_revenue": COUNTS,
    "monthly_revenue": COUNTS,
    "product_revenue": COUNTS,
    "field": ("customer-support", "military", "medical", "surveillance", "legal"),
}
FACTS = FEW | MANY
"""Facts that can be not said, with values on all sides of what terms ask."""
NOT_SAID = Facts()

licences = st.sampled_from(LICENCES)
names = st.sampled_from(sorted(FACTS))
uses = st.builds(
    Facts,
    affiliates_included=st.just(True),
    already=st.sets(st.sampled_from(("registered", "subscription", "commercial-agreement"))).map(tuple),
    **{
        name: st.just(getattr(NOT_SAID, name)) | st.sampled_from(values) | st.sampled_from(values)
        for name, values in FACTS.items()
    },
)
quick = settings(max_examples=150, deadline=None, derandomize=True)


def strictness(verdict: Verdict) -> int:
    return -STRICTEST_FIRST.index(verdict.status)


@settings(quick, max_examples=60)
@given(uses, names, st.data())
def test_saying_more_never_turns_allowed_into_a_question(use: Facts, name: str, data: Any) -> None:
    less = replace(use, **{name: getattr(NOT_SAID, name)})
    more = replace(use, **{name: data.draw(st.sampled_from(FACTS[name]))})
    for licence in LICENCES:
        if judge_facts(licence, less, AT).status == "allowed":
            assert judge_facts(licence, more, AT).status == "allowed"


@quick
@given(licences, uses, names)
def test_what_is_not_said_is_allowed_only_if_it_is_allowed_however_it_turns_out(
    licence: Any, use: Facts, name: str
) -> None:
    less = judge_facts(licence, replace(use, **{name: getattr(NOT_SAID, name)}), AT)
    said = {judge_facts(licence, replace(use, **{name: value}), AT).status for value in FACTS[name]}
    if said != {"allowed"}:
        assert less.status != "allowed"
    if name in FEW and len(said) == 1:
        assert {less.status} == said
    if name in FEW and len(said) > 1:
        assert less.status in ("conditional", "unknown")
        assert less.questions
    if "unknown" in said:
        assert less.status != "forbidden"


@quick
@given(st.lists(licences, min_size=1, max_size=3), licences, uses)
def test_one_more_licence_never_makes_a_use_more_permissive(some: list[Any], other: Any, use: Facts) -> None:
    verdicts = tuple(judge_facts(licence, use, AT) for licence in some)
    more = judge_facts(other, use, AT)
    assert strictness(all_of((*verdicts, more))) >= strictness(all_of(verdicts))
    assert strictness(all_of((*verdicts, more))) >= strictness(more)
    assert strictness(any_of((*verdicts, more))) <= strictness(more)


@quick
@given(licences, uses, st.sampled_from(("registered", "subscription", "commercial-agreement")))
def test_what_one_already_has_never_makes_a_verdict_stricter(licence: Any, use: Facts, mark: Any) -> None:
    without = replace(use, already=tuple(one for one in use.already if one != mark))
    with_it = replace(without, already=(*without.already, mark))
    assert strictness(judge_facts(licence, with_it, AT)) <= strictness(judge_facts(licence, without, AT))


@quick
@given(licences, uses)
def test_the_first_reason_has_the_status_and_no_question_is_left_where_nothing_is_open(
    licence: Any, use: Facts
) -> None:
    verdict = judge_facts(licence, use, AT)
    assert verdict.reasons[0].effect == verdict.status
    assert all(reason.licence_id and reason.source and reason.as_of for reason in verdict.reasons)
    if verdict.status == "forbidden":
        assert verdict.duties == ()


@quick
@given(licences, uses)
def test_a_question_about_a_fact_stands_only_where_its_answer_can_change_the_verdict(licence: Any, use: Facts) -> None:
    """`commercial` and the other facts of few values, where all others are said."""
    said = replace(
        use, **{name: values[0] for name, values in FACTS.items() if getattr(use, name) in (None, (), frozenset(), "")}
    )
    for name in ("commercial", "role", "kind", "purpose", "tuned"):
        open_use = replace(said, **{name: None})
        asked = any(
            f"(use.{name})" in question or f"(use.organisation.{name})" in question
            for question in judge_facts(licence, open_use, AT).questions
        )
        found = {judge_facts(licence, replace(open_use, **{name: value}), AT).status for value in FACTS[name]}
        assert asked == (len(found) > 1)
