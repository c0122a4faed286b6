"""One plan's cost in a month, line by line: plain arithmetic, over any number of worlds and months at once.

Nothing is discounted. One-offs fall into month 0. Machines are whole: the cost is a staircase in volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias

from steelyard.costs.demand import DAYS_PER_MONTH, HOURS_PER_MONTH, SECONDS_PER_DAY
from steelyard.costs.inputs import Inputs, Number
from steelyard.costs.lines import LICENCE, LINES, Lines

PlanWay: TypeAlias = Literal["api", "rented", "owned", "hybrid"]
Scaling: TypeAlias = Literal["around the clock", "with the load"]

OF_THE_API = frozenset(
    {"fresh_tokens", "cached_tokens", "written_tokens", "output_tokens", "reasoning_tokens", "tokenizer_ratio"}
    | {"input_rate", "cached_rate", "write_rate", "output_rate", "other_usd_per_request", "api_price_change_per_year"}
    | {"committed_discount", "committed_usd_per_month", "minimum_usd_per_month", "failed_share", "retries_billed"}
)
"""Inputs that describe an offer; a hybrid takes them from its API part."""


@dataclass(frozen=True)
class Plan:
    """One candidate in one way. `own_share` of all requests is answered by own machines, the rest by the API.

    `own_peak_to_mean` is that of the requests which the machines get (None: as all have). `replicas` fixes their
    number (None: as many as the peak needs). `owned`: the machines are bought. `tuned`: the model is fine-tuned.
    `licensed`: the model on own machines is somebody else's, under terms that may change. `unknown` lines, with the
    reason, are left out of every sum: what is known of the plan is the least it costs.
    """

    candidate: str
    way: PlanWay
    inputs: Inputs
    own_share: Number = 0.0
    own_peak_to_mean: Number | None = None
    replicas: Number | None = None
    owned: bool = False
    scaling: Scaling = "around the clock"
    tuned: bool = False
    licensed: bool = True
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_api(self) -> bool:
        """Some requests are answered by a vendor."""
        return self.way in ("api", "hybrid")

    @property
    def has_machines(self) -> bool:
        """Some requests are answered by own machines."""
        return self.way != "api"

    def beside(self, api: Plan, own_share: Number) -> Plan:
        """These machines for a share of the requests, and the API of another plan for the rest."""
        inputs = self.inputs.with_facts(api.inputs.facts[name] for name in OF_THE_API)
        used = {name: value for name, value in api.inputs.used.items() if name in OF_THE_API}
        name = f"{self.candidate} + {api.candidate}"
        unknown = {**self.unknown, **api.unknown}
        return replace(
            self, candidate=name, way="hybrid", inputs=inputs.using(used), own_share=own_share, unknown=unknown
        )


def monthly(plan: Plan, inputs: Inputs, requests_per_day: Number, month: Number) -> Lines:
    """USD of the month that begins after `month` months, at so many requests a day; everything may be an array."""
    work = _Month(plan, inputs, requests_per_day, month)
    usd = {**work.usage(), **work.infrastructure(), **work.people(), **work.one_offs(), **work.hidden()}
    return Lines({line.name: usd[line.name] for line in LINES if line.name in usd and line.name not in plan.unknown})


def replicas_at(plan: Plan, inputs: Inputs, requests_per_day: Number) -> Number:
    """Whole replicas of own machines for the peak, without spares; at least one."""
    return _Month(plan, inputs, requests_per_day, 0.0).replicas


class _Month:
    """The parts of `monthly`; what several lines need is worked out once."""

    def __init__(self, plan: Plan, inputs: Inputs, requests_per_day: Number, month: Number) -> None:
        self.plan, self.of, self.month = plan, inputs, month
        self.requests = requests_per_day * DAYS_PER_MONTH
        self.share = {"api": 0.0, "rented": 1.0, "owned": 1.0}.get(plan.way, plan.own_share)
        self.own_per_day = requests_per_day * self.share
        self.peak_to_mean = inputs["peak_to_mean"] if plan.own_peak_to_mean is None else plan.own_peak_to_mean

    @cached_property
    def per_request(self) -> dict[str, Number]:
        """USD a request at the API's price of that month, by line."""
        of = self.of
        price = (1 + of["api_price_change_per_year"]) ** (self.month / 12)
        token = of["tokenizer_ratio"] * price / 1e6
        return {
            "input tokens": of["fresh_tokens"] * of["input_rate"] * token,
            "cached input tokens": of["cached_tokens"] * of["cached_rate"] * token,
            "cache writes": of["written_tokens"] * of["write_rate"] * token,
            "output tokens": of["output_tokens"] * of["output_rate"] * token,
            "reasoning tokens": of["reasoning_tokens"] * of["output_rate"] * token,
            "images, audio and fees": of["other_usd_per_request"] * price,
        }

    def usage(self) -> dict[str, Number]:
        """The bill of the API: list price, discount, minimum."""
        import numpy as np

        if not self.plan.has_api:
            return {}
        of, requests = self.of, self.requests * (1 - self.share)
        lines = {name: requests * usd for name, usd in self.per_request.items()}
        tokens = sum(lines.values())
        committed = of["committed_usd_per_month"]
        discount = np.where(tokens >= committed, tokens * of["committed_discount"], 0.0)
        floor = np.maximum(committed, of["minimum_usd_per_month"])
        lines["committed-use discount"] = -discount
        lines["minimum spend"] = np.maximum(0.0, floor - (tokens - discount))
        return lines

    @cached_property
    def replicas(self) -> Number:
        import numpy as np

        if self.plan.replicas is not None:
            return self.plan.replicas
        usable = self.of["replica_rate"] * self.of["utilisation"]
        peak = self.own_per_day / SECONDS_PER_DAY * self.peak_to_mean
        return np.maximum(1.0, np.ceil(peak / usable - 1e-9))

    @cached_property
    def replicas_on(self) -> Number:
        """Replicas that are switched on, as a mean over the month, without spares."""
        import numpy as np

        if self.plan.scaling == "around the clock" or self.plan.owned:
            return self.replicas
        of = self.of
        busy = self.own_per_day / SECONDS_PER_DAY / (of["replica_rate"] * of["utilisation"])
        starting = of["cold_starts_per_day"] * (of["cold_start_minutes"] + of["idle_minutes_before_stop"]) / (24 * 60)
        wanted = busy * (1 + of["autoscaling_waste"]) + starting
        return np.minimum(self.replicas, np.maximum(of["minimum_replicas"], wanted))

    @cached_property
    def machines(self) -> Number:
        """Machines in the fleet, spares among them."""
        return (self.replicas + self.of["spare_replicas"]) * self.of["machines_per_replica"]

    def infrastructure(self) -> dict[str, Number]:
        """Machines, rented or bought, and what they take to run."""
        if not self.plan.has_machines:
            return {}
        of = self.of
        return {
            **(self.owned() if self.plan.owned or self.plan.way == "owned" else self.rented()),
            "storage": of["storage_gb"] * of["storage_usd_per_gb_month"],
            "egress": self.own_per_day * DAYS_PER_MONTH * of["egress_kb_per_request"] / 1e6 * of["egress_usd_per_gb"],
            "software licences": self.machines * of["software_usd_per_machine_year"] / 12,
            LICENCE: of["model_licence_usd_per_year"] / 12,
        }

    def rented(self) -> dict[str, Number]:
        """Rent of whole machines by the hour, energy and place included."""
        of = self.of
        rent = of["rent_usd_per_hour"] * (1 + of["rent_change_per_year"]) ** (self.month / 12)
        replica = of["machines_per_replica"] * rent * HOURS_PER_MONTH
        return {"machines for the load": self.replicas_on * replica, "spare machines": of["spare_replicas"] * replica}

    def owned(self) -> dict[str, Number]:
        """Bought machines, written off evenly; they are on around the clock."""
        of, extra = self.of, self.of["network_share"] + self.of["spare_parts_share"]
        bought = self.machines * of["purchase_usd"]
        depreciation = bought * (1 - of["residual_share"]) / of["life_months"]
        kilowatts = self.machines * of["machine_watts"] / 1000
        return {
            "hardware depreciation": depreciation,
            "network and spare parts": depreciation * extra,
            "cost of capital": bought * (1 + extra) * (1 + of["residual_share"]) / 2 * of["cost_of_capital"] / 12,
            "energy": kilowatts * HOURS_PER_MONTH * of["load_power_share"] * of["pue"] * of["usd_per_kwh"],
            "colocation": kilowatts * of["colocation_usd_per_kw_month"],
        }

    def by_way(self, name: str) -> Number:
        """The sum of `NAME_api` and `NAME_own` as far as the plan has both."""
        api = self.of[f"{name}_api"] if self.plan.has_api else 0.0
        return api + (self.of[f"{name}_own"] if self.plan.has_machines else 0.0)

    def people(self) -> dict[str, Number]:
        """Staff by role, as shares of a full year's cost."""
        of, platform = self.of, self.by_way("platform_engineers")
        lines = {"ML engineers": self.by_way("ml_engineers") * of["ml_engineer_usd_per_year"] / 12}
        if self.plan.has_machines:
            platform = platform + self.machines / of["machines_per_platform_engineer"]
            lines["on-call"] = of["on_call_usd_per_month"]
        lines["platform engineers"] = platform * of["platform_engineer_usd_per_year"] / 12
        return lines

    @cached_property
    def day(self) -> Number:
        """A day's work of an engineer."""
        return self.of["ml_engineer_usd_per_year"] / self.of["working_days_per_year"]

    @cached_property
    def evaluation(self) -> Number:
        """One evaluation: people, and the requests at the API's price; own machines have idle hours for it."""
        tokens = sum(self.per_request.values()) if self.plan.has_api else 0.0
        return self.of["evaluation_days"] * self.day + self.of["evaluation_requests"] * tokens

    def one_offs(self) -> dict[str, Number]:
        """What is paid before the first request."""
        import numpy as np

        of = self.of
        lines = {
            "integration": self.by_way("integration_days") * self.day,
            "security review": self.by_way("security_review_days") * self.day,
            "compliance, once": of["compliance_usd_once"],
            "first evaluation": self.evaluation,
            "first labelling": of["first_labels"] * of["usd_per_label"],
        }
        if self.plan.tuned:
            lines["first fine-tuning"] = of["tuning_usd_per_run"]
        return {name: np.where(np.asarray(self.month) == 0, usd, 0.0) for name, usd in lines.items()}

    def hidden(self) -> dict[str, Number]:
        """What recurs and stands on no price list."""
        of = self.of
        lines = {
            "evaluation": of["evaluations_per_year"] / 12 * self.evaluation,
            "labelling": of["labels_per_year"] / 12 * of["usd_per_label"],
            "guardrails": self.requests / 1000 * of["guardrail_usd_per_1000"],
            "monitoring": of["monitoring_usd_per_month"] + self.requests / 1000 * of["monitoring_usd_per_1000"],
            "compliance, recurring": of["compliance_usd_per_year"] / 12,
            "model changes": self.by_way("model_changes_per_year")
            / 12
            * (of["model_change_days"] * self.day + self.evaluation),
            "outages": self.outage_minutes * of["outage_usd_per_minute"],
            "exit": self.by_way("exit_days") * self.day / of["horizon_months"],
        }
        if self.plan.tuned:
            lines["fine-tuning"] = of["tuning_runs_per_year"] / 12 * of["tuning_usd_per_run"]
        if self.plan.has_api:
            requests = self.requests * (1 - self.share)
            calls = of["failed_share"] * of["retries_billed"]
            lines["failed and retried calls"] = requests * sum(self.per_request.values()) * calls
        return lines

    @property
    def outage_minutes(self) -> Number:
        """Minutes a month, those of each way weighed by its share of the requests."""
        of = self.of
        return of["outage_minutes_api"] * (1 - self.share) + of["outage_minutes_own"] * self.share
