"""Typed reading of `Target.options`: a mistyped or unknown option is an error, never ignored."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from steelyard.errors import InputError, Problem
from steelyard.providers.protocol import Target

T = TypeVar("T", bool, int, float, str)

_FOR_EVERY_WIRE = frozenset({"concurrency"})
_KINDS: dict[type, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def check_options(target: Target, known: Collection[str], prefixes: tuple[str, ...] = ()) -> None:
    """Raises InputError naming every option that the target's wire does not have; `concurrency` is everybody's."""
    allowed = sorted({*known, *_FOR_EVERY_WIRE})
    unknown = [name for name in target.options if name not in allowed and not name.startswith(prefixes or ("\0",))]
    if unknown:
        raise InputError([_problem(target, name, "there is no such option", ", ".join(allowed)) for name in unknown])
    if option(target, "concurrency", 1) < 1:
        raise InputError(_problem(target, "concurrency", "no call at once is none at all", "a whole number from 1"))


def option(target: Target, name: str, default: T) -> T:
    """The option's value, of the type of its default. Raises InputError if it is of another type."""
    value = target.options.get(name, default)
    kind = type(default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise InputError(_problem(target, name, f"the value {value!r} does not fit", _KINDS[kind]))
    return value


def _problem(target: Target, name: str, what: str, allowed: str) -> Problem:
    return Problem(
        slug="wrong-target-option",
        where=f"options of {target.model}: {name}",
        what=what,
        allowed=allowed,
        next_step=f"docs/providers.md lists the options of the wire {target.wire}",
    )
