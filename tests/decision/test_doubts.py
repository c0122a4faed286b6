"""Doubts and times to ask again, each brought about alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.decision.evidence import MADE_AT, WORKLOAD, case, decided, measured, scores, summary

from steelyard.catalogue import Candidate
from steelyard.costs import Cost, cost_of, machine
from steelyard.decision import Evidence
from steelyard.decision.decide import decide
from steelyard.licences import Threshold
from steelyard.providers.protocol import Usage
from steelyard.quantities import Sourced, Unknown
from steelyard.trials import DevChoice, Latency, Measurement
from steelyard.usecase import Requirement

CLEAN = measured("clean", scores(200, 240), openness="baseline", cost=Unknown("free"))


def test_a_clear_lead_on_clean_data_leaves_no_doubt():
    """Of a baseline whose cost rests on no machine; every other test adds one flaw to this study."""
    assert decided(CLEAN).doubts == ()


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"exact_leaks": 1}, "1 exact copy of dev samples in the test set: "),
        ({"exact_leaks": 1, "near_leaks": 2}, "1 exact and 2 near copies of dev samples in the test set: "),
        ({"peeks": 4}, "4 runs have looked at this test set: "),
        ({"n_test": 60}, "Only 60 test samples: "),
    ],
)
def test_what_is_wrong_with_the_data_is_a_doubt(changes, doubt):
    (got,) = decided(CLEAN, data=summary(**changes)).doubts
    assert got.startswith(doubt)


def test_three_looks_are_no_doubt():
    assert decided(CLEAN, data=summary(peeks=3)).doubts == ()


@pytest.mark.parametrize(("right", "verb"), [(150, "passes"), (139, "fails")])
def test_a_floor_inside_the_interval_is_a_doubt_whichever_side_the_value_is(right, verb):
    got = decided(CLEAN, measured("near", scores(right, 240, 99)))
    assert any(
        doubt.startswith("The floor of 60 % lies inside the interval of near (") and f"it {verb} by its value" in doubt
        for doubt in got.doubts
    )


def test_unreadable_answers_are_a_doubt_only_when_the_rates_differ_beyond_chance():
    poor = {"unparseable_rate": 0.15, "strict_rate": 0.5}
    got = decided(CLEAN, measured("mumbles", scores(100, 240, 9), **poor))
    assert any(doubt.startswith("15 % of the answers of mumbles named no label, of clean 0 %") for doubt in got.doubts)
    slight = decided(CLEAN, measured("mumbles", scores(100, 240, 9), unparseable_rate=0.004))
    assert not any("named no label" in doubt for doubt in slight.doubts)


def test_a_winner_close_to_its_latency_limit_and_measured_a_few_times_is_doubted_for_both():
    limits = (Requirement("latency_p95", "<=", 0.8, "<= 800 ms"),)
    slow = measured(
        "slow", scores(200, 240), openness="baseline", cost=Unknown("free"), latency=Latency((0.5, 0.6, 0.75))
    )
    near, thin = decided(slow, require=limits).doubts
    assert near == "Close to a limit, slow: 95 % of the answers within 750 ms, 50 ms inside the limit of 800 ms."
    assert thin == "The p95 latency of slow rests on 3 timed requests: it takes 59 to say how exact it is."


def test_a_machine_price_makes_the_measured_rate_a_doubt():
    own = measured("own", scores(200, 240), openness="baseline")
    (got,) = decided(own).doubts
    assert got.startswith("The rate of own was measured on the machine of this run, not on the one that is priced")


def test_facts_that_nobody_has_read_are_named():
    model = measured("model", scores(200, 240), cost=Unknown("free"))
    (got,) = decided(model).doubts
    assert got == "About model it is not known: its languages and how many tokens it reads at once."


def rented(rate: float) -> Cost:
    cost = cost_of(
        CLEAN.candidate,
        usages={Usage(): 1},
        throughput_per_second=rate,
        workload=WORKLOAD,
        at=MADE_AT,
        machine=machine(),
    )
    assert isinstance(cost, Cost)
    return cost


def test_the_next_machine_is_announced_with_its_volume_and_month():
    """One machine at 2 requests/s carries 2 x 0.7 x 86,400 / 4 = 30,240 a day; 6 % a month get there in 8 months."""
    got = decided(measured("m", scores(200, 240), rate=2.0, cost=rented(2.0)))
    assert "Above 30,000 requests a day (in 8 months at 6 % growth) m needs more than 1 machine." in got.recheck_when


def test_a_price_is_read_again_after_half_a_year():
    fresh = decided(measured("m", scores(200, 240)))
    assert "The machine's price was read on 2026-10-01: read it again by 2027-04-02." in fresh.recheck_when
    later = MADE_AT.replace(year=2027, month=6)
    stale = decide(case(), [measured("m", scores(200, 240))], summary(), made_at=later, versions={})
    assert (
        "The machine's price was read on 2026-10-01, more than six months ago: read it again now." in stale.recheck_when
    )


def test_a_withdrawal_that_is_announced_is_a_date_to_keep():
    evidence = measured("m", scores(200, 240), cost=Unknown("free"))
    one: Candidate = evidence.candidate
    model = replace(one.model, retired=Sourced("2027-03-01", "vendor's list", "2026-10-01"))
    got = decided(replace(evidence, candidate=replace(one, model=model)))
    assert "On 2027-03-01 the vendor withdraws m (vendor's list): choose again before." in got.recheck_when


def test_the_month_in_which_growth_passes_a_limit_of_the_licence_is_kept():
    limit = Threshold("revenue: limit 20, 5 leaves 15", "Terms", "§2", "forbidden", "revenue", 20, 5, 15, 24, "2028-11")
    evidence = measured("m", scores(200, 240))
    limited = replace(evidence.licence, thresholds=(limit, replace(limit, text="far", crossed_in="")))
    got = decided(replace(evidence, licence=limited))
    said = [text for text in got.recheck_when if "limit of the licence" in text]
    assert said == ["In 2028-11 a limit of the licence is passed (Terms §2): revenue: limit 20, 5 leaves 15."]


def test_without_a_winner_there_is_nothing_to_check_again():
    assert decided(measured("poor", scores(20, 240))).recheck_when == ()


def test_a_volume_far_away_is_no_reason_to_ask_again():
    got = decided(measured("m", scores(200, 240), rate=2000.0, cost=rented(2000.0)))
    assert not [text for text in got.recheck_when if "requests a day" in text]


def test_few_samples_may_reverse_a_close_lead_but_only_blur_a_clear_one():
    close = decided(measured("a", scores(40, 48)), measured("b", scores(38, 48)), n_test=48)
    assert "Only 48 test samples: below 100, one more batch may well reverse it." in close.doubts
    clear = decided(measured("a", scores(48, 48)), measured("b", scores(12, 48)), n_test=48)
    (few,) = [doubt for doubt in clear.doubts if doubt.startswith("Only 48")]
    assert (
        few == "Only 48 test samples: below 100, every figure is coarse: look at the intervals, not at single points."
    )


def with_settings(id: str, right: int, dev: list[float], n: int = 48) -> Evidence:
    """A candidate whose settings were chosen on `n` dev samples: the first was taken."""
    one = measured(id, scores(right, 240), openness="baseline", cost=Unknown("free"))
    rows = tuple(DevChoice(12 * i, "none", share, n, i == 0) for i, share in enumerate(dev))
    assert isinstance(one.measurement, Measurement)
    return replace(one, measurement=replace(one.measurement, dev_choices=rows))


def test_settings_much_better_on_few_dev_samples_than_on_test_are_a_doubt():
    (got,) = decided(with_settings("m", 180, [0.875, 0.5])).doubts
    assert got == (
        "The settings of m were chosen on 48 dev samples: they got 87.5 % of them right, but 75 % of the test "
        "samples; on other dev samples the choice may be another."
    )
    assert decided(with_settings("m", 200, [0.875, 0.5])).doubts == ()
    assert decided(with_settings("m", 180, [0.875, 0.5], n=120)).doubts == ()


def test_a_winner_whose_next_settings_were_within_two_dev_samples_is_doubted():
    (got,) = decided(with_settings("m", 200, [42 / 48, 40 / 48])).doubts
    assert "they were 2 samples ahead of the next; " in got
    (level,) = decided(with_settings("m", 200, [42 / 48, 42 / 48])).doubts
    assert "they were level with the next; " in level
    assert decided(with_settings("m", 200, [42 / 48, 39 / 48])).doubts == ()
