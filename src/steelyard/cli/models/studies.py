"""Which models a study uses: what its file names, and what its lock and its decision say was run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.cli.say import say

if TYPE_CHECKING:
    from steelyard.catalogue.load import Catalogue
    from steelyard.catalogue.model import Candidate, Model

DEEPEST = 6
OUTPUT = ".steelyard"
RESULTS = ("lock.json", "decision.json")
MOST_BYTES = 50_000_000


def used_by(places: Iterable[Path]) -> Iterator[tuple[Path, Catalogue, tuple[Candidate, ...]]]:
    """Every study at or below these places with its candidates; what cannot be read is named and passed over."""
    from steelyard.catalogue.own import catalogue_for
    from steelyard.errors import SteelyardError

    for home, files in _homes(places).items():
        found: dict[str, Candidate] = {}
        try:
            catalogue = catalogue_for(home / "study.yaml")
        except SteelyardError as error:
            say(f"{home}: not looked at: {error}", err=True)
            continue
        for file in files:
            try:
                found |= {one.id: one for one in _candidates(file, catalogue) if one.id not in found}
            except (SteelyardError, OSError, ValueError, RecursionError) as error:
                say(f"{file}: not looked at: {error}", err=True)
        yield home, catalogue, tuple(found.values())


def lineage(model: Model, catalogue: Catalogue) -> set[str]:
    """Ids of the model and of all that it derives from: what changes for a base changes for it."""
    ids = [model.id, *model.bases]
    for id in ids:
        if (base := catalogue.models.get(id)) is not None:
            ids += [one for one in base.bases if one not in ids]
    return set(ids)


def _homes(places: Iterable[Path]) -> dict[Path, list[Path]]:
    """Files by the folder of their study: results lie in its output folder, or where somebody has put them."""
    homes: dict[Path, list[Path]] = {}
    for place in places:
        names = ("study.yaml", *RESULTS)
        files = [place] if place.is_file() else sorted(file for name in names for file in place.rglob(name))
        for file in files:
            home = file.parent.parent if file.parent.name == OUTPUT else file.parent
            if place.is_file() or len(file.relative_to(place).parts) <= DEEPEST:
                homes.setdefault(home, []).append(file)
    return {home: sorted(files, key=lambda file: file.name in RESULTS) for home, files in homes.items()}


def _candidates(file: Path, catalogue: Catalogue) -> Iterator[Candidate]:
    from steelyard.catalogue.resolve import resolve
    from steelyard.errors import Problem
    from steelyard.usecase.candidates import candidates_of
    from steelyard.usecase.load import load_study

    if file.name not in RESULTS:
        yield from candidates_of(load_study(file), catalogue)
        return
    for name in _named(file):
        candidate = resolve(catalogue, name)
        if isinstance(candidate, Problem):
            say(f"{file}: {candidate.what}", err=True)
        else:
            yield candidate


def _named(file: Path) -> list[str]:
    """Ids of the candidates in a lock or a decision of any version; none where it is neither."""
    with file.open("rb") as stream:
        document = json.loads(stream.read(MOST_BYTES))
    if not isinstance(document, dict):
        return []
    rows = [row for key in ("ran", "standings") if isinstance(document.get(key), list) for row in document[key]]
    return [name for row in rows if isinstance(row, dict) and isinstance(name := row.get("candidate"), str)]
