"""Decision -> Page: what is said, in which order. Every sentence is made from the decision's figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from steelyard.decision import Decision, Standing
from steelyard.quantities import Unknown
from steelyard.report import numbers
from steelyard.report.background import background
from steelyard.report.blocks import Headline, Page
from steelyard.report.certainty_sections import good_enough, other_metrics, slices
from steelyard.report.cost_sections import ahead
from steelyard.report.leaderboard import leaderboard, trade_off
from steelyard.report.numbers import count, listing
from steelyard.report.outcome import doubts, not_measured, rechecks, ruled_out
from steelyard.report.terms import costs, licences
from steelyard.visible import shown, visible

LONGEST_NAME = 100
_FIRST_SENTENCE_END = re.compile(r"(?<=[\w)%]\.)\s+(?=[A-Z])")


def page(decision: Decision) -> Page:
    """The report of one decision as data. Text from outside comes out visible and of bearable length."""
    decision = readable(decision)
    winner = decision.standing(decision.winner) if decision.winner else None
    sections = (
        leaderboard(decision),
        trade_off(decision),
        doubts(decision),
        rechecks(decision),
        good_enough(decision),
        other_metrics(decision),
        slices(decision),
        ruled_out(decision),
        not_measured(decision),
        licences(decision),
        costs(decision),
        ahead(decision),
        *background(decision),
    )
    title, strings = _strings(decision, winner)
    verdict, _, details = _FIRST_SENTENCE_END.sub("\n", decision.verdict, count=1).partition("\n")
    return Page(
        title=decision.question or f"Which model for {decision.study}?",
        subtitle=_subtitle(decision),
        study=decision.study,
        notice=_notice(decision),
        verdict=verdict,
        details=details,
        headlines=_headlines(decision, winner),
        reasons=decision.reasons,
        strings_title=title,
        strings=strings,
        sections=tuple(section for section in sections if section),
        colophon=f"Made by Steelyard {decision.versions.get('steelyard', '')}".rstrip()
        + f" on {numbers.moment(decision.made_at)}. All amounts in US dollars (USD).",
    )


def _notice(decision: Decision) -> str:
    if decision.provisional:
        return "Provisional: measuring goes on, and every figure here may still move."
    failed = [line for line in decision.standings if line.failed]
    return f"{partial_notice(failed)} ({listing([line.name for line in failed])}), see below." if failed else ""


def partial_notice(failed: Sequence[Standing]) -> str:
    """That these gave way while they were measured."""
    return f"Partial result: {count(len(failed), 'candidate')} could not be measured"


def readable(decision: Decision) -> Decision:
    """The same decision with harmless text and names short enough for a table."""
    decision = shown(decision)
    lines = tuple(
        replace(
            line, name=visible(line.name or line.candidate, LONGEST_NAME), vendor=visible(line.vendor, LONGEST_NAME)
        )
        for line in decision.standings
    )
    return replace(decision, standings=lines)


def _subtitle(decision: Decision) -> str:
    done = sum(not line.not_measured for line in decision.standings)
    return " · ".join(
        (
            f"{done} of {count(len(decision.standings), 'candidate')} measured",
            count(decision.data.n_test, "test sample") + " of your own",
            numbers.moment(decision.made_at),
        )
    )


def _headlines(decision: Decision, winner: Standing | None) -> tuple[Headline, ...]:
    if winner is None:
        lines = decision.standings
        measured = sum(not line.not_measured for line in lines)
        passed = sum(line.passed for line in lines)
        return (
            Headline("Candidates", f"{len(lines)}", "in this study"),
            Headline("Measured", f"{measured}", f"on {count(decision.data.n_test, 'test sample')}"),
            Headline("Passed every gate", f"{passed}", "the reasons of the others stand below"),
        )
    return (_quality(decision, winner), _cost(winner), _speed(winner))


def _quality(decision: Decision, winner: Standing) -> Headline:
    estimate = winner.quality
    span = numbers.interval(estimate)
    note = f"{span} ({numbers.level(estimate)} interval)" if span else numbers.why_unknown(estimate)
    return Headline(decision.metric.capitalize(), numbers.value(estimate), note)


def _cost(winner: Standing) -> Headline:
    cost = winner.cost
    if isinstance(cost, Unknown):
        return Headline("Cost per month", numbers.UNKNOWN, cost.reason)
    machines = f" on {count(cost.replicas, 'machine')}" if cost.replicas else ""
    note = f"{numbers.value(cost.per_1000)} per 1,000 requests, {cost.way}{machines}"
    return Headline("Cost per month", numbers.value(cost.per_month), note)


def _speed(winner: Standing) -> Headline:
    if isinstance(winner.latency_p95, Unknown):
        return Headline("Latency, p95", numbers.UNKNOWN, winner.latency_p95.reason)
    note = f"19 of 20 requests are faster; the median is {numbers.value(winner.latency_p50)}"
    return Headline("Latency, p95", numbers.value(winner.latency_p95), note)


def _strings(decision: Decision, winner: Standing | None) -> tuple[str, tuple[str, ...]]:
    """What comes attached to the winner: duties and open questions."""
    if winner is None:
        return "What to do next", (
            "Look below at what ruled each candidate out, then add candidates or relax a requirement, and run again.",
        )
    duties = tuple(f"Duty: {duty}" for duty in decision.duties or winner.licence.duties)
    questions = tuple(f"Open question: {question}" for question in decision.questions or winner.licence.questions)
    said = duties + questions
    return "What comes with it", said or (f"{winner.name} brings no duties and no open questions for this use.",)
