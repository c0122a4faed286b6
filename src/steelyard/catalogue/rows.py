"""The shape of a facts file: one class a table; the only place that knows the keys."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Generic, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from steelyard.catalogue.architecture import Mixer, Shape
from steelyard.catalogue.model import Deployment, Kind, Lineage, Openness, Way
from steelyard.catalogue.price import RateUnit
from steelyard.providers.protocol import Service

T = TypeVar("T")
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
NOT_READ = "not read"


class Row(BaseModel):
    """A table: a key it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceRow(Row):
    """`[sources.NAME]`: where facts were read, and on which day."""

    source: str
    as_of: Day


class Known(Row, Generic[T]):
    """A fact, `from` a source of this file."""

    value: T
    origin: str = Field(alias="from")


class NotKnown(Row):
    """A fact that is not known, with the reason."""

    unknown: str


def _which(row: object) -> str:
    """One shape is tried, so that a mistake is told once."""
    unknown = "unknown" in row if isinstance(row, dict) else isinstance(row, NotKnown)
    return "unknown" if unknown else "known"


Maybe: TypeAlias = Annotated[Annotated[T, Tag("known")] | Annotated[NotKnown, Tag("unknown")], Discriminator(_which)]
MISSING = NotKnown(unknown=NOT_READ)


class LicenceRow(Row):
    """Terms that bind a model or an offer."""

    id: str
    revision: str
    acceptable_use: str = ""
    signed: Annotated[bool, Field(strict=True)] = False
    usd_per_year: Annotated[Decimal, Field(ge=0)] | None = None
    origin: str = Field(alias="from")


class FormerRow(LicenceRow):
    """Terms of copies taken before `until`; "" where the day was not read."""

    until: Day | Literal[""] = ""


class ExpertsRow(Row):
    """Experts of a layer; a number that is left out was not read."""

    total: int
    active: int
    size: int | None = None
    shared: int | None = None
    shared_size: int | None = None
    dense_layers: int | None = None


class LatentRow(Row):
    """Multi-head latent attention."""

    query_rank: int
    kv_rank: int
    rope_size: int
    nope_size: int
    value_size: int


class LayersRow(Row):
    """Layers that mix tokens in one way."""

    mixer: Mixer
    count: int
    window: int = 0
    kv_heads: int = 0
    head_size: int = 0
    value_size: int = 0


class RecurrentRow(Row):
    """The state of linear and state-space layers."""

    key_heads: int
    value_heads: int
    key_size: int
    value_size: int
    convolution: int


class ArchitectureRow(Row):
    """A number that is left out was not read. Without `mixers` every layer has full attention if `layers` says so."""

    shape: Shape = "decoder"
    layers: int
    hidden_size: int
    heads: int | None = None
    kv_heads: int | None = None
    head_size: int | None = None
    feed_forward: int | None = None
    vocabulary: int | None = None
    tied_embeddings: bool | None = None
    mixers: Literal["full"] | tuple[LayersRow, ...] | None = None
    experts: ExpertsRow | None = None
    latent: LatentRow | None = None
    recurrent: RecurrentRow | None = None
    encoder_layers: int = 0
    origin: str = Field(alias="from")


class EditionRow(Row):
    """Weights as somebody publishes them, without a recipe."""

    repository: str
    format: str
    quantisations: tuple[str, ...]
    size_bytes: int | None = None
    origin: str = Field(alias="from")


class WeightsRow(Row):
    """A recipe for weights, with the SHA-256 of what it gives."""

    name: str
    format: Literal["gguf", "transformers", "none"]
    kind: Literal["package", "hub", "path"]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size_bytes: int
    packages: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    repository: str = ""
    revision: str = ""
    requantise: str = ""
    origin: str = Field(alias="from")


class ScoreRow(Row):
    """A score that somebody published."""

    benchmark: str
    value: float
    unit: str
    self_reported: bool
    origin: str = Field(alias="from")


