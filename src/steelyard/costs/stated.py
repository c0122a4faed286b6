"""The inputs of a study: those that ship with Steelyard, and in their place what the study states."""

from __future__ import annotations

from dataclasses import replace

from steelyard.catalogue.ids import nearest
from steelyard.costs.inputs import Inputs, default_inputs
from steelyard.costs.model import Plan
from steelyard.errors import InputError, Problem
from steelyard.quantities import Unknown
from steelyard.usecase import UseCase


def inputs_of(case: UseCase) -> Inputs:
    """The inputs that ship with the study's `costs` in their place. InputError with every name that is none."""
    return _stated(default_inputs(), case)


def as_stated(plan: Plan | Unknown, case: UseCase) -> Plan | Unknown:
    """The plan as the study's `costs` have it; they win over what was measured or listed."""
    return plan if isinstance(plan, Unknown) else replace(plan, inputs=_stated(plan.inputs, case))


def _stated(inputs: Inputs, case: UseCase) -> Inputs:
    unheard = [name for name in case.costs if name not in inputs.facts]
    if unheard:
        raise InputError([_unheard(name, case.file.name, tuple(inputs.facts)) for name in unheard])
    return inputs.with_facts(
        replace(
            inputs.facts[name],
            value=stated.value,
            low=stated.low,
            high=stated.high,
            source=stated.source,
            as_of=stated.as_of,
            shape="triangular",
        )
        for name, stated in case.costs.items()
    )


def _unheard(name: str, file: str, known: tuple[str, ...]) -> Problem:
    what = f"no input of costs is called {name!r}{nearest(name, known)}"
    return Problem(
        "study-unknown-field", what, f"{file} (costs.{name})", ", ".join(known), "correct the name or remove it"
    )
