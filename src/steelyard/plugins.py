"""Find a plug-in by kind and name. Knows no room: a plug-in is a "module:name" entry point until it is used.

Three kinds exist: `steelyard.providers`, `steelyard.metrics`, `steelyard.facts`. The built-ins register
through the same entry points in pyproject.toml.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from steelyard.errors import InputError, Problem

Kind = Literal["providers", "metrics", "facts"]


def names(kind: Kind) -> tuple[str, ...]:
    """The names of all installed plug-ins of a kind, sorted."""
    return tuple(sorted(_group(kind)))


def find(kind: Kind, name: str) -> Any:
    """Import and return the plug-in, or raise InputError with the names that exist."""
    group = _group(kind)
    if name not in group:
        raise InputError(
            Problem(
                slug="unknown-plugin",
                what=f"no {kind[:-1]} is called {name!r}",
                allowed=", ".join(sorted(group)) or "none installed",
                next_step="correct the name, or install the package that brings it",
            )
        )
    return group[name].load()


def _group(kind: Kind) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"steelyard.{kind}")}
