"""The `genai-prices` package: its table is Python source, read as a syntax tree and never run."""

from __future__ import annotations

import ast
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from steelyard.catalogue.price import Rates
from steelyard.catalogue.snapshot.listed import Houses, Listed, ListedPrice, Source, exact
from steelyard.providers.protocol import Service

PACKAGE = "genai-prices"
TABLE = "genai_prices/data.py"
SERVICES: dict[tuple[object, ...], Service] = {
    (("processing", "batch"),): "batch",
    (("service_tier", "flex"),): "flex",
    (("service_tier", "priority"),): "priority",
}


@dataclass(frozen=True)
class Call:
    """`Name(key=value, ...)` in the source: a constructor that is looked at, not called."""

    name: str
    values: dict[str, object]

    def text(self, key: str) -> str:
        """A keyword's text, "" where it is not given."""
        return str(self.values.get(key) or "")


def read(wheel: Path, houses: Houses, read_on: str) -> Source:
    """The table speaks for the newest day that it names and that has come."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(TABLE).decode()
    days = re.findall(r"datetime\.date\((\d+), (\d+), (\d+)\)", text)
    iso = [f"{int(year):04}-{int(month):02}-{int(day):02}" for year, month, day in days]
    named = houses.named("genai_prices")
    rows: list[Listed] = []
    patterns: dict[tuple[str, str], object] = {}
    for seller in _sellers(text):
        house = named.get(seller.text("id"), seller.text("id"))
        for model in _calls(seller.values.get("models")):
            row = _row(house, model)
            rows.append(row)
            patterns[row.house, row.served] = model.values.get("match")
    version = wheel.name.split("-")[1]
    return Source(f"{PACKAGE} {version} (PyPI)", max(day for day in iso if day <= read_on), tuple(rows), patterns)


def matches(pattern: object, name: str) -> bool:
    """Whether a row of the table speaks for this name."""
    if not isinstance(pattern, Call):
        return False
    if pattern.name in ("ClauseOr", "ClauseAnd"):
        parts = pattern.values.get("or_") or pattern.values.get("and_")
        answers = [matches(part, name) for part in parts] if isinstance(parts, list) else []
        return bool(answers) and (any(answers) if pattern.name == "ClauseOr" else all(answers))
    tests: dict[str, Callable[[str], bool]] = {
        "equals": lambda text: name == text,
        "starts_with": name.startswith,
        "ends_with": name.endswith,
        "contains": lambda text: text in name,
        "regex": lambda text: re.search(text, name) is not None,
    }
    return any(key in pattern.values and test(pattern.text(key)) for key, test in tests.items())


def _row(house: str, model: Call) -> Listed:
    context = model.values.get("context_window")
    return Listed(
        house=house,
        served=model.text("id"),
        name=model.text("name"),
        context_tokens=context if isinstance(context, int) else None,
        deprecated="marked deprecated, without a day" if model.values.get("deprecated") else "",
        prices=tuple(_prices(model)),
    )


def _prices(model: Call) -> Iterator[ListedPrice]:
    given = model.values.get("prices")
    listed: list[ListedPrice] = []
    for row in _calls(given if isinstance(given, list) else [given]):
        valid_from, prices = "", row
        if row.name == "ConditionalPrice":
            limit, inner = row.values.get("constraint"), row.values.get("prices")
            if not isinstance(inner, Call):
                continue
            if isinstance(limit, Call) and limit.name == "TimeOfDateConstraint":
                hours = (limit.text("start_time"), limit.text("end_time"))
                tiers = [replace(tier, hours=hours) for tier in _tiered(inner)]
                listed[-1:] = [replace(price, tiers=(*price.tiers, *tiers)) for price in listed[-1:]]
                continue
            valid_from = limit.text("start_date") if isinstance(limit, Call) else ""
            prices = inner
        found = _price(prices, valid_from)
        listed += [] if found is None else [found]
    for price in listed:
        yield replace(price, tiers=(*price.tiers, *_services(model, price.valid_from)))


def _services(model: Call, valid_from: str) -> Iterator[Rates]:
    """The rates of batch, flex and priority for the price row of that day: the newest that had begun by then."""
    found: dict[Service, tuple[str, Call]] = {}
    for variant in _calls(model.values.get("price_variants")):
        when, limit, prices = (variant.values.get(key) for key in ("when", "constraint", "prices"))
        since = limit.text("start_date") if isinstance(limit, Call) else ""
        service = SERVICES.get(tuple(sorted(when.items()))) if isinstance(when, dict) else None
        due = not valid_from or since <= valid_from or service not in found
        if service and isinstance(prices, Call) and due and since >= found.get(service, ("", prices))[0]:
            found[service] = since, prices
    for service, (_, prices) in found.items():
        yield from (replace(tier, service=service) for tier in _tiered(prices))


def _price(prices: Call, valid_from: str) -> ListedPrice | None:
    rates = _tiered(prices)
    if not rates:
        return None
    first = rates[0]
    return ListedPrice(
        first.input_usd_per_million,
        first.output_usd_per_million,
        first.cached_input_usd_per_million,
        first.cache_write_usd_per_million,
        first.cache_write_long_usd_per_million,
        first.reasoning_usd_per_million,
        first.audio_input_usd_per_million,
        first.audio_output_usd_per_million,
        first.image_input_usd_per_million,
        first.image_output_usd_per_million,
        tuple(rates[1:]),
        valid_from,
    )


def _tiered(prices: Call) -> list[Rates]:
    """The rates of short inputs, then those of longer ones; [] where it is no price of tokens."""
    values = prices.values
    given, answered = _base(values.get("input_mtok")), _base(values.get("output_mtok"))
    if given is None or not (given or answered):
        return []
    starts = sorted({start for name in ("input_mtok", "output_mtok") for start, _ in _tiers(values.get(name))})
    return [
        Rates(
            _at(values.get("input_mtok"), start) or given,
            _at(values.get("output_mtok"), start) or answered or Decimal(0),
            _at(values.get("cache_read_mtok"), start),
            _at(values.get("cache_write_mtok"), start),
            _at(values.get("cache_write_1h_mtok"), start),
            _at(values.get("output_reasoning_mtok"), start),
            _at(values.get("input_audio_mtok"), start),
            _at(values.get("output_audio_mtok"), start),
            _at(values.get("input_image_mtok"), start),
            _at(values.get("output_image_mtok"), start),
            above_input_tokens=start,
        )
        for start in (0, *starts)
    ]


def _base(price: object) -> Decimal | None:
    if isinstance(price, Call):
        price = price.values.get("base")
    return exact(price) if isinstance(price, int | Decimal) else None


def _tiers(price: object) -> list[tuple[int, Decimal]]:
    if not isinstance(price, Call):
        return []
    return [(int(tier.text("start")), exact(Decimal(tier.text("price")))) for tier in _calls(price.values.get("tiers"))]


def _at(price: object, start: int) -> Decimal | None:
    """The rate above `start`; a price without tiers holds everywhere."""
    reached = [usd for begin, usd in _tiers(price) if begin <= start]
    return reached[-1] if reached else _base(price)


def _calls(value: object) -> list[Call]:
    return [one for one in value if isinstance(one, Call)] if isinstance(value, list) else []


def _sellers(text: str) -> list[Call]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "providers":
            return _calls(_value(node.value)) if node.value else []
    return []


def _value(node: ast.expr) -> object:
    """Constants, lists, dictionaries and constructor calls; anything else is None."""
    match node:
        case ast.Constant():
            return node.value
        case ast.List():
            return [_value(one) for one in node.elts]
        case ast.Dict():
            return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
        case ast.Call(func=ast.Name(id="Decimal")):
            return Decimal(str(_value(node.args[0])))
        case ast.Call(func=ast.Attribute(attr="date")):
            year, month, day = (_value(one) for one in node.args)
            return f"{year:04}-{month:02}-{day:02}"
        case ast.Call(func=ast.Attribute(attr="time")):
            hour, minute = (_value(one) for one in node.args[:2])
            return f"{hour:02}:{minute:02}"
        case ast.Call(func=ast.Name(id=name)):
            return Call(name, {word.arg: _value(word.value) for word in node.keywords if word.arg})
    return None
