"""How far a decision carries: not beaten, within the margin, more samples, slices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.decision.evidence import MADE_AT, case, decided, measured, scores, summary, unmeasured

from steelyard.costs import Cost
from steelyard.decision import Decision
from steelyard.decision.certainty import Certainty, NextSamples
from steelyard.decision.decide import decide
from steelyard.decision.foresight import disagreement, foresight
from steelyard.decision.store import from_json, save, to_json
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Interval


def sure(decision: Decision) -> Certainty:
    assert isinstance(decision.certainty, Certainty)
    return decision.certainty


def priced(per_month: float) -> Cost:
    amount = Estimate(per_month, Unknown("computed"), None, "arithmetic", "USD")
    return Cost("api", amount, amount, amount, (), ())


def sliced(columns: dict[str, list[str]], *evidence, **changes) -> Certainty:
    n = len(next(iter(columns.values())))
    by_sample = {f"s{i}": {column: values[i] for column, values in columns.items()} for i in range(n)}
    return sure(decide(case(**changes), evidence, summary(n), made_at=MADE_AT, versions={}, slices=by_sample))


def test_whoever_is_shown_to_be_worse_than_anybody_is_beaten_and_the_rest_are_not():
    known = sure(
        decided(measured("a", scores(190, 240)), measured("b", scores(185, 240, 40)), measured("c", scores(60, 240)))
    )
    assert known.not_beaten == ("a", "b")
    assert known.best == "a"
    assert known.sentences[0] == "Not shown to be worse than any other, all pairs together at 95 %: a and b."


def test_a_clear_winner_is_said_to_be_one_and_needs_no_more_samples():
    known = sure(decided(measured("a", scores(220, 240)), measured("b", scores(60, 240)), require=()))
    assert known.sentences == ("Shown to be better than every other, all pairs together at 95 %: a.",)
    assert known.next_samples == Unknown("the first two are told apart")


def test_without_a_margin_differences_stand_and_nothing_is_claimed():
    known = sure(decided(measured("a", scores(190, 240)), measured("b", scores(185, 240, 40))))
    (one,) = known.against
    assert one.items.value == pytest.approx(-5 / 240)
    assert one.items.interval == Interval(one.items.value, one.items.value)
    assert isinstance(one.traffic.interval, Interval)
    assert one.traffic.interval.low < one.items.value < one.traffic.interval.high
    assert isinstance(one.within_traffic, Unknown)
    assert isinstance(known.margin, Unknown)


def test_a_cheaper_one_may_be_within_the_margin_on_these_samples_and_not_shown_to_be_on_traffic():
    dear, cheap = measured("a", scores(190, 240), cost=priced(900)), measured("b", scores(185, 240, 40), cost=priced(9))
    (one,) = sure(decided(dear, cheap, margin=0.03)).against
    assert (one.within_items, one.within_traffic, one.cheaper) == (True, False, True)
    said = sure(decided(dear, cheap, margin=0.03)).sentences
    assert any("less than 3 points worse than a on these 240 samples, which are too few" in text for text in said)
    (one,) = sure(decided(dear, cheap, margin=0.2)).against
    assert one.within_traffic is True


def test_samples_that_one_did_not_answer_leave_doubt_about_these_samples_too():
    holes = [Unknown("failed") if i % 2 else score for i, score in enumerate(scores(185, 240, 40))]
    (one,) = sure(decided(measured("a", scores(190, 240)), measured("b", holes))).against
    assert isinstance(one.items.interval, Interval)
    assert isinstance(one.traffic.interval, Interval)
    assert one.items.interval.low > one.traffic.interval.low
    assert one.items.interval.high > one.items.interval.low


def test_an_unknown_cost_is_not_a_high_one():
    (one,) = sure(
        decided(measured("a", scores(190, 240), cost=Unknown("no price")), measured("b", scores(185, 240)))
    ).against
    assert not one.cheaper


def test_more_samples_are_promised_with_their_chance_or_called_hopeless():
    near = sure(decided(measured("a", scores(190, 240)), measured("b", scores(178, 240, 40))))
    assert isinstance(near.next_samples, NextSamples)
    assert isinstance(near.next_samples.samples, int)
    assert near.next_samples.samples < 2400
    assert f"About {near.next_samples.samples:,} more labelled samples would tell a and b apart" in near.sentences[-1]
    level = sure(decided(measured("a", scores(190, 240)), measured("b", scores(190, 240, 40))))
    assert isinstance(level.next_samples, NextSamples)
    assert level.next_samples.samples == Unknown("more than 4,800 samples")


def test_slices_come_with_their_warnings_and_a_bad_one_is_found_among_all_looked_at():
    bad = [0.0 if i % 4 == 0 else 1.0 for i in range(240)]
    languages = ["de" if i % 4 == 0 else "en" for i in range(240)]
    known = sliced({"language": languages}, measured("a", bad), measured("b", scores(180, 240, 7)))
    by_place = {(one.part, one.candidate): one for one in known.slices}
    assert by_place["de", "a"].stands_out
    assert not by_place["de", "b"].stands_out
    assert known.slice_warnings[0].startswith("4 figures of slices were looked at")
    assert "a on language = de" in known.slice_warnings[-1]


def test_small_slices_are_called_small_and_many_values_are_put_together():
    values = [f"v{i % 60}" for i in range(240)]
    known = sliced({"product": values}, measured("a", scores(190, 240)))
    assert len(known.slices) == 30
    assert [one.part for one in known.slices if not one.small] == ["all others"]
    assert "29 of 30 slices have fewer than 30 samples" in known.slice_warnings[1]


def test_nothing_measured_or_a_single_candidate_is_no_trouble():
    assert sure(decided()).sentences == ()
    assert sure(decided(unmeasured("x"))).against == ()
    assert sure(decided(measured("a", [1.0]), n_test=1)).best == "a"


def test_it_survives_the_file_and_an_older_file_without_it_is_still_read():
    decision = decided(measured("a", scores(190, 240)), measured("b", scores(185, 240, 40)), margin=0.03)
    assert from_json(to_json(decision)) == decision
    older = to_json(replace(decision, certainty=Unknown("x"))).replace(
        b',\n  "certainty": {\n    "reason": "x"\n  }', b""
    )
    assert b"certainty" not in older
    assert from_json(older).certainty == Unknown("not worked out in this run")


def test_while_a_run_goes_on_nothing_is_worked_out():
    assert decided(measured("a", scores(190, 240)), provisional=True).certainty == Unknown("the run goes on")


def test_before_a_run_it_is_said_what_so_many_samples_will_show():
    said = foresight(240, 3, 720, "about $1.80")
    assert said == (
        "With 240 test samples you will see differences of 10.3 points (with probability 0.8, if two candidates "
        "disagree on 25 % of the samples); 3 candidates, 720 calls, about $1.80."
    )
    assert "will show no difference" in foresight(4, 3, 12, "nothing to pay")
    assert "more, as they come in 40 clusters" in foresight(240, 3, 720, "nothing to pay", 40)
    assert foresight(240, 1, 240, "nothing to pay") == "240 test samples; 1 candidate, 240 calls, nothing to pay."


def test_metrics_of_all_answers_are_told_where_the_study_names_them_and_without_failed_calls():
    """The rare class is answered by a alone: accuracy hardly moves, macro-F1 does."""
    targets = {f"s{i}": "rare" if i % 10 == 0 else "often" for i in range(240)}
    good, poor = (list(targets.values()), ["often"] * 240)
    evidence = [
        replace(one, measurement=replace(one.measurement, answers=tuple(said)))
        for one, said in (
            (measured("a", [1.0] * 239 + [Unknown("failed")]), good),
            (measured("b", [float(target == "often") for target in targets.values()]), poor),
        )
    ]
    made = decide(
        case(also=("macro_f1",), require=()), evidence, summary(), made_at=MADE_AT, versions={}, targets=targets
    )
    best, other = sure(made).corpus
    assert (best.candidate, best.value.value, best.value.n) == ("a", 1.0, 239)
    assert other.value.value == pytest.approx(216 / 228 / 2, abs=0.001)
    assert other.less_best.value == pytest.approx(other.value.value - 1, abs=0.001)
    assert other.p_adjusted < 0.001
    assert from_json(to_json(made)) == made
    assert sure(decided(measured("a", scores(190, 240)))).corpus == ()


def test_a_second_run_foresees_with_the_disagreement_of_the_first(tmp_path: Path):
    assert isinstance(disagreement(tmp_path), Unknown)
    decision = decided(measured("a", scores(190, 240)), measured("b", scores(185, 240, 40)))
    save(decision, tmp_path)
    seen = disagreement(tmp_path)
    assert seen == decision.comparisons[0].disagree == pytest.approx(75 / 240)
    assert "if, as in the last run, two candidates disagree on 31.2 %" in foresight(240, 2, 480, "$1", disagree=seen)
    (tmp_path / "decision.json").write_text("{}")
    assert isinstance(disagreement(tmp_path), Unknown)
