"""The verdict over a model as a list shows it, for a use that a study or options state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steelyard.cli.licence.options import refuse_beside, stated, use_of_options

if TYPE_CHECKING:
    from steelyard.catalogue.load import Catalogue
    from steelyard.catalogue.model import Candidate, Way
    from steelyard.catalogue.selection import Choice
    from steelyard.licences import Verdict
    from steelyard.quantities import Unknown
    from steelyard.usecase import Use, Workload


@dataclass(frozen=True)
class Judge:
    """One use; each model is judged once. `way` None: open weights on own machines, anything else through its API."""

    use: Use
    workload: Workload | Unknown
    way: Way | None
    on: date
    catalogue: Catalogue | None = None
    _judged: dict[str, Verdict] = field(default_factory=dict)

    def verdict(self, choice: Choice) -> Verdict:
        """Of the model under its own terms and those of its bases."""
        from steelyard.licences.judge import judge_candidate

        id = choice.model.id
        if id not in self._judged:
            candidate = self._candidate(choice)
            self._judged[id] = judge_candidate(candidate, self.use, self.workload, self.on, catalogue=self.catalogue)
        return self._judged[id]

    def status(self, choice: Choice) -> str:
        """allowed, conditional, forbidden or unknown."""
        return self.verdict(choice).status

    def _candidate(self, choice: Choice) -> Candidate:
        from steelyard.catalogue.model import Candidate
        from steelyard.quantities import Unknown

        model = choice.model
        way: Way = self.way or ("api" if model.openness in ("proprietary", "unknown") else "self-hosted")
        offer = choice.offers[0] if choice.offers else Unknown("nobody sells it, as far as is known")
        route = choice.offers[0].route if choice.offers and way == "api" else "hf"
        return Candidate(model.id, route, model, model.revision, None, "", way, offer, "any" if way == "api" else "own")


WAY_OF: dict[str, Way] = {
    "cloud": "api",
    "private-cloud": "self-hosted",
    "on-premises": "self-hosted",
    "edge": "on-device",
}
"""Where an offer runs, as licences ask for it; `hybrid` is several, and judged like no wish."""


def _way(options: dict[str, Any]) -> Way | None:
    wanted = options.get("way")
    return wanted if wanted in ("api", "self-hosted", "on-device") else WAY_OF.get(wanted or "")


def judge_of(study: Path | None, options: dict[str, Any], at: datetime) -> Judge | None:
    """The judge for the stated use; None where no part of one is stated, nor wanted verdicts."""
    from steelyard.quantities import Unknown

    if study is None and options["purpose"] is None and not options.get("statuses") and not stated():
        return None
    if study is None:
        use = replace(use_of_options(options), purpose=options["purpose"] or "product")
        return Judge(use, Unknown("no study was given"), _way(options), at.date())
    from steelyard.catalogue.own import catalogue_for
    from steelyard.usecase.load import load_study

    refuse_beside("--study")
    case = load_study(study)
    use = replace(case.use, purpose=options["purpose"] or case.use.purpose)
    return Judge(use, case.workload, _way(options), at.date(), catalogue_for(case.file))
