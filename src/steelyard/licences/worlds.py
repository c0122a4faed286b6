"""All the ways in which facts that were not said could turn out, and where in them a clause bites.

A set of worlds is an integer, one bit a world. Facts that are open vary independently, so a verdict that is the same in
every world needs none of them, and a fact matters exactly if changing it alone changes the verdict somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from steelyard.licences.clauses import Clause, Condition, Licence
from steelyard.licences.facts import Facts
from steelyard.licences.parts import Part, outcomes, parts_of

MOST = 1 << 20
"""Worlds that are told apart at most; `fits` says whether a licence needs more with nothing said."""


@dataclass(frozen=True)
class Bite:
    """A clause as numbers of parts: it bites where all of `when` hold and not all of `unless`."""

    clause: Clause
    when: tuple[int, ...]
    unless: tuple[int, ...]


@dataclass(frozen=True)
class Laid:
    """A licence laid out for judging: each part of a condition once."""

    parts: tuple[Part, ...]
    bites: tuple[Bite, ...]


@dataclass(frozen=True)
class Open:
    """A fact that was not said: the numbers of its parts, and the place of its digit in a world's number."""

    parts: tuple[int, ...]
    stride: int
    ways: int


@dataclass(frozen=True)
class Worlds:
    """`holds[n]`: the worlds in which part n holds. `every`: all worlds."""

    holds: tuple[int, ...]
    every: int
    open: tuple[Open, ...] = ()

    def bitten(self, bite: Bite, without: int = -1) -> int:
        """Where a clause bites, part `without` of it aside."""
        where = self.every
        for number in bite.when:
            if number != without:
                where &= self.holds[number]
        if where and bite.unless:
            exempt = self.every
            for number in bite.unless:
                if number != without:
                    exempt &= self.holds[number]
            if bite.unless != (without,):
                where &= ~exempt
        return where

    def moves(self, fact: Open, sets: Sequence[int]) -> bool:
        """Whether changing this fact alone leads into or out of one of the sets, from some world."""
        first = _digit(self.every.bit_length(), fact.stride, fact.ways, 0)
        for way in range(1, fact.ways):
            shift = way * fact.stride
            if any((one ^ (one >> shift)) & first for one in sets):
                return True
        return False


@cache
def lay_out(licence: Licence) -> Laid:
    """The parts of all conditions of a licence, each once."""
    numbers: dict[Part, int] = {}

    def of(condition: Condition) -> tuple[int, ...]:
        return tuple(numbers.setdefault(part, len(numbers)) for part in parts_of(condition))

    bites = tuple(Bite(clause, of(clause.when), of(clause.unless)) for clause in licence.clauses)
    return Laid(tuple(numbers), bites)


def fits(licence: Licence) -> bool:
    """Whether its worlds can be told apart with nothing said at all."""
    return _count(lay_out(licence).parts, Facts()) <= MOST


def worlds_of(parts: tuple[Part, ...], facts: Facts) -> Worlds:
    """Every world that the facts leave open."""
    states = [part.holds(facts) for part in parts]
    groups = _groups(parts, states)
    if not groups:
        return Worlds(tuple(1 if state else 0 for state in states), 1)
    ways = {fact: outcomes(parts[number] for number in numbers) for fact, numbers in groups.items()}
    size = 1
    for found in ways.values():
        size *= len(found)
    every = (1 << size) - 1
    holds = [every if state else 0 for state in states]
    stride, opened = 1, []
    for fact, numbers in groups.items():
        found = ways[fact]
        for way, outcome in enumerate(found):
            digit = _digit(size, stride, len(found), way)
            for number, held in zip(numbers, outcome, strict=True):
                if held:
                    holds[number] |= digit
        opened.append(Open(tuple(numbers), stride, len(found)))
        stride *= len(found)
    return Worlds(tuple(holds), every, tuple(opened))


def _groups(parts: tuple[Part, ...], states: Sequence[bool | None]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for number, state in enumerate(states):
        if state is None:
            groups.setdefault(parts[number].fact, []).append(number)
    return groups


def _count(parts: tuple[Part, ...], facts: Facts) -> int:
    size = 1
    for numbers in _groups(parts, [part.holds(facts) for part in parts]).values():
        size *= len(outcomes(parts[number] for number in numbers))
    return size


@lru_cache(maxsize=4096)
def _digit(size: int, stride: int, ways: int, way: int) -> int:
    """The worlds, of `size`, whose digit at `stride` is `way`: runs of ones, one in every `ways`."""
    period = stride * ways
    starts = ((1 << size) - 1) // ((1 << period) - 1)
    return int((starts * ((1 << stride) - 1)) << (way * stride))
