"""Open candidates on accelerators that nobody measured them on: copies, replicas, rent. Estimates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.catalogue.model import Candidate
from steelyard.catalogue.own import catalogue_for
from steelyard.quantities import Unknown
from steelyard.sizing.accelerators import accelerator
from steelyard.sizing.capacity import Capacity, replicas_for, widened
from steelyard.sizing.copies import Copy, copy_on
from steelyard.sizing.hardware import Accelerator
from steelyard.sizing.objective import Objective
from steelyard.sizing.traffic import Lengths
from steelyard.trials.classify import Classification
from steelyard.trials.plan import expected_usage
from steelyard.usecase import UseCase
from steelyard.usecase.candidates import candidates_of
from steelyard.usecase.read import load_dataset

HOURS_PER_MONTH = 730.5
DOUBT = "estimated by roofline, not measured; lengths from the study's texts; served by vLLM at the published precision"


@dataclass(frozen=True, eq=False)
class OnAccelerator:
    """One open candidate on one kind of accelerator; `usd` are the cheapest and the dearest rent anchor, a month."""

    candidate: str
    accelerator: str
    copy: Copy | Unknown
    now: Capacity | Unknown
    end: Capacity | Unknown
    usd_now: tuple[float, float] | Unknown
    usd_end: tuple[float, float] | Unknown


def estimated(
    case: UseCase, names: Sequence[str], objectives: Sequence[Objective], peak: float, last: float, spare: int = 0
) -> list[OnAccelerator]:
    """Every open candidate of the study on every accelerator named."""
    machines = [accelerator(name.strip(), case.file) for name in names]
    data = load_dataset(case.data)
    task = Classification(case.task, case.data, data)
    found = []
    for candidate in candidates_of(case, catalogue_for(case.file)):
        if candidate.way != "self-hosted" or not candidate.prompted:
            continue
        shots = max(case.task.shots, default=0)
        usages = [expected_usage(task, candidate.model, sample.input, shots) for sample in data.test]
        lengths = Lengths.of(Counter((int(usage.input_tokens), int(usage.output_tokens)) for usage in usages))
        found += [_on(candidate, machine, lengths, objectives, (peak, last), spare) for machine in machines]
    return found


def line(one: OnAccelerator) -> str:
    """As a person reads it."""
    if isinstance(one.copy, Unknown) or isinstance(one.now, Unknown):
        return f"{one.candidate} on {one.accelerator}: {one.copy if isinstance(one.copy, Unknown) else one.now}"
    at, fitted = one.now.at_peak, one.copy.memory
    ttft, tpot, all_of_it = (at.quantile(metric, 0.95) for metric in ("ttft", "tpot", "latency"))
    end = str(one.end) if isinstance(one.end, Unknown) else f"{_ranged(one.end)}{_dollars(one.usd_end)}"
    return (
        f"{one.candidate} on {one.accelerator}: {_ranged(one.now)} x {fitted.parallel.gpus} ({fitted.parallel}, "
        f"{fitted.precision}){_dollars(one.usd_now)}; p95 first token {ttft:.3g} s, further ones {1000 * tpot:.3g} ms, "
        f"whole {all_of_it:.3g} s; at the end {end}"
    )


def _ranged(found: Capacity) -> str:
    """The count, and the counts at both ends of the interval of the speed."""
    ends = found.replicas.interval
    if isinstance(ends, Unknown) or ends.low == ends.high:
        return str(found.count)
    return (
        f"{found.count} ({ends.low:g} to {ends.high:g})"
        if ends.high < math.inf
        else f"{found.count} ({ends.low:g} or more)"
    )


def row(one: OnAccelerator) -> dict[str, object]:
    """As a document has it."""
    same: dict[str, object] = {"candidate": one.candidate, "accelerator": one.accelerator, "doubt": DOUBT}
    if isinstance(one.copy, Unknown) or isinstance(one.now, Unknown):
        return same | {"replicas": one.copy if isinstance(one.copy, Unknown) else one.now}
    seconds = {
        f"{metric}_p{q}": one.now.at_peak.quantile(metric, q / 100)
        for metric in ("ttft", "tpot", "latency", "wait")
        for q in (50, 95, 99)
    }
    return same | {
        "accelerators_a_replica": one.copy.memory.parallel.gpus,
        "replicas": one.now.replicas,
        "rate_flat_out": one.now.rate_flat_out,
        "seconds_at_peak": seconds,
        "usd_per_month": one.usd_now,
        "replicas_at_the_end": one.end if isinstance(one.end, Unknown) else one.end.replicas,
        "usd_per_month_at_the_end": one.usd_end,
    }


def _on(
    candidate: Candidate,
    machine: Accelerator,
    lengths: Lengths,
    objectives: Sequence[Objective],
    peaks: tuple[float, float],
    spare: int,
) -> OnAccelerator:
    copy = copy_on(candidate.model, machine, lengths)
    if isinstance(copy, Unknown):
        return OnAccelerator(candidate.id, machine.id, copy, copy, copy, copy, copy)
    found = [replicas_for(rate, objectives, copy.server) for rate in peaks]
    now, end = (one if isinstance(one, Unknown) else widened(one, objectives, copy.fast, copy.slow) for one in found)
    rents = [_rent(one, copy, machine, spare) for one in (now, end)]
    return OnAccelerator(candidate.id, machine.id, copy, now, end, *rents)


def _rent(found: Capacity | Unknown, copy: Copy, machine: Accelerator, spare: int) -> tuple[float, float] | Unknown:
    if isinstance(found, Unknown):
        return found
    if not machine.rents:
        return Unknown(f"no rent of {machine.name} is known")
    anchors = [float(rent.usd_per_hour.value) for rent in machine.rents]
    hours = (found.count + spare) * copy.memory.parallel.gpus * HOURS_PER_MONTH
    return min(anchors) * hours, max(anchors) * hours


def _dollars(usd: tuple[float, float] | Unknown) -> str:
    if isinstance(usd, Unknown):
        return ", rent unknown"
    return f", {usd[0]:,.0f}{f' to {usd[1]:,.0f}' if usd[1] > usd[0] else ''} USD a month"
