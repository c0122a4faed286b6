"""The lines of a total cost, in a fixed order: what each is called, where it belongs, and its formula in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Literal, TypeAlias

from steelyard.costs.inputs import Number

Group: TypeAlias = Literal["usage", "infrastructure", "people", "one-off", "hidden"]
GROUPS: tuple[Group, ...] = ("usage", "infrastructure", "people", "one-off", "hidden")


@dataclass(frozen=True)
class Line:
    """One kind of cost. `sticker`: part of what the price list shows; all else is what it leaves out.

    The formula gives USD a month and names inputs as they are called; `requests` are those of the month.
    """

    name: str
    group: Group
    formula: str
    sticker: bool = False


LICENCE = "model licence"

LINES: tuple[Line, ...] = (
    Line("input tokens", "usage", "requests x fresh_tokens x tokenizer_ratio x input_rate / 1e6 x price", True),
    Line(
        "cached input tokens", "usage", "requests x cached_tokens x tokenizer_ratio x cached_rate / 1e6 x price", True
    ),
    Line("cache writes", "usage", "requests x written_tokens x tokenizer_ratio x write_rate / 1e6 x price", True),
    Line("output tokens", "usage", "requests x output_tokens x tokenizer_ratio x output_rate / 1e6 x price", True),
    Line(
        "reasoning tokens", "usage", "requests x reasoning_tokens x tokenizer_ratio x output_rate / 1e6 x price", True
    ),
    Line("images, audio and fees", "usage", "requests x other_usd_per_request x price", True),
    Line("committed-use discount", "usage", "- usage x committed_discount, where usage reaches the commitment"),
    Line("minimum spend", "usage", "what minimum_usd_per_month and the commitment are above the bill"),
    Line(
        "machines for the load", "infrastructure", "replicas x machines_per_replica x rent_usd_per_hour x hours", True
    ),
    Line("spare machines", "infrastructure", "spare_replicas x machines_per_replica x rent_usd_per_hour x hours"),
    Line(
        "hardware depreciation", "infrastructure", "machines x purchase_usd x (1 - residual_share) / life_months", True
    ),
    Line("network and spare parts", "infrastructure", "hardware depreciation x (network_share + spare_parts_share)"),
    Line(
        "cost of capital",
        "infrastructure",
        "machines x purchase_usd x (1 + network_share + spare_parts_share)"
        " x (1 + residual_share) / 2 x cost_of_capital / 12",
    ),
    Line("energy", "infrastructure", "kilowatts x hours x load_power_share x pue x usd_per_kwh"),
    Line("colocation", "infrastructure", "kilowatts x colocation_usd_per_kw_month"),
    Line("storage", "infrastructure", "storage_gb x storage_usd_per_gb_month"),
    Line("egress", "infrastructure", "requests of own machines x egress_kb_per_request / 1e6 x egress_usd_per_gb"),
    Line("software licences", "infrastructure", "machines x software_usd_per_machine_year / 12"),
    Line(LICENCE, "infrastructure", "model_licence_usd_per_year / 12"),
    Line("ML engineers", "people", "share of the way x ml_engineer_usd_per_year / 12"),
    Line(
        "platform engineers",
        "people",
        "(share of the way + machines / machines_per_platform_engineer) x platform_engineer_usd_per_year / 12",
    ),
    Line("on-call", "people", "on_call_usd_per_month"),
    Line("integration", "one-off", "days of the way x a day's work"),
    Line("security review", "one-off", "days of the way x a day's work"),
    Line("compliance, once", "one-off", "compliance_usd_once"),
    Line("first evaluation", "one-off", "evaluation_days x a day's work + evaluation_requests at the API's price"),
    Line("first labelling", "one-off", "first_labels x usd_per_label"),
    Line("first fine-tuning", "one-off", "tuning_usd_per_run"),
    Line("failed and retried calls", "hidden", "usage x failed_share x retries_billed"),
    Line("evaluation", "hidden", "evaluations_per_year / 12 x cost of one"),
    Line("labelling", "hidden", "labels_per_year / 12 x usd_per_label"),
    Line("fine-tuning", "hidden", "tuning_runs_per_year / 12 x tuning_usd_per_run"),
    Line("guardrails", "hidden", "requests / 1000 x guardrail_usd_per_1000"),
    Line("monitoring", "hidden", "monitoring_usd_per_month + requests / 1000 x monitoring_usd_per_1000"),
    Line("compliance, recurring", "hidden", "compliance_usd_per_year / 12"),
    Line(
        "model changes",
        "hidden",
        "model_changes_per_year of the way / 12 x (model_change_days x a day's work + evaluation)",
    ),
    Line("outages", "hidden", "minutes of the way x outage_usd_per_minute"),
    Line("exit", "hidden", "days of the way x a day's work / horizon_months"),
)
BY_NAME: Mapping[str, Line] = {line.name: line for line in LINES}


@dataclass(frozen=True)
class Lines:
    """USD by line, in the order of LINES; those that a plan does not have are missing. Arrays broadcast together."""

    usd: Mapping[str, Number]

    def __getitem__(self, name: str) -> Number:
        return self.usd.get(name, 0.0)

    def __iter__(self) -> Iterator[tuple[Line, Number]]:
        return ((line, self.usd[line.name]) for line in LINES if line.name in self.usd)

    @cached_property
    def total(self) -> Number:
        return _sum(self.usd.values())

    @cached_property
    def sticker(self) -> Number:
        """What the price list shows: tokens, or machines for the load."""
        return _sum(usd for line, usd in self if line.sticker)

    @property
    def left_out(self) -> Number:
        """What the sticker price leaves out."""
        return self.total - self.sticker

    def group(self, group: Group) -> Number:
        return _sum(usd for line, usd in self if line.group == group)


def _sum(numbers: Iterable[Number]) -> Number:
    return reduce(add, numbers, 0.0)
