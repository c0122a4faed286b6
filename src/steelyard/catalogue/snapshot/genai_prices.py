"""The `genai-prices` package: its table is Python source, read as a syntax tree and never run."""

from __future__ import annotations

import ast
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from steelyard.catalogue.model import LongContext
from steelyard.catalogue.snapshot.listed import Houses, Listed, ListedPrice, Source, exact

PACKAGE = "genai-prices"
TABLE = "genai_prices/data.py"


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
    batch = _batch(model)
    for row in _calls(given if isinstance(given, list) else [given]):
        valid_from, prices = "", row
        if row.name == "ConditionalPrice":
            limit, inner = row.values.get("constraint"), row.values.get("prices")
            if isinstance(limit, Call) and limit.name != "StartDateConstraint":
                continue  # a price by the hour of the day
            valid_from = limit.text("start_date") if isinstance(limit, Call) else ""
            if not isinstance(inner, Call):
                continue
            prices = inner
        price = _price(prices, valid_from)
        if price is not None:
            yield replace(price, batch_input=batch[0], batch_output=batch[1])


def _batch(model: Call) -> tuple[Decimal | None, Decimal | None]:
    """Batch rates in force; several of them (by date) are left to the reader of the page."""
    variants = [
        v for v in _calls(model.values.get("price_variants")) if v.values.get("when") == {"processing": "batch"}
    ]
    if len(variants) != 1 or not isinstance(variants[0].values.get("prices"), Call):
        return None, None
    prices = variants[0].values["prices"]
    assert isinstance(prices, Call)
    return _base(prices.values.get("input_mtok")), _base(prices.values.get("output_mtok"))


def _price(prices: Call, valid_from: str) -> ListedPrice | None:
    values = prices.values
    given, answered = _base(values.get("input_mtok")), _base(values.get("output_mtok"))
    if given is None or not (given or answered):
        return None
    starts = sorted({start for name in ("input_mtok", "output_mtok") for start, _ in _tiers(values.get(name))})
    tiers = tuple(
        LongContext(
            start,
            _at(values.get("input_mtok"), start) or given,
            _at(values.get("output_mtok"), start) or answered or Decimal(0),
            _at(values.get("cache_read_mtok"), start),
        )
        for start in starts
    )
    return ListedPrice(
        given,
        answered or Decimal(0),
        _base(values.get("cache_read_mtok")),
        _base(values.get("cache_write_mtok")),
        long_context=tiers,
        valid_from=valid_from,
    )


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
        case ast.Call(func=ast.Name(id=name)):
            return Call(name, {word.arg: _value(word.value) for word in node.keywords if word.arg})
    return None