class ModelRow(Row):
    """A model, completed from its family."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9._-]+$")]
    name: str
    family: str
    vendor: str
    openness: Openness
    kinds: tuple[Kind, ...]
    ways: tuple[Way, ...]
    chat: bool
    licence: Maybe[LicenceRow]
    further_licences: tuple[LicenceRow, ...] = ()
    former_licences: tuple[FormerRow, ...] = ()
    parameters: Maybe[Known[int]] = MISSING
    parameters_active: Maybe[Known[int]] = MISSING
    context_tokens: Maybe[Known[int]] = MISSING
    languages: Maybe[Known[tuple[str, ...]]] = MISSING
    released: Maybe[Known[Day]] = MISSING
    deprecated: Maybe[Known[str]] = MISSING
    retired: Maybe[Known[str]] = MISSING
    successor: str = ""
    lineage: Maybe[Known[Lineage]] = MISSING
    architecture: Maybe[ArchitectureRow] = MISSING
    tokenizer: Maybe[Known[str]] = MISSING
    editions: tuple[EditionRow, ...] = ()
    modalities: tuple[str, ...] = ("text",)
    bases: tuple[str, ...] = ()
    revision: str = ""
    repository: str = ""
    weights: tuple[WeightsRow, ...] = ()
    public_scores: tuple[ScoreRow, ...] = ()
    reasoning: bool = False


class QuoteRow(Row):
    """What another source says of a price."""

    input_usd_per_million: Decimal
    output_usd_per_million: Decimal
    origin: str = Field(alias="from")


Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class RatesRow(Row):
    """Rates a million tokens; what is left out costs what other input or output costs."""

    input_usd_per_million: Decimal
    output_usd_per_million: Decimal
    cached_input_usd_per_million: Decimal | None = None
    cache_write_usd_per_million: Decimal | None = None
    cache_write_long_usd_per_million: Decimal | None = None
    reasoning_usd_per_million: Decimal | None = None
    audio_input_usd_per_million: Decimal | None = None
    audio_output_usd_per_million: Decimal | None = None
    image_input_usd_per_million: Decimal | None = None
    image_output_usd_per_million: Decimal | None = None


class TierRow(RatesRow):
    """Rates of long inputs, of another service, or of some hours of the day (UTC)."""

    above_input_tokens: int = 0
    service: Service = "standard"
    hours: tuple[Clock, Clock] | tuple[()] = ()


class PriceRow(RatesRow):
    """Rates from a day on; "" in `valid_to`: still."""

    tiers: tuple[TierRow, ...] = ()
    valid_from: Day
    valid_to: Day | Literal[""] = ""
    others: tuple[QuoteRow, ...] = ()
    origin: str = Field(alias="from")


class RateRow(Row):
    """A price that is not one of tokens."""

    unit: RateUnit
    usd: Decimal
    valid_from: Day
    minimum: Decimal = Decimal(0)
    origin: str = Field(alias="from")


class SellerRow(Row):
    """What holds for all offers of a seller that say nothing else. `only_for`: for the models of that vendor alone."""

    vendor: str
    only_for: str = ""
    regions: Known[tuple[str, ...]] | NotKnown = MISSING
    retention: Known[str] | NotKnown = MISSING
    trains_on_inputs: Known[bool] | NotKnown = MISSING
    terms: LicenceRow | NotKnown = MISSING
    deployment: Known[tuple[Deployment, ...]] | NotKnown = MISSING
    support: Known[str] | NotKnown = MISSING
    service_level: Known[str] | NotKnown = MISSING


class OfferRow(Row):
    """A model at a seller."""

    route: str
    model: str
    vendor: str
    served_as: str
    base_url: str
    key_env: str
    prices: tuple[PriceRow, ...] = ()
    regions: Maybe[Known[tuple[str, ...]]] = MISSING
    retention: Maybe[Known[str]] = MISSING
    trains_on_inputs: Maybe[Known[bool]] = MISSING
    terms: Maybe[LicenceRow] = MISSING
    deployment: Maybe[Known[tuple[Deployment, ...]]] = MISSING
    context_tokens: Maybe[Known[int]] = MISSING
    output_tokens: Maybe[Known[int]] = MISSING
    deprecated: Maybe[Known[str]] = MISSING
    retired: Maybe[Known[str]] = MISSING
    successor: str = ""
    support: Maybe[Known[str]] = MISSING
    service_level: Maybe[Known[str]] = MISSING
    rates: tuple[RateRow, ...] = ()


class RefRow(Row):
    """Terms by id; without a revision, the newest."""

    id: str
    revision: str = ""


class TagRow(Row):
    """Which record or which terms a tag stands for: exactly one of `model`, `licences` and `unknown`."""

    match: str
    model: str = ""
    licences: tuple[RefRow, ...] = ()
    unknown: str = ""
    bases: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ("text",)

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if sum(map(bool, (self.model, self.licences, self.unknown))) != 1:
            raise ValueError("give exactly one of model, licences and unknown")
        return self


class AliasRow(TagRow):
    """A name elsewhere: what it stands for alone, and with its tags."""

    match: str = Field(default="", alias="name")
    tags: tuple[TagRow, ...] = ()
    origin: str = Field(alias="from")


class FactsFile(Row):
    """One file. A model's row is completed from `families.NAME`, NAME being its family."""

    sources: dict[str, SourceRow] = {}
    families: dict[str, dict[str, object]] = {}
    models: tuple[ModelRow, ...] = ()
    offers: tuple[OfferRow, ...] = ()
    sellers: tuple[SellerRow, ...] = ()
    aliases: tuple[AliasRow, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, raw: object) -> object:
        """What a family's models have in common stands once."""
        if not isinstance(raw, dict) or not isinstance(families := raw.get("families"), dict):
            return raw
        rows = raw.get("models", [])
        models = [{**families.get(row.get("family"), {}), **row} if isinstance(row, dict) else row for row in rows]
        return {**raw, "models": models}
