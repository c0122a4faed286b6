"""The workload over time: requests a month, growth month by month, the busiest second."""

from __future__ import annotations

from collections.abc import Callable

from steelyard.costs.estimate import Assumption
from steelyard.quantities import Unknown
from steelyard.stats import Estimate, Estimated
from steelyard.usecase import Workload

DAYS_PER_MONTH = 30.44
HOURS_PER_MONTH = 730.5
SECONDS_PER_DAY = 86_400

ARITHMETIC = Unknown("arithmetic on stated rates: no sampling behind it")
NO_WORKLOAD = "the study states no workload"


def usd(value: float, method: str) -> Estimate:
    """A computed amount: no sample, hence no interval."""
    return Estimate(value, ARITHMETIC, None, method, "USD")


def requests_per_month(workload: Workload) -> float:
    """Requests in a month of 30.44 days."""
    return workload.requests_per_day * DAYS_PER_MONTH


def peak_per_second(requests_per_day: float, workload: Workload) -> float:
    """Requests a second at the busiest time: the daily mean times peak-to-mean."""
    return requests_per_day / SECONDS_PER_DAY * workload.peak_to_mean


def requests_per_day_in(workload: Workload, month: int) -> float:
    """Requests a day after `month` months of growth (0 = now)."""
    return float(workload.requests_per_day * (1 + workload.growth_per_month) ** month)


def over_horizon(workload: Workload, per_month: Callable[[float], float]) -> Estimated:
    """The sum over the horizon; `per_month` maps requests a day to that month's cost. No discounting."""
    months = range(workload.horizon_months)
    total = sum(per_month(requests_per_day_in(workload, month)) for month in months)
    return usd(total, f"sum over {workload.horizon_months} months, growth applied monthly")


def workload_assumptions(workload: Workload | Unknown) -> tuple[Assumption, ...]:
    """What the study file says about demand, as assumptions."""
    if isinstance(workload, Unknown):
        return ()
    return (
        Assumption("requests a day", f"{workload.requests_per_day:,.0f}", "study file", ""),
        Assumption("peak to mean", f"{workload.peak_to_mean:g}", "study file", ""),
        Assumption("growth a month", f"{workload.growth_per_month:.1%}", "study file", ""),
        Assumption("days a month", f"{DAYS_PER_MONTH:g}", "365.25 / 12", ""),
    )
