"""Rows of measured or planned configurations, as benchmark collections write them, read as loads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from steelyard.catalogue.model import Model
from steelyard.catalogue.paths import model_of_path
from steelyard.errors import SteelyardError
from steelyard.quantities import Unknown
from steelyard.sizing.accelerators import accelerator
from steelyard.sizing.hardware import Accelerator
from steelyard.sizing.layout import Parallel, precision
from steelyard.sizing.terms import Load

NEEDED = ("id", "model_path", "system", "precision", "backend", "isl", "osl", "batch_size")
SPLITS = ("tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size", "gpus")
NUMBERS = ("isl", "osl", "batch_size", *SPLITS)


def number(text: str | None, otherwise: float = 1.0) -> float:
    """A positive number; ValueError says what is wrong. An empty one of a split is 1."""
    if text is None or not text.strip():
        return otherwise
    value = float(text)
    if not 0 < value < 1e9:
        raise ValueError(f"{text!r} is not a positive number")
    return value


def read_load(row: Mapping[str, str]) -> Load | Unknown:
    """One row; Unknown with the reason where model, system or precision mean nothing here.

    `batch_size` counts the sequences of one attention rank, so a copy has `attention_dp_size` times as many.
    """
    model, machine = _model(row["model_path"]), _machine(row["system"])
    if isinstance(model, Unknown):
        return model
    if isinstance(machine, Unknown):
        return machine
    try:
        written = precision(row["precision"])
    except SteelyardError as error:
        return Unknown(error.problems[0].what)
    splits = {name: int(number(row.get(name))) for name in SPLITS}
    parallel = Parallel(
        tp=splits["tp_size"],
        pp=splits["pp_size"],
        attention_dp=splits["attention_dp_size"],
        moe_tp=splits["moe_tp_size"],
        moe_ep=splits["moe_ep_size"],
    )
    return Load(
        model,
        machine,
        written,
        row["backend"].strip().lower(),
        int(number(row["isl"])),
        int(number(row["osl"])),
        number(row["batch_size"]) * parallel.attention_dp,
        parallel,
        int(number(row.get("gpus"), parallel.gpus)),
    )


@lru_cache(maxsize=4096)
def _model(path: str) -> Model | Unknown:
    return model_of_path(path)


@lru_cache(maxsize=256)
def _machine(name: str) -> Accelerator | Unknown:
    try:
        return accelerator(name)
    except SteelyardError as error:
        return Unknown(error.problems[0].what)
