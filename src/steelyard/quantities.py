"""Units in types: money, tokens, seconds, bytes; sourced facts; and the unknown as a value with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, NewType, TypeAlias, TypeVar

T = TypeVar("T")

Tokens = NewType("Tokens", int)
Seconds = NewType("Seconds", float)
Bytes = NewType("Bytes", int)


@dataclass(frozen=True, order=True)
class Money:
    """An exact amount in US dollars. Billed money is Money; a projected cost is an Estimate in USD.

    >>> Money.of("0.10") + Money.of("0.20")
    Money(usd=Decimal('0.30'))
    """

    usd: Decimal

    @classmethod
    def of(cls, amount: str | int | Decimal) -> Money:
        """From a decimal string or an integer; floats are refused because 0.1 is not a float."""
        return cls(Decimal(amount))

    def __add__(self, other: Money) -> Money:
        return Money(self.usd + other.usd)

    def __sub__(self, other: Money) -> Money:
        return Money(self.usd - other.usd)

    def __mul__(self, times: int | Decimal) -> Money:
        return Money(self.usd * times)

    def __float__(self) -> float:
        return float(self.usd)


ZERO_USD = Money(Decimal(0))


@dataclass(frozen=True)
class Unknown:
    """Something is not known, and why. Never zero, never None."""

    reason: str

    def __str__(self) -> str:
        return f"unknown: {self.reason}"


@dataclass(frozen=True)
class Sourced(Generic[T]):
    """A fact, where it was read, and on which day (ISO date). `others` say the same or something else."""

    value: T
    source: str
    as_of: str
    others: tuple[Sourced[T], ...] = ()

    @property
    def agreeing(self) -> int:
        """How many of the other sources say the same."""
        return sum(other.value == self.value for other in self.others)


Fact: TypeAlias = Sourced[T] | Unknown
