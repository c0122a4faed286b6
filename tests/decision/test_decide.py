"""decide() on evidence made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decision import evidence as made
from tests.decision.evidence import MADE_AT, case, decided, measured, scores, summary, unmeasured

from steelyard.decision.decide import decide
from steelyard.decision.store import from_json, to_json
from steelyard.quantities import Unknown
from steelyard.stats import Estimate
from steelyard.usecase import Privacy, Requirement


def test_a_separable_leader_wins_and_the_verdict_holds_its_figures():
    got = decided(measured("good", scores(190, 240)), measured("poor", scores(150, 240, 20)))
    assert got.winner == "good"
    assert got.ties == ()
    assert [line.tier for line in got.standings] == [1, 2]
    assert got.verdict == (
        "Take good: 79.2 % right on your 240 test samples (73.6 to 83.8 %, 95 % interval), "
        "about $73 a month for 1 rented machine at 20,000 requests a day, licence: Apache-2.0, allowed. "
        "About 1 in 5 requests would be answered wrongly."
    )
    assert got.margin is not None
    assert got.margin.difference.value == pytest.approx(40 / 240)
    assert got.fallback_order == ("good", "poor")


def test_among_candidates_that_cannot_be_told_apart_the_cheapest_wins():
    got = decided(measured("dear", scores(172, 240, 70), rate=0.5), measured("cheap", scores(168, 240), rate=50.0))
    assert got.winner == "cheap"
    assert got.ties == ("dear",)
    assert got.standings[0].candidate == "dear"
    assert got.margin is not None
    assert got.margin.difference.value < 0
    assert any(reason.startswith("Cost: cheap ($73) stays; more expensive: dear") for reason in got.reasons)
    assert "Not to be told apart from it on these samples: dear (71.7 %)." not in got.verdict
    assert "The best language model is" not in got.verdict
    lead = "Too close to call: cheap is 1.7 points below dear, 95 % interval of the difference "
    assert any(doubt.startswith(lead) for doubt in got.doubts)


def test_a_tie_on_every_criterion_goes_to_the_one_that_was_right_most_often():
    got = decided(measured("b", scores(168, 240)), measured("a", scores(170, 240, 70)))
    assert got.winner == "a"
    assert got.reasons == ("Level on quality, cost and control: a and b; a was right most often.",)


def test_the_baseline_may_win_and_the_best_language_model_is_named_beside_it():
    got = decided(
        measured("linear", scores(190, 240), openness="baseline"),
        measured("model", scores(150, 240, 20)),
        measured("worse", scores(100, 240, 90)),
    )
    assert (got.winner, got.best_language_model) == ("linear", "model")
    assert "The best language model is model, 62.5 % right; it is clearly worse (p < 0.001)." in got.verdict


def test_when_no_language_model_passes_the_reason_is_given():
    got = decided(measured("linear", scores(190, 240), openness="baseline"), measured("model", scores(90, 240)))
    assert got.best_language_model is None
    assert "No language model passed every gate." in got.reasons
    assert got.verdict.endswith("No language model passed every gate.")


def test_when_nothing_passes_the_verdict_names_the_nearest_miss_and_by_how_far():
    got = decided(measured("poor", scores(100, 240)), measured("near", scores(140, 240)))
    assert got.winner is None
    assert got.fallback_order == ()
    assert got.margin is None
    assert got.verdict == (
        "No candidate passes every gate. The nearest is near: 58.3 % right, 1.7 points short of the 60 % asked for."
    )


def test_when_nothing_was_measured_the_verdict_says_why():
    got = decided(unmeasured("openai:x"), unmeasured("other", reason="the weights are not here"))
    assert got.winner is None
    assert got.verdict == (
        "No candidate passes every gate: none was measured. "
        "openai:x (THE_KEY is not set) and other (the weights are not here)."
    )
    assert [line.tier for line in got.standings] == [None, None]
    assert got.would_need[0].sentence.startswith("To pass, openai:x would have to get 60 % right.")


def test_a_study_without_candidates_still_gets_an_answer():
    assert decided().verdict == "No candidate passes every gate: the study names none."


def test_identical_scores_are_a_tie_settled_by_the_study_order():
    got = decided(measured("one", scores(170, 240)), measured("two", scores(170, 240)))
    assert got.winner == "one"
    assert got.ties == ("two",)
    assert got.comparisons[0].p_value == 1.0
    assert any("right equally often" in doubt for doubt in got.doubts)
    assert got.reasons[-1].endswith("one comes first in the study file.")


def test_one_test_sample_gives_a_winner_without_interval_and_a_doubt():
    got = decided(measured("a", [1.0]), measured("b", [0.0]), n_test=1)
    assert got.winner == "a"
    quality = got.standing("a").quality
    assert isinstance(quality, Estimate)
    assert isinstance(quality.interval, Unknown)
    assert "(no interval: one item has no interval)" in got.verdict
    assert any("Only 1 test sample:" in doubt for doubt in got.doubts)


def test_a_forbidden_licence_rules_out_even_the_best_with_its_clause():
    got = decided(measured("best", scores(230, 240), licence=made.FORBIDDEN), measured("next", scores(160, 240)))
    assert got.winner == "next"
    assert got.standing("best").tier == 1
    assert [gate.detail for gate in got.standing("best").ruled_out_by] == ["Forbidden: research only (MNPL §3.2)."]


def test_a_licence_that_nobody_has_read_does_not_pass_and_a_conditional_one_does_with_its_duties():
    got = decided(
        measured("unread", scores(230, 240), licence=made.NOT_JUDGED),
        measured("bound", scores(160, 240), licence=made.CONDITIONAL),
    )
    assert got.winner == "bound"
    assert got.duties == ("pass the restrictions on",)
    assert got.questions == ("Who receives the weights?",)
    assert "licence: Gemma, conditional with 1 condition" in got.verdict
    assert any(doubt.endswith("Who receives the weights?") for doubt in got.doubts)
    assert any("Gemma, revision 2025-03-24, read on 2026-10-01" in when for when in got.recheck_when)


def test_data_that_may_not_leave_rule_out_a_vendor_whatever_its_accuracy():
    got = decided(
        measured("vendor", scores(230, 240), custody="any", way="api", cost=Unknown("free trial")),
        measured("own", scores(160, 240)),
        privacy=Privacy("confidential", "own"),
    )
    assert got.winner == "own"
    assert got.standing("vendor").ruled_out_by[0].detail == (
        "Confidential data may not leave own machines; vendor runs on a third party's machines."
    )


def test_a_budget_is_tested_against_the_cost_and_an_unknown_cost_does_not_pass():
    limits = (Requirement("cost_per_month", "<=", 100.0, "<= 100 USD"),)
    got = decided(
        measured("dear", scores(230, 240), rate=0.5),
        measured("cheap", scores(160, 240), rate=5.0),
        measured("who-knows", scores(200, 240), cost=Unknown("no price is known")),
        require=limits,
    )
    assert got.winner == "cheap"
    assert got.standing("dear").ruled_out_by[0].detail == "$219 a month, $119 over the limit of $100."
    assert got.standing("who-knows").ruled_out_by[0].outcome == "unknown"
    assert any(when.startswith("In ") and "over the limit of $100." in when for when in got.recheck_when)


def test_failed_calls_are_left_out_of_every_figure_and_named_when_many():
    failed = Unknown("timeout")
    values = [*scores(140, 200), *[failed] * 40]
    got = decided(measured("flaky", values, failures={"timeout": 40}), measured("other", scores(120, 240)))
    quality = got.standing("flaky").quality
    assert isinstance(quality, Estimate)
    assert (quality.value, quality.n) == (0.7, 200)
    assert got.comparisons[0].difference.n == 200
    assert any(doubt.startswith("40 of 240 calls to flaky gave no score (timeout 40)") for doubt in got.doubts)


def test_a_candidate_of_which_every_call_failed_counts_as_not_measured():
    """Even where no floor is asked for, silence cannot win."""
    got = decided(measured("silent", [Unknown("timeout")] * 240), measured("poor", scores(10, 240)), require=())
    assert got.winner == "poor"
    assert got.standing("silent").not_measured == "no call gave a score"
    assert got.standing("silent").tier is None


def test_preferring_cost_takes_the_cheapest_that_passes_even_if_it_is_clearly_worse():
    got = decided(
        measured("good", scores(220, 240), rate=0.5),
        measured("cheap", scores(160, 240)),
        prefer={"cost": 0.9, "quality": 0.1},
    )
    assert got.winner == "cheap"
    assert got.margin is not None
    assert got.margin.difference.value < 0
    assert "The best language model" not in got.verdict


@pytest.mark.parametrize(
    ("criterion", "loser"),
    [
        ("control", {"way": "api"}),
        ("independence", {"openness": "proprietary"}),
        ("time_to_market", {"recipe": "head"}),
        ("speed", {"latency": made.Latency((9.0,) * 100)}),
    ],
)
def test_the_other_criteria_decide_between_equals(criterion, loser):
    same = made.decided(measured("z", scores(170, 240))).standing("z").cost
    got = decided(
        measured("first", scores(170, 240), cost=same, **loser),
        measured("second", scores(170, 240), cost=same),
        prefer={"quality": 0.6, criterion: 0.4},
    )
    assert got.winner == "second"
    assert got.reasons[0].startswith(criterion.replace("_", " ").capitalize())


@pytest.mark.parametrize(("lag", "winner"), [(0.89, "second"), (0.91, "first")])
def test_candidates_are_not_ranked_on_latency_when_this_machine_was_late_itself(lag, winner):
    same = made.decided(measured("z", scores(170, 240))).standing("z").cost
    got = decided(
        measured("first", scores(170, 240), cost=same, latency=made.Latency((9.0,) * 100, (), "", lag)),
        measured("second", scores(170, 240), cost=same),
        prefer={"quality": 0.6, "speed": 0.4},
    )
    assert got.winner == winner
    said = "this machine read its answers up to 910 ms late, and half of them took 9,000 ms or less"
    late = winner == "first"
    assert (f"Speed: not compared, because {said}." in got.reasons) == late
    assert any(said in doubt for doubt in got.doubts) == late


def test_weights_only_order_the_criteria():
    evidence = (measured("good", scores(220, 240), rate=0.5), measured("cheap", scores(160, 240)))
    assert decided(*evidence, prefer={"cost": 0.4, "quality": 0.6}).winner == "good"
    assert decided(*evidence, prefer={"quality": 0.4, "cost": 0.6}).winner == "cheap"


def test_a_difference_that_only_many_pairs_make_unsure_says_so():
    """Alone b is clearly worse than a; among six pairs the same difference no longer is."""
    lead = (measured("a", scores(170, 240)), measured("b", scores(164, 240)))
    crowd = (measured("c", scores(165, 240, 1)), measured("d", scores(163, 240)))
    assert decided(*lead).ties == ()
    got = decided(*lead, *crowd)
    assert "b" in got.ties
    assert (
        "Too close to call: a is 2.5 points above b; taken alone that would do (95 % interval +0.9 to +5.3), but 6 "
        "pairs were compared, and among so many such a difference may well be chance (adjusted p = 0.072)."
    ) in got.doubts


def test_a_provisional_decision_says_so():
    got = decided(measured("a", scores(170, 240)), provisional=True)
    assert got.provisional
    assert got.verdict.startswith("So far: Take a: ")


def test_comparisons_cover_all_measured_pairs_and_are_adjusted_together():
    got = decided(*(measured(name, scores(170 - 8 * i, 240, 3 * i)) for i, name in enumerate("abcd")))
    assert len(got.comparisons) == 6
    assert all(one.p_adjusted >= one.p_value for one in got.comparisons)
    assert max(one.p_adjusted / one.p_value for one in got.comparisons) > 2


def test_samples_in_clusters_widen_intervals_and_weaken_comparisons():
    """Eight groups of thirty samples: eight votes, not 240."""
    evidence = (measured("a", scores(200, 240)), measured("b", scores(160, 240, 20)))
    groups = {f"s{i}": f"customer {i // 30}" for i in range(240)}
    alone, grouped = (
        decide(case(), evidence, summary(), made_at=MADE_AT, versions={}, clusters=clusters)
        for clusters in ({"s0": ""}, groups)
    )
    assert alone.comparisons == decided(*evidence).comparisons
    assert grouped.comparisons[0].p_value > 10 * alone.comparisons[0].p_value
    quality = grouped.standing("a").quality
    assert isinstance(quality, Estimate)
    assert quality.method == "score interval, robust to 8 clusters"


outcomes = st.sampled_from([0.0, 1.0, Unknown("timeout")])
studies = st.lists(st.lists(outcomes, min_size=12, max_size=12), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(studies, st.lists(st.sampled_from(["open", "baseline"]), min_size=4, max_size=4))
def test_whatever_the_scores_only_those_that_passed_every_gate_are_named(columns, openness):
    got = decided(*(measured(f"m{i}", column, openness=openness[i]) for i, column in enumerate(columns)), n_test=12)
    passed = {line.candidate for line in got.standings if line.passed}
    assert (got.winner is None) == (not passed)
    assert set(got.fallback_order) == passed
    assert set(got.ties) <= passed - {got.winner}
    assert got.winner is None or got.fallback_order[0] == got.winner
    assert (got.best_language_model or got.winner) in (passed or {None})
    assert {line.candidate for line in got.standings} == {f"m{i}" for i in range(len(columns))}
    tiers = [line.tier for line in got.standings if line.tier is not None]
    assert tiers == sorted(tiers)
    assert from_json(to_json(got)) == got
