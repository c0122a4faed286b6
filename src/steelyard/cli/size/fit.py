"""`steelyard size fit`: the replicas that a measured candidate takes at the peak, and their rent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.models.telling import say_line
from steelyard.cli.say import say, say_json
from steelyard.cli.size.names import split_names

if TYPE_CHECKING:
    from steelyard.cli.size.estimated import OnAccelerator
    from steelyard.costs import Machine
    from steelyard.decision import Decision
    from steelyard.quantities import Unknown
    from steelyard.sizing.capacity import Capacity, Week
    from steelyard.sizing.objective import Objective
    from steelyard.usecase import UseCase, Workload

HOURS_PER_MONTH = 730.5


@dataclass(frozen=True)
class Fitted:
    """One candidate: replicas at today's peak and at that of the last month, the week, dollars a month of rent."""

    candidate: str
    now: Capacity | Unknown
    end: Capacity | Unknown
    week: Week | Unknown
    usd_now: float | Unknown
    usd_end: float | Unknown


@click.command("fit")
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "--objective", "texts", multiple=True, help='What must hold at the peak: "ttft_p95 <= 500 ms". Repeatable.'
)
@click.option(
    "--machine", "machine_id", default="cpu-2", show_default=True, help="What a replica runs on, for its rent."
)
@click.option(
    "--on",
    "names",
    multiple=True,
    callback=split_names,
    help="Estimate open candidates on these accelerators: h100,l40s.",
)
@click.option(
    "--spare", type=click.IntRange(0), default=0, show_default=True, help="Replicas on top, paid and idle: 1 for N+1."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def fit_command(
    study: Path, texts: tuple[str, ...], machine_id: str, names: tuple[str, ...], spare: int, as_json: bool
) -> None:
    """Find the replicas that keep STUDY's latency at its peak, now and at the end of its horizon, by simulation.

    Candidates that the last run measured on own machines are taken at their measured rate and latency; with --on, every
    open candidate is estimated on accelerators too. Without --objective the study's own latency requirements hold;
    without those, MLPerf's for conversations.
    """
    import orjson

    from steelyard.cli.report import output_folder
    from steelyard.costs import machine
    from steelyard.decision.store import FILE_NAME, load
    from steelyard.quantities import Unknown
    from steelyard.sizing.objective import objective, required, usual
    from steelyard.usecase.load import load_study

    asked, folder = tuple(map(objective, texts)), output_folder(study)
    decision = None if names and not (folder / FILE_NAME).exists() else load(folder)
    case = load_study(study)
    objectives = asked or required(case.require) or usual().value
    rented = machine(machine_id)
    if isinstance(case.workload, Unknown):
        say_line(f"replicas: {case.workload}")
        return
    found = _fitted(decision, case.workload, objectives, rented, spare) if decision else []
    others = _estimated(case, case.workload, names, objectives, spare) if names else []
    if as_json:
        from steelyard.cli.size.estimated import row

        rows = [*map(_row, found), *map(row, others)]
        document = {"schema_version": "1.0", "objectives": objectives, "machine": rented.id, "spare": spare, "on": rows}
        say_json(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return
    say(f"at the peak: {', '.join(one.text for one in objectives)}", err=True)
    for one in found:
        _say(one, case.workload, spare)
    if found:
        price = rented.usd_per_hour
        say(f"rent: {price.value.usd} USD an hour for {rented.name} [{price.source}]", err=True)
    if others:
        from steelyard.cli.size.estimated import DOUBT, line

        for other in others:
            say_line(line(other))
        say(f"on accelerators: {DOUBT}", err=True)


def _peaks(workload: Workload) -> tuple[float, float]:
    """Requests a second at the busiest moment, now and in the last month."""
    from steelyard.sizing.traffic import SECONDS_PER_DAY

    peak = workload.requests_per_day / SECONDS_PER_DAY * workload.peak_to_mean
    return peak, peak * (1 + workload.growth_per_month) ** max(0, workload.horizon_months - 1)


def _estimated(
    case: UseCase, workload: Workload, names: tuple[str, ...], objectives: tuple[Objective, ...], spare: int
) -> list[OnAccelerator]:
    from steelyard.cli.size.estimated import estimated

    return estimated(case, names, objectives, *_peaks(workload), spare)


def _fitted(
    decision: Decision, workload: Workload, objectives: tuple[Objective, ...], rented: Machine, spare: int
) -> list[Fitted]:
    from steelyard.quantities import Unknown
    from steelyard.sizing.capacity import Capacity, measured, replicas_for, services, week
    from steelyard.stats import Estimate

    found = []
    peak, last = _peaks(workload)
    for standing in decision.standings:
        if standing.way != "self-hosted":
            continue
        rate, p50, p95 = standing.throughput_per_second, standing.latency_p50, standing.latency_p95
        if not (isinstance(rate, Estimate) and isinstance(p50, Estimate) and isinstance(p95, Estimate)):
            why = standing.not_measured or next(str(one) for one in (rate, p50, p95) if isinstance(one, Unknown))
            no = Unknown(f"not measured: {why}")
            found.append(Fitted(standing.candidate, no, no, no, no, no))
            continue
        server = measured(rate.value, services(standing.latency_seconds, p50.value, p95.value))
        now, end = replicas_for(peak, objectives, server), replicas_for(last, objectives, server)
        hourly = float(rented.usd_per_hour.value) * HOURS_PER_MONTH
        found.append(
            Fitted(
                standing.candidate,
                now,
                end,
                week(workload, objectives, server, now) if isinstance(now, Capacity) else now,
                (now.count + spare) * hourly if isinstance(now, Capacity) else now,
                (end.count + spare) * hourly if isinstance(end, Capacity) else end,
            )
        )
    return found


def _say(one: Fitted, workload: Workload, spare: int) -> None:
    from steelyard.quantities import Unknown

    if isinstance(one.now, Unknown) or isinstance(one.week, Unknown) or isinstance(one.usd_now, Unknown):
        say_line(f"{one.candidate}: {one.now}")
        return
    p50, p95 = (one.now.at_peak.quantile("latency", q) for q in (0.5, 0.95))
    say_line(
        f"{one.candidate}: {_replicas(one.now, spare)} at {one.now.peak_per_second:.3g} requests a second, "
        f"{one.usd_now:,.0f} USD a month; p50 {p50:.3g} s, p95 {p95:.3g} s, of which in line p95 "
        f"{one.now.at_peak.quantile('wait', 0.95):.3g} s; used {one.week.used:.0%} of the week, "
        f"{one.week.over_provisioned:.1f} x the hours of scaling to zero"
    )
    if isinstance(one.end, Unknown) or isinstance(one.usd_end, Unknown):
        say_line(f"  in month {workload.horizon_months}: {one.end}")
    else:
        say_line(f"  in month {workload.horizon_months}: {_replicas(one.end, spare)}, {one.usd_end:,.0f} USD a month")


def _replicas(found: Capacity, spare: int) -> str:
    kept = f" and {spare} spare" if spare else ""
    return f"{found.count} replica{'s' if found.count != 1 else ''}{kept}"


def _row(one: Fitted) -> dict[str, object]:
    from steelyard.quantities import Unknown

    if isinstance(one.now, Unknown) or isinstance(one.week, Unknown):
        return {"candidate": one.candidate, "replicas": one.now}
    at = one.now.at_peak
    seconds = {f"{name}_p{q}": at.quantile(name, q / 100) for name in ("latency", "wait") for q in (50, 95, 99)}
    return {
        "candidate": one.candidate,
        "replicas": one.now.replicas,
        "peak_per_second": one.now.peak_per_second,
        "rate_flat_out": one.now.rate_flat_out,
        "share_at_peak": one.now.share_at_peak,
        "seconds_at_peak": seconds,
        "week": one.week,
        "usd_per_month": one.usd_now,
        "replicas_at_the_end": one.end.replicas if not isinstance(one.end, Unknown) else one.end,
        "usd_per_month_at_the_end": one.usd_end,
    }
