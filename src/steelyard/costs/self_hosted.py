"""What own machines cost: whole replicas for the peak, rented around the clock."""

from __future__ import annotations

import math

from steelyard.costs.demand import (
    HOURS_PER_MONTH,
    NO_WORKLOAD,
    SECONDS_PER_DAY,
    over_horizon,
    peak_per_second,
    requests_per_month,
    usd,
    workload_assumptions,
)
from steelyard.costs.estimate import Assumption, Cost, CostLine
from steelyard.costs.machines import Machine, peak_utilisation
from steelyard.quantities import Unknown
from steelyard.usecase import Workload

NOT_INCLUDED = Assumption(
    "not included",
    "staff and on-call, a spare replica, storage, network, monitoring, set-up and migration",
    "scope of this estimate",
    "",
)


def replicas_needed(requests_per_day: float, throughput_per_second: float, workload: Workload) -> int:
    """Whole replicas that carry the peak at the planned utilisation; at least one.

    Machines are integers, so cost is a staircase in volume.
    """
    usable = throughput_per_second * float(peak_utilisation().value)
    return max(1, math.ceil(peak_per_second(requests_per_day, workload) / usable - 1e-9))


def capacity_per_day(replicas: int, throughput_per_second: float, workload: Workload) -> float:
    """Requests a day up to which that many replicas are enough."""
    usable = replicas * throughput_per_second * float(peak_utilisation().value)
    return usable * SECONDS_PER_DAY / workload.peak_to_mean


def self_hosted_cost(
    throughput_per_second: float | Unknown, workload: Workload | Unknown, machine: Machine
) -> Cost | Unknown:
    """Rent of the replicas that the peak needs; per 1,000 is the month's rent over the month's requests.

    Without a workload there is no cost: a rented machine costs the same whether it is busy or idle.
    """
    if isinstance(workload, Unknown):
        return Unknown(f"{NO_WORKLOAD}; a rented machine costs the same busy or idle")
    if isinstance(throughput_per_second, Unknown):
        return Unknown(f"the machines needed are unknown: {throughput_per_second.reason}")
    if throughput_per_second <= 0 or workload.requests_per_day <= 0:
        return Unknown("there is no cost a request without requests")
    hourly = float(machine.usd_per_hour.value)
    now = replicas_needed(workload.requests_per_day, throughput_per_second, workload)
    per_month = now * hourly * HOURS_PER_MONTH
    monthly = usd(per_month, "replicas x hourly price x hours a month")
    per_1000 = usd(per_month / requests_per_month(workload) * 1000, "cost per month over requests per month")

    def rent(requests_per_day: float) -> float:
        return replicas_needed(requests_per_day, throughput_per_second, workload) * hourly * HOURS_PER_MONTH

    line = CostLine(
        "machine rent", per_1000, monthly, f"{now} x {machine.usd_per_hour.value.usd} USD/h x {HOURS_PER_MONTH:g} h"
    )
    return Cost(
        way="self-hosted",
        per_1000=per_1000,
        per_month=monthly,
        horizon_total=over_horizon(workload, rent),
        lines=(line,),
        assumptions=(*_assumptions(throughput_per_second, machine), *workload_assumptions(workload), NOT_INCLUDED),
        replicas=now,
    )


def _assumptions(throughput_per_second: float, machine: Machine) -> tuple[Assumption, ...]:
    price, headroom = machine.usd_per_hour, peak_utilisation()
    rate = f"{throughput_per_second:,.3g} requests/s"
    source = f"{price.source}; assumed: put your own price in its place" if machine.assumed else price.source
    return (
        Assumption("machine price", f"{price.value.usd} USD/h for {machine.name}", source, price.as_of),
        Assumption("rate of one replica", rate, "measured in this run on the machine at hand", ""),
        Assumption("replicas a machine", "1", "each replica is given a machine of its own", ""),
        Assumption("utilisation at the peak", f"{headroom.value:.0%}", headroom.source, headroom.as_of),
        Assumption("hours a month", f"{HOURS_PER_MONTH:g}", "365.25 x 24 / 12", ""),
    )
