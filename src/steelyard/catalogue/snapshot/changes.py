"""What is different in a newer snapshot: prices, deprecations, openness, limits, and what came or went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from steelyard.catalogue.snapshot.stored import Offered, Priced, Snapshot

Kind: TypeAlias = Literal[
    "price up", "price down", "price changed", "priced", "unpriced", "deprecated", "openness", "context", "new", "gone"
]


@dataclass(frozen=True)
class Change:
    """One difference in one offer. `route` and `seller` name the house; `now` says where the new value was read."""

    kind: Kind
    route: str
    seller: str
    served: str
    model: str
    before: str
    after: str
    now: str


def changes(old: Snapshot, new: Snapshot) -> tuple[Change, ...]:
    """Every difference between two snapshots, offer by offer, prices as each holds on the day that it was read."""
    before = {(row.house, row.served): row for row in old.offers}
    after = {(row.house, row.served): row for row in new.offers}
    found: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        found += _of_offer(before.get(key), after.get(key), old, new)
    return tuple(found)


def _of_offer(was: Offered | None, row: Offered | None, old: Snapshot, new: Snapshot) -> Iterator[Change]:
    house = next(one for one in (*new.houses, *old.houses) if one.id == (row or was or _never()).house)

    def change(kind: Kind, before: str, after: str, by: int | None = None) -> Change:
        told = row or was or _never()
        now = "" if by is None else ", ".join(new.sources[by])
        return Change(kind, house.route, house.vendor, told.served, told.model, before, after, now)

    if row is None or was is None:
        yield change("gone", "sold", "not listed") if row is None else change("new", "not listed", "sold")
        return
    price, priced = _present(was, old.read_on), _present(row, new.read_on)
    if price is None or priced is None:
        if price != priced:
            kind: Kind = "priced" if priced else "unpriced"
            yield change(kind, _usd(price), _usd(priced), priced.by if priced else None)
    elif _pair(price) != _pair(priced):
        yield change(_direction(_pair(price), _pair(priced)), _usd(price), _usd(priced), priced.by)
    if row.deprecated[:1] and [value for value, _ in row.deprecated[:1]] != [value for value, _ in was.deprecated[:1]]:
        before = was.deprecated[0][0] if was.deprecated else "not deprecated"
        successor = f"; successor {row.successor}" if row.successor else ""
        yield change("deprecated", before, row.deprecated[0][0] + successor, row.deprecated[0][1])
    if row.openness != was.openness:
        yield change("openness", was.openness or "not said", row.openness or "not said")
    if row.context[:1] and was.context[:1] and row.context[0][0] != was.context[0][0]:
        yield change("context", f"{was.context[0][0]:,} tokens", f"{row.context[0][0]:,} tokens", row.context[0][1])


def _present(row: Offered, on: str) -> Priced | None:
    begun = [price for price in row.prices if price.valid_from <= on]
    return max(begun, key=lambda price: price.valid_from, default=None)


def _pair(price: Priced) -> tuple[Decimal, Decimal]:
    return price.row.input, price.row.output


def _direction(before: tuple[Decimal, Decimal], after: tuple[Decimal, Decimal]) -> Kind:
    if after[0] >= before[0] and after[1] >= before[1]:
        return "price up"
    return "price down" if after[0] <= before[0] and after[1] <= before[1] else "price changed"


def _usd(price: Priced | None) -> str:
    return "no price" if price is None else f"{price.row.input} in, {price.row.output} out"


def _never() -> Offered:
    raise AssertionError("an offer stands in one of the two")
