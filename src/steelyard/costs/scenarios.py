"""What may come: each scenario changes the inputs or the traffic; who wins then, and what today's choice would cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from steelyard.costs.break_even import Array
from steelyard.costs.inputs import Inputs, Number
from steelyard.costs.model import Plan
from steelyard.costs.volume import Demand, month_costs
from steelyard.costs.worlds import SEED, WORLDS, share_cheapest, total_band

Bend: TypeAlias = Callable[[Inputs, Demand], dict[str, Number]]
EVENT_MONTH = 12
MINUTES_PER_DAY = 24 * 60
BETTER_MODELS_PER_YEAR = 2.0


@dataclass(frozen=True)
class Scenario:
    """One way in which the future could differ. `bend` gives the inputs that take another value.

    `of_weights`: it happens to those only who run somebody's weights on machines of their own.
    """

    name: str
    about: str
    bend: Bend
    times_volume: float = 1.0
    of_weights: bool = False

    def inputs(self, plan: Plan, inputs: Inputs, demand: Demand) -> Inputs:
        """The inputs of a plan under this scenario, drawn or not."""
        if self.of_weights and not (plan.has_machines and plan.licensed):
            return inputs
        return inputs.using(self.bend(inputs, demand))

    def demand(self, demand: Demand) -> Demand:
        """The traffic under this scenario."""
        return replace(demand, requests_per_day=demand.requests_per_day * self.times_volume)


@dataclass(frozen=True)
class Total:
    """One plan's cost over the horizon under one scenario: in USD, with the 5th and 95th percentile over the worlds."""

    candidate: str
    usd: float
    low: float
    high: float
    p_cheapest: float


@dataclass(frozen=True)
class Outcome:
    """Who wins under one scenario. `regret_usd`: what today's choice costs more than the winner over the horizon.

    `p_regret` is the share of worlds in which it costs more than some other, `regret_high_usd` the 95th percentile.
    """

    name: str
    about: str
    winner: str
    regret_usd: float
    regret_high_usd: float
    p_regret: float
    totals: tuple[Total, ...]


def nothing(inputs: Inputs, demand: Demand) -> dict[str, Number]:
    """No input changes."""
    return {}


def once(inputs: Inputs, demand: Demand, name: str, amount: Number) -> Number:
    """The input `name` with `amount` on top in the month of the event: the twelfth, or the last of a short horizon."""
    at = min(EVENT_MONTH, demand.months) - 1
    return inputs[name] + np.where(demand.month == at, amount, 0.0)


def _price(change: float) -> Bend:
    return lambda inputs, demand: {"api_price_change_per_year": change}


def _outage(inputs: Inputs, demand: Demand) -> dict[str, Number]:
    return {"outage_minutes_api": once(inputs, demand, "outage_minutes_api", MINUTES_PER_DAY)}


def _deprecated(inputs: Inputs, demand: Demand) -> dict[str, Number]:
    """Twelve changes a year for one month are one change."""
    return {"model_changes_per_year_api": once(inputs, demand, "model_changes_per_year_api", 12.0)}


def _licence(inputs: Inputs, demand: Demand) -> dict[str, Number]:
    return {
        "model_changes_per_year_own": once(inputs, demand, "model_changes_per_year_own", 12.0),
        "compliance_usd_per_year": once(
            inputs, demand, "compliance_usd_per_year", 12.0 * inputs["compliance_usd_once"]
        ),
    }


def _better(inputs: Inputs, demand: Demand) -> dict[str, Number]:
    names = ("model_changes_per_year_api", "model_changes_per_year_own", "tuning_runs_per_year")
    return {name: np.maximum(inputs[name], BETTER_MODELS_PER_YEAR) for name in names}


TODAY = Scenario("as stated", "Traffic, prices and models as the study and the inputs say.", nothing)
SCENARIOS: tuple[Scenario, ...] = (
    TODAY,
    Scenario("volume x 10", "Ten times the stated traffic from the first month on.", nothing, times_volume=10.0),
    Scenario("vendor price +50 % a year", "The vendor's price rises by half every year.", _price(0.5)),
    Scenario("vendor price -50 % a year", "The vendor's price halves every year.", _price(-0.5)),
    Scenario("a day's vendor outage", "The vendor is down for 24 hours, once: minutes x value of a minute.", _outage),
    Scenario("model deprecated in month 12", "The vendor retires the model: another one is qualified.", _deprecated),
    Scenario(
        "licence change in month 12",
        "New terms of the open weights: another model is qualified and the review done again.",
        _licence,
        of_weights=True,
    ),
    Scenario(
        "a better model every six months",
        "Every plan changes its model at least twice a year, and fine-tunes again where it is tuned.",
        _better,
    ),
)


def outcomes(
    plans: Sequence[Plan],
    demand: Demand,
    choice: str,
    scenarios: Sequence[Scenario] = SCENARIOS,
    *,
    worlds: int = WORLDS,
    seed: int = SEED,
) -> tuple[Outcome, ...]:
    """Every scenario's outcome; `choice` is the plan taken today. All share their worlds."""
    drawn = [plan.inputs.drawn(seed, worlds) for plan in plans]
    return tuple(_outcome(plans, drawn, demand, choice, scenario, worlds) for scenario in scenarios)


def _outcome(
    plans: Sequence[Plan], drawn: Sequence[Inputs], demand: Demand, choice: str, scenario: Scenario, worlds: int
) -> Outcome:
    traffic = scenario.demand(demand)
    mine = [plan.candidate for plan in plans].index(choice)
    best_guess = [float(_costs(plan, plan.inputs, traffic, scenario).sum()) for plan in plans]
    costs = np.stack(
        [
            np.broadcast_to(_costs(plan, inputs, traffic, scenario), (worlds, traffic.months))
            for plan, inputs in zip(plans, drawn, strict=True)
        ]
    )
    totals = costs.sum(axis=2)
    regrets = totals[mine] - totals.min(axis=0)
    shares = share_cheapest(costs)
    return Outcome(
        name=scenario.name,
        about=scenario.about,
        winner=plans[int(np.argmin(best_guess))].candidate,
        regret_usd=best_guess[mine] - min(best_guess),
        regret_high_usd=float(np.percentile(regrets, 95)),
        p_regret=float(np.mean(regrets > 0)),
        totals=tuple(
            Total(plan.candidate, best_guess[i], *total_band(costs[i]), float(shares[i]))
            for i, plan in enumerate(plans)
        ),
    )


def _costs(plan: Plan, inputs: Inputs, demand: Demand, scenario: Scenario) -> Array:
    return month_costs(plan, scenario.inputs(plan, inputs, demand), demand)
