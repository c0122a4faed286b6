"""What an unmeasured candidate would have to reach."""

from __future__ import annotations

import pytest
from tests.decision import evidence as made
from tests.decision.evidence import decided, measured, scores, unmeasured

from steelyard.quantities import Unknown
from steelyard.stats import Estimate, paired_difference
from steelyard.usecase import Requirement


def needed(decision) -> int:
    quality = decision.would_need[0].needed_quality
    assert isinstance(quality, Estimate)
    assert quality.n == 240
    return round(quality.value * quality.n)


def with_discordance(right: int, newcomer: int, discordant: int) -> float:
    """The p-value of a newcomer that differs from the winner on about that many samples."""
    wins = (discordant + newcomer - right + 1) // 2
    losses = wins - (newcomer - right)
    first = [1.0] * wins + [0.0] * losses + [1.0] * (240 - wins - losses)
    second = [0.0] * wins + [1.0] * losses + [1.0] * (240 - wins - losses)
    got = paired_difference(first, second)
    assert not isinstance(got, Unknown)
    return got.p_value


def test_the_needed_accuracy_is_the_smallest_that_the_paired_test_would_separate():
    """Without a measured pair the newcomer is taken as independent: 150 of 240 against k gives this discordance."""
    got = decided(measured("winner", scores(150, 240)), unmeasured("openai:x"))
    k = needed(got)
    independent = (k * (240 - 150) + 150 * (240 - k)) / 240
    assert with_discordance(150, k, round(independent)) < 0.05
    before = k - 2
    independent = (before * (240 - 150) + 150 * (240 - before)) / 240
    assert with_discordance(150, before, round(independent)) > 0.05


def test_candidates_that_agree_much_make_a_smaller_lead_enough():
    apart = decided(measured("a", scores(150, 240)), measured("b", scores(150, 240, 120)), unmeasured("openai:x"))
    alike = decided(measured("a", scores(150, 240)), measured("b", scores(148, 240)), unmeasured("openai:x"))
    assert needed(alike) < needed(apart)


def test_the_sentence_says_accuracy_calls_and_price_and_a_cheaper_one_may_tie():
    got = decided(measured("winner", scores(170, 240)), unmeasured("openai:x", per_month=20.0))
    (one,) = got.would_need
    k = needed(got)
    assert one.sentence.startswith(f"To be clearly better than winner, openai:x would have to get {k} of 240 right (")
    assert "; being cheaper, it would tie from 1" in one.sentence
    assert one.sentence.endswith("Finding out takes 240 calls and about $0.05.")
    assert one.reason == "THE_KEY is not set"
    dearer = decided(measured("winner", scores(170, 240)), unmeasured("openai:x"))
    assert "tie" not in dearer.would_need[0].sentence


def test_a_tie_below_the_floor_is_no_use():
    got = decided(measured("winner", scores(145, 240)), unmeasured("openai:x", per_month=20.0))
    assert "it would tie from 144 right (60 %)" in got.would_need[0].sentence


def test_a_winner_near_perfection_cannot_be_beaten_clearly():
    got = decided(measured("winner", scores(239, 240)), unmeasured("openai:x"))
    (one,) = got.would_need
    assert one.needed_quality == Unknown("even 240 of 240 right would not be clearly better")
    assert one.sentence.startswith("Even with all 240 samples right openai:x would not")


@pytest.mark.parametrize(
    "ruled_out",
    [
        unmeasured("x", reason="the licence forbids this use", gate="licence"),
        unmeasured("x", licence=made.FORBIDDEN),
        unmeasured("x", way="on-device"),
    ],
)
def test_nothing_is_asked_of_a_candidate_that_may_not_be_used(ruled_out):
    assert decided(measured("winner", scores(150, 240)), ruled_out).would_need == ()


def test_a_candidate_over_the_budget_is_not_worth_measuring():
    budget = (Requirement("cost_per_month", "<=", 100.0, "<= 100 USD"),)
    got = decided(measured("winner", scores(150, 240)), unmeasured("openai:x", per_month=300.0), require=budget)
    assert got.would_need[0].sentence.startswith(
        "No accuracy would make openai:x pass: $300 a month, $200 over the limit of $100."
    )
    assert isinstance(got.would_need[0].needed_quality, Unknown)
