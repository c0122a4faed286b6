"""Short forms: shares, shots, limits, preferences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import Problem
from steelyard.usecase import Requirement, values
from steelyard.usecase.case import Metric


@pytest.mark.parametrize(
    ("metric", "text", "op", "limit"),
    [
        ("accuracy", ">= 0.60", ">=", 0.6),
        ("accuracy", ">60%", ">", 0.6),
        ("latency_p50", "< 1.5 s", "<", 1.5),
        ("latency_p95", "<= 800 ms", "<=", 0.8),
        ("ttft_p95", "<=500ms", "<=", 0.5),
        ("cost_per_month", "<= 3_000 USD", "<=", 3000),
        ("cost_per_1000", "<= .5 USD", "<=", 0.5),
    ],
)
def test_a_limit_is_stored_in_the_metrics_unit(metric: Metric, text: str, op: str, limit: float) -> None:
    found = values.requirement(metric, text)
    assert isinstance(found, Requirement)
    assert (found.metric, found.op, found.limit, found.text) == (metric, op, pytest.approx(limit), text)


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        ("accuracy", 0.6),
        ("accuracy", "0.6"),
        ("accuracy", "<= 0.6"),
        ("accuracy", ">= 60"),
        ("accuracy", ">= 101%"),
        ("latency_p95", "<= 800"),
        ("latency_p95", ">= 800 ms"),
        ("latency_p95", "<= 1 min"),
        ("cost_per_month", "<= 3000"),
        ("cost_per_month", "<= 3000 EUR"),
        ("cost_per_1000", "<= -1 USD"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_with_an_example(metric: Metric, text: object) -> None:
    problem = values.requirement(metric, text)
    assert isinstance(problem, Problem)
    assert problem.slug == "study-bad-requirement"
    assert values.MEASURES[metric].example in problem.next_step


def test_the_examples_in_messages_are_themselves_valid() -> None:
    for metric, measure in values.MEASURES.items():
        assert isinstance(values.requirement(metric, measure.example), Requirement)


def test_an_order_becomes_rank_order_centroid_weights() -> None:
    assert values.weights(["cost", "quality", "control"]) == pytest.approx(
        {"cost": (1 + 1 / 2 + 1 / 3) / 3, "quality": (1 / 2 + 1 / 3) / 3, "control": 1 / 9}
    )


def test_weights_are_scaled_to_one_and_the_heaviest_comes_first() -> None:
    found = values.weights({"cost": 1, "quality": 3})
    assert found == {"quality": 0.75, "cost": 0.25}
    assert list(found) == ["quality", "cost"]


@pytest.mark.parametrize(
    "value",
    ["quality", [], {}, ["quality", "quality"], ["price"], {"cost": -1}, {"cost": 0}, {"cost": "1"}, [["cost"]]],
)
def test_a_preference_that_means_nothing_is_refused(value: object) -> None:
    assert isinstance(values.weights(value), Problem)


@given(st.permutations(values.CRITERIA), st.integers(1, len(values.CRITERIA)))
def test_the_weights_of_any_order_fall_and_sum_to_one(order: list[str], count: int) -> None:
    found = values.weights(order[:count])
    assert isinstance(found, dict)
    assert list(found) == order[:count]
    assert sum(found.values()) == pytest.approx(1)
    assert list(found.values()) == sorted(found.values(), reverse=True)


@pytest.mark.parametrize("value", [-1, [], [1, "2"], True, 1.5, "all", 1001, None])
def test_a_number_of_shots_is_auto_or_whole_numbers(value: object) -> None:
    assert isinstance(values.shots(value), Problem)


@pytest.mark.parametrize("value", ["40", "forty", True, None, "4 0%", "%"])
def test_a_share_is_a_number_or_a_percentage(value: object) -> None:
    assert isinstance(values.share(value), Problem)
