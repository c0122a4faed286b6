"""What a model hub says of a repository today: licence tag, gate, bases, parameters, revision."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import quote

from steelyard.catalogue.hub import ENDPOINT, TIMEOUT_SECONDS
from steelyard.catalogue.model import Model
from steelyard.errors import NotAvailable, Problem
from steelyard.quantities import Unknown

LARGEST_BYTES = 8_000_000


@dataclass(frozen=True)
class HubCard:
    """A repository's metadata. "" and None: the hub does not say.

    `licence` is the tag, or the name and link behind "other"; `bases` are repositories; `parameters` are counted in
    the safetensors headers.
    """

    repository: str
    revision: str
    licence: str
    licence_name: str
    gated: bool
    bases: tuple[str, ...]
    parameters: int | None
    modified: str


def read_card(repository: str) -> HubCard:
    """Asks ENDPOINT/api/models/OWNER/NAME (HF_ENDPOINT, HF_TOKEN). NotAvailable where there is no card."""
    url = f"{os.environ.get('HF_ENDPOINT') or ENDPOINT}/api/models/{quote(repository)}"
    request = urllib.request.Request(url)
    token = os.environ.get("HF_TOKEN")
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return _card(repository, json.loads(answer.read(LARGEST_BYTES)))
    except urllib.error.HTTPError as error:
        with error:
            raise _failed(repository, f"status {error.code}") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
        raise _failed(repository, str(getattr(error, "reason", error))) from None
    except ValueError as error:
        raise _failed(repository, f"the answer is no card: {error}") from None


def differences(model: Model, card: HubCard, same_licence: bool) -> Iterator[tuple[str, str, str]]:
    """(what, as the catalogue has it, as the hub has it). `same_licence`: whether the tag may stand for the terms."""
    known = model.licence
    if not same_licence:
        before = str(known) if isinstance(known, Unknown) else known.value.id
        yield (
            "licence changed",
            before,
            " ".join(part for part in (card.licence, card.licence_name) if part) or "none named",
        )
    if model.revision and card.revision and model.revision != card.revision:
        yield "revision", model.revision, card.revision
    count = model.parameters
    if card.parameters and not isinstance(count, Unknown) and abs(card.parameters - count.value) > 0.02 * count.value:
        yield "parameters", f"{count.value:,}", f"{card.parameters:,}"
    if card.bases and not model.bases:
        yield "bases", "none", ", ".join(card.bases)


def _card(repository: str, raw: object) -> HubCard:
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        raise ValueError("it names no repository")
    data, counts = raw.get("cardData"), raw.get("safetensors")
    data = data if isinstance(data, dict) else {}
    total = counts.get("total") if isinstance(counts, dict) else None
    bases = data.get("base_model") or ()
    return HubCard(
        repository=repository,
        revision=_text(raw.get("sha")),
        licence=_text(data.get("license")),
        licence_name=_text(data.get("license_name")) or _text(data.get("license_link")),
        gated=bool(raw.get("gated")),
        bases=tuple(map(str, [bases] if isinstance(bases, str) else bases)),
        parameters=total if isinstance(total, int) else None,
        modified=_text(raw.get("lastModified"))[:10],
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _failed(repository: str, why: str) -> NotAvailable:
    return NotAvailable(
        Problem(
            slug="hub-card-unreadable",
            what=f"the hub says nothing of {repository}: {why}",
            next_step="check the network, HF_ENDPOINT and HF_TOKEN; the facts at hand stay as they are",
        )
    )
