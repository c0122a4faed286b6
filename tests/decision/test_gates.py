"""Each gate, with the number or clause that decides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.decision.evidence import MADE_AT, candidate, case, measured, scores, unmeasured

from steelyard.decision import Evidence, Gate
from steelyard.decision.figures import figures
from steelyard.decision.gates import gates
from steelyard.quantities import Sourced, Unknown
from steelyard.trials import Latency
from steelyard.usecase import Privacy, Requirement


def gate(name: str, evidence: Evidence, **changes) -> Gate:
    return next(one for one in gates(case(**changes), evidence, MADE_AT) if one.name == name)


def requires(metric: str, op: str, limit: float) -> tuple[Requirement, ...]:
    return (Requirement(metric, op, limit, f"{op} {limit}"),)  # type: ignore[arg-type]


GOOD = measured("good", scores(171, 240), latency=Latency((0.1, 0.2, 0.3, 0.95), (0.05, 0.06)))


@pytest.mark.parametrize("allowed", ["own", "contracted", "any"])
@pytest.mark.parametrize("custody", ["own", "contracted", "any"])
def test_data_reach_no_further_than_the_study_allows(custody, allowed):
    evidence = replace(GOOD, candidate=candidate("good", custody=custody))
    reach = ["own", "contracted", "any"]
    passes = reach.index(custody) <= reach.index(allowed)
    got = gate("privacy", evidence, privacy=Privacy("internal", allowed))
    assert got.outcome == ("passed" if passes else "failed")
    assert ("data may not leave" in got.detail) == (not passes)


def test_a_way_that_the_study_does_not_allow_fails():
    assert gate("ways", GOOD, allow_ways=("api",)).detail == "It runs self-hosted; the study allows api."
    assert gate("ways", GOOD, allow_ways=("api",)).outcome == "failed"


@pytest.mark.parametrize(("retired", "outcome"), [("2026-11-24", "failed"), ("2026-11-25", "passed")])
def test_a_vendor_model_fails_from_the_day_it_is_withdrawn(retired, outcome):
    evidence = unmeasured("openai:x")
    model = replace(evidence.candidate.model, retired=Sourced(retired, "vendor's list", "2026-10-01"))
    gone = replace(evidence, candidate=replace(evidence.candidate, model=model))
    assert gate("ways", gone).outcome == outcome


@pytest.mark.parametrize(
    ("requirement", "name", "detail"),
    [
        (requires("accuracy", ">=", 0.6), "quality", "71.2 % right, 11.2 points above the 60 % asked for."),
        (requires("accuracy", ">=", 0.8), "quality", "71.2 % right, 8.8 points short of the 80 % asked for."),
        (
            requires("latency_p95", "<=", 0.8),
            "latency",
            "95 % of the answers within 950 ms, 150 ms over the limit of 800 ms.",
        ),
        (
            requires("latency_p50", "<=", 0.8),
            "latency",
            "Half of the answers within 200 ms, 600 ms inside the limit of 800 ms.",
        ),
        (
            requires("ttft_p95", "<", 0.06),
            "latency",
            "95 % of the first tokens within 60 ms, 0 ms over the limit of 60 ms.",
        ),
        (requires("cost_per_month", "<=", 3000), "budget", "$73 a month, $2,927 inside the limit of $3,000."),
        (requires("cost_per_1000", "<=", 0.1), "budget", "$0.12 per 1,000 requests, $0.02 over the limit of $0.10."),
    ],
)
def test_a_requirement_says_what_was_measured_and_how_far_off_it_is(requirement, name, detail):
    got = gate(name, GOOD, require=requirement)
    assert got.detail == detail
    assert got.outcome == ("failed" if "short" in detail or "over" in detail else "passed")


@pytest.mark.parametrize("metric", ["accuracy", "latency_p95", "ttft_p95", "cost_per_month"])
def test_where_there_is_no_value_to_test_the_gate_does_not_pass(metric):
    nothing = replace(unmeasured("openai:x"), cost=Unknown("no price is known"))
    (got,) = gates(case(require=requires(metric, "<=", 1e9)), nothing, MADE_AT)[3:]
    assert got.outcome == "unknown"
    assert got.detail in ("Nothing to test: THE_KEY is not set.", "Nothing to test: no price is known.")


@pytest.mark.parametrize(("lag", "outcome"), [(0.1, "failed"), (0.2, "unknown"), (0.0, "failed")])
def test_a_limit_missed_by_less_than_this_machines_own_lag_is_neither_met_nor_missed(lag, outcome):
    late = replace(GOOD, measurement=replace(GOOD.measurement, latency=Latency((0.1, 0.2, 0.3, 0.95), (), "", lag)))
    got = gate("latency", late, require=requires("latency_p95", "<=", 0.8))
    assert got.outcome == outcome
    assert ("this machine read the answers up to 200 ms late" in got.detail) == (outcome == "unknown")


def test_how_latency_was_timed_stands_in_the_figure():
    timed = replace(GOOD.measurement, latency=Latency((0.1, 0.2), (0.05, 0.06), "8 at a time"))
    known = figures(timed)
    assert known.latency_p95.method == "8 at a time; nearest rank"
    assert known.ttft_p95.method == "8 at a time; nearest rank"
