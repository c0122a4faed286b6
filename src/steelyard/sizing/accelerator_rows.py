"""The shape of accelerators.toml and hardware.toml: the only place that knows their keys."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from steelyard.errors import InputError, Problem
from steelyard.quantities import Bytes, Fact, Money, Sourced, Unknown
from steelyard.sizing.hardware import Accelerator, Kind, Rent, SellerKind, Term
from steelyard.sizing.layout import Arithmetic

T = TypeVar("T")
NEXT = "correct the file; docs/sizing.md shows its form"


class Row(BaseModel):
    """A table: a key it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceRow(Row):
    """`[sources.NAME]`: where facts were read, and on which day."""

    source: str
    as_of: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}){0,2}$")]


class Figure(Row):
    """A number with a source of its own."""

    value: PositiveFloat
    origin: str = Field(alias="from")


class NotKnown(Row):
    """A number that is not known, with the reason."""

    unknown: str


class RentRow(Row):
    """What an hour costs, by whom."""

    usd_per_hour: Annotated[Decimal, Field(gt=0)]
    seller: SellerKind
    term: Term
    assumed: bool = True
    origin: str = Field(alias="from")


class PurchaseRow(Row):
    """What one costs to buy."""

    usd: Annotated[Decimal, Field(gt=0)]
    origin: str = Field(alias="from")


Cell = PositiveFloat | Figure | NotKnown
MISSING = NotKnown(unknown="not read")


class AcceleratorRow(Row):
    """`[[accelerator]]`: a bare number comes `from` the row's source."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    name: str
    maker: str
    kind: Kind
    origin: str = Field(alias="from")
    memory_bytes: Cell = MISSING
    bytes_per_second: Cell = MISSING
    flops: dict[Arithmetic, Cell] = {}
    watts: Cell = MISSING
    per_node: PositiveInt = 1
    intra_node: Cell = MISSING
    inter_node: Cell = MISSING
    rents: tuple[RentRow, ...] = ()
    purchase: PurchaseRow | NotKnown = MISSING
    shared_memory: bool = False
    aliases: tuple[str, ...] = ()


class HardwareFile(Row):
    """The whole file."""

    sources: dict[str, SourceRow]
    accelerator: tuple[AcceleratorRow, ...]


def read_rows(raw: Mapping[str, Any], where: str) -> tuple[Accelerator, ...]:
    """The accelerators of one file. InputError with every mistake."""
    try:
        file = HardwareFile.model_validate(raw)
    except ValidationError as error:
        raise InputError(
            [
                _problem(f"{where}: {'.'.join(str(part) for part in mistake['loc'])}", mistake["msg"])
                for mistake in error.errors()
            ]
        ) from error
    reader = _Reader(file, where)
    found = tuple(map(reader.accelerator, file.accelerator))
    twice = {one.id for one in found if [other.id for other in found].count(one.id) > 1}
    problems = [*reader.problems, *(_problem(where, f"{id!r} is described twice") for id in sorted(twice))]
    if problems:
        raise InputError(problems)
    return found


class _Reader:
    def __init__(self, file: HardwareFile, where: str) -> None:
        self.file = file
        self.where = where
        self.problems: list[Problem] = []

    def accelerator(self, row: AcceleratorRow) -> Accelerator:
        memory = self.number(row.memory_bytes, row)
        return Accelerator(
            id=row.id,
            name=row.name,
            maker=row.maker,
            kind=row.kind,
            memory=memory if isinstance(memory, Unknown) else self.sourced(Bytes(int(memory.value)), memory),
            bandwidth=self.number(row.bytes_per_second, row),
            flops=MappingProxyType({name: self.number(cell, row) for name, cell in row.flops.items()}),
            watts=self.number(row.watts, row),
            per_node=row.per_node,
            intra_node=self.number(row.intra_node, row),
            inter_node=self.number(row.inter_node, row),
            rents=tuple(map(self.rent, row.rents)),
            purchase=self.purchase(row.purchase),
            shared_memory=row.shared_memory,
            aliases=row.aliases,
        )

    def number(self, cell: Cell, row: AcceleratorRow) -> Fact[float]:
        if isinstance(cell, NotKnown):
            return Unknown(cell.unknown)
        if isinstance(cell, Figure):
            return self.read(cell.value, cell.origin)
        return self.read(cell, row.origin)

    def rent(self, row: RentRow) -> Rent:
        return Rent(self.read(Money(row.usd_per_hour), row.origin), row.seller, row.term, row.assumed)

    def purchase(self, row: PurchaseRow | NotKnown) -> Fact[Money]:
        return Unknown(row.unknown) if isinstance(row, NotKnown) else self.read(Money(row.usd), row.origin)

    def read(self, value: T, name: str) -> Sourced[T]:
        origin = self.file.sources.get(name)
        if origin is None:
            known = ", ".join(self.file.sources)
            self.problems.append(_problem(self.where, f"no source is called {name!r}", known))
            return Sourced(value, "", "")
        return Sourced(value, origin.source, origin.as_of)

    def sourced(self, value: T, like: Sourced[float]) -> Sourced[T]:
        return Sourced(value, like.source, like.as_of)


def _problem(where: str, what: str, allowed: str = "") -> Problem:
    return Problem(slug="bad-hardware-file", what=what, where=where, allowed=allowed, next_step=NEXT)
