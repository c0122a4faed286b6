"""The study's candidates, looked up in the catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from steelyard.catalogue import Candidate
from steelyard.catalogue.load import Catalogue
from steelyard.catalogue.resolve import resolve
from steelyard.errors import InputError, Problem
from steelyard.usecase.case import CandidateSpec, UseCase


def candidates_of(case: UseCase, catalogue: Catalogue) -> tuple[Candidate, ...]:
    """Every candidate of the study, in its order. Raises InputError with all that cannot be found, by line."""
    found: list[Candidate] = []
    problems: list[Problem] = []
    for spec in case.candidates:
        candidate = candidate_of(spec, catalogue, case.folder)
        if isinstance(candidate, Problem):
            problems.append(replace(candidate, where=f"{case.file.name}, {spec.where}"))
        else:
            found.append(candidate)
    if problems:
        raise InputError(problems)
    return tuple(found)


def candidate_of(spec: CandidateSpec, catalogue: Catalogue, folder: Path) -> Candidate | Problem:
    """One candidate as the study file describes it, or what is wrong with it.

    A model file of the user's own has a path relative to the study's folder, as the data have.
    """
    found = resolve(
        catalogue,
        spec.id,
        base_url=spec.base_url,
        key_env=spec.key_env,
        contracted=spec.contracted,
        options=spec.options,
    )
    if isinstance(found, Problem) or found.weights is None or found.weights.kind != "path":
        return found
    members = tuple(str(folder / name) for name in found.weights.members)
    return replace(found, weights=replace(found.weights, members=members))
