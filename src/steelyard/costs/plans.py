"""Candidates as plans: what is known of each, put in the place of the inputs' defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from steelyard.catalogue import Candidate, Offer
from steelyard.costs.demand import NO_WORKLOAD
from steelyard.costs.inputs import Input, default_inputs
from steelyard.costs.machines import Machine
from steelyard.costs.model import Plan
from steelyard.costs.placement import Placement
from steelyard.providers.protocol import Usage
from steelyard.quantities import Money, Unknown
from steelyard.usecase import Workload
from steelyard.usecase.case import Tenure

STUDY = "study file"


def plan_of(
    candidate: Candidate,
    *,
    usages: Mapping[Usage, int],
    throughput_per_second: float | Unknown,
    workload: Workload | Unknown,
    at: datetime,
    machine: Machine,
) -> Plan | Unknown:
    """The candidate's plan, or why it has none. Its own inputs vary apart from those of others."""
    if isinstance(workload, Unknown):
        return Unknown(NO_WORKLOAD)
    stated = _workload(workload)
    if candidate.way == "api":
        if isinstance(candidate.offer, Unknown):
            return candidate.offer
        found = _of_offer(candidate.id, candidate.offer, usages, at)
        if isinstance(found, Unknown):
            return found
        return Plan(candidate.id, "api", default_inputs().with_facts([*stated, *found]))
    if candidate.way == "on-device":
        return Unknown("it runs on the users' own devices, and their cost is not modelled")
    if isinstance(throughput_per_second, Unknown):
        return Unknown(f"the machines needed are unknown: {throughput_per_second.reason}")
    rent = machine.usd_per_hour
    stated += [
        _fact("replica_rate", throughput_per_second, "requests a second", "measured in a run", own=candidate.id),
        _fact("rent_usd_per_hour", float(rent.value), "USD an hour", rent.source, rent.as_of),
    ]
    return Plan(
        candidate.id,
        "rented",
        default_inputs().with_facts(stated),
        tuned=bool(candidate.recipe),
        licensed=candidate.is_language_model,
    )


def plan_ahead(
    candidate: Candidate, placements: tuple[Placement, ...] | Unknown, workload: Workload, tenure: Tenure, on: str = ""
) -> Plan | Unknown:
    """The plan of own machines before anything was measured: the cheapest placement, or the one on the machine `on`."""
    if isinstance(placements, Unknown):
        return Unknown(f"no machine is known to do: {placements.reason}")
    fit = [one for one in placements if tenure in one.tenures() and on in ("", one.machine)]
    if not fit:
        where = f" on {on}" if on else ""
        known = ", ".join(dict.fromkeys(f"{one.machine} {term}" for one in placements for term in one.tenures()))
        return Unknown(f"no machine that holds it in time has a price for {tenure}{where}; known: {known}")
    return plan_on(candidate, min(fit, key=lambda one: one.bill(tenure, workload)), workload, tenure)


def plan_on(candidate: Candidate, placement: Placement, workload: Workload, tenure: Tenure) -> Plan:
    """The plan on one machine had in one way; `placement.tenures()` has it."""
    facts = placement.facts(tenure)
    assert not isinstance(facts, Unknown), "it can be had so"
    owned = tenure == "owned"
    inputs = default_inputs().with_facts([*_workload(workload), *facts])
    return Plan(
        candidate.id,
        "owned" if owned else "rented",
        inputs,
        owned=owned,
        tuned=bool(candidate.recipe),
        licensed=candidate.is_language_model,
    )


def _workload(workload: Workload) -> list[Input]:
    return [
        _fact("peak_to_mean", workload.peak_to_mean, "ratio", STUDY),
        _fact("horizon_months", workload.horizon_months, "months", STUDY),
    ]


def _of_offer(name: str, offer: Offer, usages: Mapping[Usage, int], at: datetime) -> list[Input] | Unknown:
    """Tokens and rates of a mean request; what they do not explain of the mean price is a fee a request."""
    row = offer.price_at(at)
    if isinstance(row, Unknown):
        return row
    if not usages:
        return Unknown("the tokens of a request are unknown: none was answered")
    count, usage, usd = sum(usages.values()), Usage.total(usages), 0.0
    for one, times in usages.items():
        price = offer.price(one, at)
        if not isinstance(price, Money):
            return price
        usd += float(price) * times / count
    source = "estimated from the text" if usage.estimated else f"mean of {count:,} requests"
    tokens = _by_kind(usage)
    write = row.cache_write_usd_per_million
    rates = {
        "input_rate": row.input_usd_per_million,
        "cached_rate": row.cached_usd_per_million,
        "write_rate": row.input_usd_per_million if write is None else write,
        "output_rate": row.output_usd_per_million,
    }
    kinds = {"fresh": "input", "cached": "cached", "written": "write", "output": "output", "reasoning": "output"}
    told = sum(tokens[f"{kind}_tokens"] / count * float(rates[f"{rate}_rate"]) / 1e6 for kind, rate in kinds.items())
    rest = usd - told if abs(usd - told) > 1e-9 * usd else 0.0
    return [
        *(_sampled(key, usages, source, name) for key in tokens),
        *([_guessed(name)] if usage.estimated else []),
        *(
            _fact(key, float(value), "USD per million tokens", row.source, row.as_of, own=name)
            for key, value in rates.items()
        ),
        _fact("other_usd_per_request", rest, "USD a request", row.source, row.as_of, own=name),
    ]


def _by_kind(usage: Usage) -> dict[str, int]:
    written = usage.cache_write_tokens + usage.cache_write_long_tokens
    return {
        "fresh_tokens": usage.input_tokens - usage.cached_tokens - written,
        "cached_tokens": usage.cached_tokens,
        "written_tokens": written,
        "output_tokens": usage.output_tokens - usage.reasoning_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def _sampled(key: str, usages: Mapping[Usage, int], source: str, own: str) -> Input:
    """The mean of the sampled requests, and how far sampling alone may have moved it (95 %)."""
    counts = [(_by_kind(usage)[key], times) for usage, times in usages.items()]
    n = sum(times for _, times in counts)
    mean = sum(count * times for count, times in counts) / n
    squares = sum(times * (count - mean) ** 2 for count, times in counts)
    off = 1.96 * math.sqrt(squares / (n - 1) / n) if n > 1 else 0.0
    return Input(key, mean, max(0.0, mean - off), mean + off, "tokens a request", source, "", own=own)


def _guessed(own: str) -> Input:
    """Tokens that no vendor has counted: the range of its tokenizer against four bytes a token."""
    ratio = default_inputs().facts["tokenizer_ratio"]
    why = (
        "not counted by the vendor: tokenizers differ by 5 to 15 % on English prose "
        "(wildandfreetools.com/blog/why-gpt-claude-gemini-tokenize-text-differently, 2026-04), at times by 30 % "
        "(aitokenoptimizer.com/blog/token-counter-precision, 2026-05-08); low: planning assumption of this tool"
    )
    return replace(ratio, low=min(0.8, ratio.value), high=max(1.3, ratio.value), source=why, own=own)


def _fact(name: str, value: float, unit: str, source: str, as_of: str = "", own: str = "") -> Input:
    return Input(name, value, value, value, unit, source, as_of, own=own)
