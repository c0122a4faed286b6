"""Plain machines to rent and the planning assumptions for them: facts in machines.toml, each with source and date."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from importlib.resources import files

from steelyard.errors import InputError, Problem
from steelyard.quantities import Bytes, Money, Sourced, Unknown
from steelyard.sizing.calibrate import ID as MEASURED_HERE
from steelyard.sizing.hardware import Accelerator, Rent

DEFAULT_MACHINE = "cpu-2"


@dataclass(frozen=True)
class Machine:
    """One kind of machine. `accelerator` is "" for none; `vcpus` 0 where the price is per accelerator.

    `assumed`: the price was not read from the seller's own list; the user should put a real one in its place.
    """

    id: str
    name: str
    vcpus: int
    memory_gb: int
    accelerator: str
    usd_per_hour: Sourced[Money]
    assumed: bool


@cache
def machines() -> tuple[Machine, ...]:
    """All machines that ship with Steelyard, in file order."""
    return tuple(
        Machine(
            id=row["id"],
            name=row["name"],
            vcpus=row["vcpus"],
            memory_gb=row["memory_gb"],
            accelerator=row["accelerator"],
            usd_per_hour=Sourced(Money.of(row["usd_per_hour"]), row["source"], row["as_of"]),
            assumed=row["assumed"],
        )
        for row in tomllib.loads(_facts())["machine"]
    )


def machine(id: str = DEFAULT_MACHINE) -> Machine:
    """The machine of that id; InputError with the ids that exist otherwise."""
    for known in machines():
        if known.id == id:
            return known
    raise InputError(
        Problem(
            slug="unknown-machine",
            what=f"no machine is called {id!r}",
            allowed=", ".join(known.id for known in machines()),
            next_step="name one of these, or build a Machine with your own hourly price",
        )
    )


def processor(hardware: Mapping[str, Accelerator]) -> Accelerator:
    """The default machine as sizing sees it: as this one measured itself (hardware.toml), or as one like it did."""
    raw = tomllib.loads(_facts())["processor"]
    plain = machine(raw["machine"])
    rent = Rent(plain.usd_per_hour, "hyperscaler", "on-demand", plain.assumed)
    unread = Unknown(f"not read for {plain.name}")
    like = Accelerator(
        id=plain.id,
        name=plain.name,
        maker="any",
        kind="cpu",
        memory=Sourced(Bytes(plain.memory_gb * 10**9), plain.usd_per_hour.source, plain.usd_per_hour.as_of),
        bandwidth=Sourced(float(raw["bytes_per_second"]), raw["source"], raw["as_of"]),
        flops={"fp32": Sourced(float(raw["fp32_flops"]), raw["source"], raw["as_of"])},
        watts=unread,
        per_node=1,
        intra_node=unread,
        inter_node=unread,
        rents=(rent,),
        purchase=unread,
        shared_memory=True,
    )
    here = hardware.get(MEASURED_HERE)
    return like if here is None else replace(like, bandwidth=here.bandwidth, flops=here.flops)


@cache
def peak_utilisation() -> Sourced[Decimal]:
    """The share of a replica's measured rate that is planned for at the peak."""
    planning = tomllib.loads(_facts())["planning"]
    return Sourced(Decimal(planning["peak_utilisation"]), planning["source"], planning["as_of"])


def _facts() -> str:
    return files("steelyard.costs").joinpath("machines.toml").read_text("utf-8")
