"""Names of accelerators on the command line: `--on h100,l40s` and `--on h100 --on l40s` are the same."""

from __future__ import annotations

import click


def split_names(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Every name once, in order; the callback of a repeatable option."""
    del context, option
    parts = (part.strip() for value in values for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))
