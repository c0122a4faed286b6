"""Whose contract governs beside a model's own terms, where somebody else serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from steelyard.catalogue.model import Candidate, LicenceRef, Model, Offer
from steelyard.quantities import Unknown

Host: TypeAlias = str | LicenceRef | None
"""Terms, a name where nobody knows which, or None where the model's own terms are the contract."""
ANYBODY = "whoever serves it"


def host_of(candidate: Candidate) -> Host:
    """The contract of whoever serves the candidate."""
    if candidate.way != "api":
        return None
    if isinstance(candidate.offer, Unknown):
        return urlsplit(candidate.base_url).hostname or candidate.route
    return _contract(candidate.model, candidate.offer)


def host_at_large(model: Model, offers: Sequence[Offer]) -> Host:
    """The contract where only the model is named, and that it is had through an API.

    A proprietary model goes to its first offer, as a candidate does. Open weights may be served by anybody.
    """
    if model.openness == "open":
        return ANYBODY
    return _contract(model, offers[0]) if offers else None


def _contract(model: Model, offer: Offer) -> Host:
    if isinstance(offer.terms, Unknown):
        return None if offer.vendor == model.vendor else offer.vendor
    own = {terms.value.id for terms in model.terms if not isinstance(terms, Unknown)}
    return None if offer.terms.value.id in own else offer.terms.value
