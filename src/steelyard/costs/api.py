"""What an API costs: the offer's price over the tokens of a mean request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from steelyard.catalogue import Offer
from steelyard.catalogue.price import Price, Rates
from steelyard.costs.demand import (
    DAYS_PER_MONTH,
    NO_WORKLOAD,
    over_horizon,
    requests_per_month,
    usd,
    workload_assumptions,
)
from steelyard.costs.estimate import Assumption, Cost, CostLine
from steelyard.providers.protocol import Usage
from steelyard.quantities import Money, Unknown
from steelyard.stats import Estimate, Estimated, Interval, mean
from steelyard.usecase import Workload

NOT_INCLUDED = Assumption(
    "not included",
    "failed and retried calls, minimum spends, batch or committed-use discounts, staff, integration, monitoring",
    "scope of this estimate",
    "",
)


def api_cost(offer: Offer, usages: Mapping[Usage, int], workload: Workload | Unknown, at: datetime) -> Cost | Unknown:
    """Price the mean of sampled requests through `offer`, per 1,000 and per month; the sampling gives an interval."""
    row = offer.price_at(at)
    if isinstance(row, Unknown):
        return row
    usage, count = Usage.total(usages), sum(usages.values())
    per_1000 = _with_sampling(offer, usages, at)
    per_request = per_1000.value / 1000
    lines = tuple(
        CostLine(
            name,
            usd(1000 * amount, "offer price x mean usage"),
            _monthly(usd(1000 * amount, "offer price x mean usage"), workload),
            f"{tokens / count:,.0f} tokens x {rate} USD per million",
        )
        for name, tokens, rate, amount in _parts(row, usages, at)
    )
    horizon: Estimated = Unknown(NO_WORKLOAD)
    if isinstance(workload, Workload):
        horizon = over_horizon(workload, lambda requests_per_day: requests_per_day * DAYS_PER_MONTH * per_request)
    return Cost(
        way="api",
        per_1000=per_1000,
        per_month=_monthly(per_1000, workload),
        horizon_total=horizon,
        lines=lines,
        assumptions=(*_assumptions(row, usage, count), *workload_assumptions(workload), NOT_INCLUDED),
    )


def _priced(offer: Offer, usage: Usage, at: datetime) -> float:
    price = offer.price(usage, at)
    assert isinstance(price, Money), "price_at answered for the same day"
    return float(price)


def _parts(row: Price, usages: Mapping[Usage, int], at: datetime) -> list[tuple[str, int, Decimal, float]]:
    """(name, tokens, rate, USD a mean request) of every kind of token that occurs.

    The rate is the mean one that was paid: long inputs may cost more.
    """
    counted: defaultdict[str, list[tuple[int, Decimal]]] = defaultdict(list)
    for usage, times in usages.items():
        rates = row.rates(usage, at)
        assert isinstance(rates, Rates), "the offer priced this usage"
        for name, tokens, rate in rates.parts(usage):
            counted[name].append((times * tokens, rate))
    found = []
    for name, parts in counted.items():
        tokens = sum(count for count, _ in parts)
        total = sum((count * rate for count, rate in parts), Decimal(0))
        if tokens:
            amount = float(total / 1_000_000) / sum(usages.values())
            found.append((name, tokens, round(total / tokens, 6).normalize(), amount))
    return found


def _with_sampling(offer: Offer, usages: Mapping[Usage, int], at: datetime) -> Estimate:
    prices = [price for usage, times in usages.items() for price in [1000 * _priced(offer, usage, at)] * times]
    estimate = mean(prices, "USD")
    assert isinstance(estimate, Estimate), "usages are not empty"
    if len(prices) == 1:
        return replace(estimate, method="offer price x mean usage")
    return replace(estimate, method=f"{estimate.method} over the usage of {len(prices)} requests")


def _monthly(per_1000: Estimate, workload: Workload | Unknown) -> Estimated:
    if isinstance(workload, Unknown):
        return Unknown(NO_WORKLOAD)
    factor = requests_per_month(workload) / 1000
    interval = per_1000.interval
    if isinstance(interval, Interval):
        interval = Interval(interval.low * factor, interval.high * factor, interval.level)
    return replace(per_1000, value=per_1000.value * factor, interval=interval)


def _assumptions(row: Price, usage: Usage, count: int) -> tuple[Assumption, ...]:
    tokens = Assumption(
        "tokens a request",
        f"{usage.input_tokens / count:,.0f} in, {usage.output_tokens / count:,.0f} out"
        + (f" ({usage.reasoning_tokens / count:,.0f} of them hidden reasoning)" if usage.reasoning_tokens else ""),
        "estimated from the text, not billed" if usage.estimated else f"mean of {count:,} requests",
        "",
    )
    rates = (("input price", row.input_usd_per_million), ("output price", row.output_usd_per_million))
    return (tokens, *(Assumption(name, f"{usd} USD per million tokens", row.source, row.as_of) for name, usd in rates))
