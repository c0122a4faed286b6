"""Accelerators: what each can hold, move and multiply, what it draws and what it rents for. Facts in accelerators.toml.

Own machines stand in `hardware.toml` beside the study, in the same form.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from steelyard.errors import InputError, Problem
from steelyard.sizing.accelerator_rows import read_rows
from steelyard.sizing.hardware import Accelerator, Rent

__all__ = ["OWN_FILE", "Accelerator", "Rent", "accelerator", "accelerators", "own_hardware"]

OWN_FILE = "hardware.toml"


def own_hardware(study: Path) -> Path:
    """Where machines of one's own would stand; `study` is its file or its folder."""
    return (study if study.is_dir() else study.parent) / OWN_FILE


def accelerators(study_file: Path | None = None) -> Mapping[str, Accelerator]:
    """Every accelerator by id, those of `hardware.toml` beside the study first. InputError with all its mistakes."""
    shipped = _shipped()
    if study_file is None or not own_hardware(study_file).is_file():
        return shipped
    own = _read(own_hardware(study_file).read_text("utf-8"), str(own_hardware(study_file)))
    return MappingProxyType(own | {id: known for id, known in shipped.items() if id not in own})


def accelerator(name: str, study_file: Path | None = None) -> Accelerator:
    """The accelerator of that id or alias; InputError with the nearest names otherwise."""
    known = accelerators(study_file)
    plain = _plain(name)
    for one in known.values():
        if plain in (_plain(one.id), *map(_plain, one.aliases)):
            return one
    names = [one.id for one in known.values()] + [alias for one in known.values() for alias in one.aliases]
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    raise InputError(
        Problem(
            slug="unknown-accelerator",
            what=f"no accelerator is called {name!r}" + (f"; near: {', '.join(near)}" if near else ""),
            allowed=", ".join(known),
            next_step=f"name one of these, or describe your own in {OWN_FILE} beside the study (docs/sizing.md)",
        )
    )


@cache
def _shipped() -> Mapping[str, Accelerator]:
    text = files("steelyard.sizing").joinpath("accelerators.toml").read_text("utf-8")
    return MappingProxyType(_read(text, "accelerators.toml"))


def _read(text: str, where: str) -> dict[str, Accelerator]:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(Problem(slug="bad-hardware-file", what=str(error), where=where)) from error
    return {one.id: one for one in read_rows(raw, where)}


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
