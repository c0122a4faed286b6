"""Candidate ids say the same thing as text and as parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.catalogue.ids import RECIPES, ROUTES, CandidateId, parse_id
from steelyard.errors import Problem

plain = st.text("abcxyz0189-_./", min_size=1, max_size=20)
with_colon = st.text("abcxyz0189-_./:", min_size=1, max_size=20)
optional = st.one_of(st.just(""), plain)
recipes = st.sampled_from(("", *RECIPES))
ids = st.one_of(
    st.builds(CandidateId, st.just(""), plain, optional, optional, recipes),
    st.builds(CandidateId, st.sampled_from(ROUTES), with_colon, optional, optional, recipes),
)


@given(ids)
def test_an_id_survives_text(candidate: CandidateId) -> None:
    assert parse_id(str(candidate)) == candidate


@given(st.text(max_size=30))
def test_any_text_gives_an_id_that_reads_the_same_or_a_problem(text: str) -> None:
    parsed = parse_id(text)
    assert isinstance(parsed, Problem) or str(parsed) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linear", CandidateId("", "linear")),
        ("hf:openai/gpt-oss-20b", CandidateId("hf", "openai/gpt-oss-20b")),
        ("azure:DEPLOYMENT", CandidateId("azure", "DEPLOYMENT")),
        ("bedrock:amazon.nova-lite-v1:0", CandidateId("bedrock", "amazon.nova-lite-v1:0")),
        ("m@2024-07-18#q8_0+head", CandidateId("", "m", "2024-07-18", "q8_0", "head")),
        ("vertex:claude@20240620", CandidateId("vertex", "claude", "20240620")),
    ],
)
def test_the_parts_of_an_id(text: str, expected: CandidateId) -> None:
    assert parse_id(text) == expected


@pytest.mark.parametrize(
    ("text", "slug", "hint"),
    [
        ("opnai:gpt-5", "unknown-route", "did you mean 'openai'?"),
        ("m+heed", "unknown-recipe", "did you mean 'head'?"),
        ("m+zzz", "unknown-recipe", "'zzz'"),
        ("", "bad-candidate-id", "[ROUTE:]MODEL"),
        ("openai:", "bad-candidate-id", "[ROUTE:]MODEL"),
        ("m#q8_0@rev", "bad-candidate-id", "[ROUTE:]MODEL"),
        ("two words", "bad-candidate-id", "[ROUTE:]MODEL"),
        ("m+", "bad-candidate-id", "[ROUTE:]MODEL"),
    ],
)
def test_a_wrong_id_is_a_problem_with_the_way_out(text: str, slug: str, hint: str) -> None:
    problem = parse_id(text)
    assert isinstance(problem, Problem)
    assert problem.slug == slug
    assert hint in str(problem)
