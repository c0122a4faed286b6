"""The sample decision, bent: hostile names, a crowd of candidates, nobody who passed, nothing measured."""

from __future__ import annotations

from dataclasses import replace

from tests.decision.samples import sample_decision, self_hosted, share

from steelyard.decision import Decision, Standing
from steelyard.quantities import Unknown
from steelyard.stats import Estimate

HOSTILE = "<script>alert(1)</script> \x1b[31mred\x07 \u202egnp.exe | `code` *bold* \"'&{{7*7}}\x00"


def hostile() -> Decision:
    """Every text that comes from outside is an attack on the page, the terminal or the reader."""
    decision = sample_decision()
    names = {line.candidate: f"{HOSTILE}{number}" for number, line in enumerate(decision.standings)}
    lines = tuple(
        replace(line, candidate=names[line.candidate], name=HOSTILE * 3, vendor=HOSTILE, settings=HOSTILE)
        for line in decision.standings
    )
    return replace(
        decision,
        study=HOSTILE,
        question=HOSTILE,
        verdict=f"Take {HOSTILE}. And more.",
        winner=names["linear"],
        best_language_model=None,
        ties=(),
        standings=lines,
        would_need=(),
        comparisons=(),
        margin=None,
        doubts=(HOSTILE, "ล" * 5000),
        reasons=(HOSTILE,),
        fallback_order=tuple(names.values()),
        versions={HOSTILE: HOSTILE},
    )


def crowd(size: int = 25, name_length: int = 60, same: bool = False) -> Decision:
    """Many candidates with long names, spread out or (`same`) all on one spot."""
    decision = sample_decision()
    pattern = decision.standings[1]
    lines = []
    for number in range(size):
        value = 0.7 if same else 0.45 + 0.4 * ((number * 7) % size) / size
        cost = 100.0 if same else 20.0 * 1.25**number
        lines.append(
            replace(
                pattern,
                candidate=f"model-{number}",
                name=f"A model with number {number} and a name of some length ".ljust(name_length, "W")[:name_length],
                openness=("open", "proprietary", "baseline")[number % 3],
                is_language_model=number % 3 != 2,
                tier=number // 3 + 1,
                quality=share(value, value - 0.06, value + 0.06),
                cost=self_hosted(cost, 1),
            )
        )
    return replace(
        decision, standings=tuple(lines), winner="model-0", best_language_model="model-0", ties=(), would_need=(),
        comparisons=(), margin=None,
    )  # fmt: skip


def nobody_passed() -> Decision:
    """Measured, but every candidate failed a gate."""
    decision = sample_decision()
    return replace(
        decision,
        standings=decision.standings[3:5],
        winner=None,
        best_language_model=None,
        ties=(),
        margin=None,
        comparisons=(),
        would_need=(),
        doubts=(),
        reasons=(),
        recheck_when=(),
        fallback_order=(),
        verdict="No candidate passes every gate. The nearest is Gemma 3 270M (base).",
    )


def nothing_measured() -> Decision:
    """All candidates are without a measurement."""
    return replace(nobody_passed(), standings=sample_decision().standings[5:])


def without_interval(line: Standing) -> Standing:
    """The same line, measured once: a value, no interval, no cost, no latency."""
    unknown = Unknown("a single sample has no interval")
    return replace(
        line,
        quality=Estimate(1.0, unknown, 1, "none", "share"),
        cost=Unknown("no price is known"),
        latency_p50=Unknown("not timed"),
        latency_p95=Unknown("not timed"),
    )
