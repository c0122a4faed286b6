"""Rows of a facts file made into the nouns of the catalogue."""

from __future__ import annotations

from typing import TypeVar

from steelyard.catalogue.aliases import Alias, Tag
from steelyard.catalogue.architecture import (
    NOT_READ,
    Architecture,
    Experts,
    LatentAttention,
    Layers,
    Number,
    Recurrent,
)
from steelyard.catalogue.model import (
    Edition,
    FormerLicence,
    LicenceRef,
    Model,
    Offer,
    PublicScore,
    Seller,
    Weights,
)
from steelyard.catalogue.price import Price, Quote, Rate, Rates
from steelyard.catalogue.rows import (
    AliasRow,
    ArchitectureRow,
    EditionRow,
    ExpertsRow,
    FactsFile,
    FormerRow,
    Known,
    LicenceRow,
    ModelRow,
    NotKnown,
    OfferRow,
    PriceRow,
    QuoteRow,
    RateRow,
    ScoreRow,
    SellerRow,
    SourceRow,
    WeightsRow,
)
from steelyard.errors import Problem
from steelyard.quantities import Bytes, Fact, Sourced, Tokens, Unknown

T = TypeVar("T")


class Reader:
    """One file's rows to nouns; names of sources that do not exist become problems."""

    def __init__(self, file: FactsFile, where: str) -> None:
        self.file = file
        self.where = where
        self.problems: list[Problem] = []

    def source(self, name: str) -> SourceRow:
        """The source called `name`; where there is none, a problem is noted and a blank one stands in."""
        if name in self.file.sources:
            return self.file.sources[name]
        self.problems.append(facts_problem(self.where, f"no source is called {name!r}", ", ".join(self.file.sources)))
        return SourceRow(source="", as_of="0001-01-01")

    def fact(self, row: Known[T] | NotKnown) -> Fact[T]:
        if isinstance(row, NotKnown):
            return Unknown(row.unknown)
        origin = self.source(row.origin)
        return Sourced(row.value, origin.source, origin.as_of)

    def tokens(self, row: Known[int] | NotKnown) -> Fact[Tokens]:
        fact = self.fact(row)
        return fact if isinstance(fact, Unknown) else Sourced(Tokens(fact.value), fact.source, fact.as_of)

    def licence(self, row: LicenceRow | NotKnown) -> Sourced[LicenceRef] | Unknown:
        if isinstance(row, NotKnown):
            return Unknown(row.unknown)
        origin = self.source(row.origin)
        reference = LicenceRef(row.id, row.revision, row.acceptable_use, row.signed, row.usd_per_year)
        return Sourced(reference, origin.source, origin.as_of)

    def former(self, row: FormerRow) -> FormerLicence:
        origin = self.source(row.origin)
        reference = LicenceRef(row.id, row.revision, row.acceptable_use)
        return FormerLicence(reference, row.until, origin.source, origin.as_of)

    def architecture(self, row: ArchitectureRow | NotKnown) -> Fact[Architecture]:
        if isinstance(row, NotKnown):
            return Unknown(row.unknown)
        origin = self.source(row.origin)
        value = Architecture(
            shape=row.shape,
            layers=row.layers,
            hidden_size=row.hidden_size,
            heads=_number(row.heads),
            kv_heads=_number(row.kv_heads),
            head_size=_number(row.head_size),
            feed_forward=_number(row.feed_forward),
            vocabulary=_number(row.vocabulary),
            tied_embeddings=NOT_READ if row.tied_embeddings is None else row.tied_embeddings,
            mixers=self.mixers(row),
            experts=None if row.experts is None else _experts(row.experts),
            latent=None if row.latent is None else LatentAttention(**dict(row.latent)),
            recurrent=None if row.recurrent is None else Recurrent(**dict(row.recurrent)),
            encoder_layers=row.encoder_layers,
        )
        return Sourced(value, origin.source, origin.as_of)

    def mixers(self, row: ArchitectureRow) -> tuple[Layers, ...] | Unknown:
        if row.mixers is None:
            return NOT_READ
        if row.mixers == "full":
            return (Layers("full", row.layers),)
        kinds = tuple(Layers(**dict(kind)) for kind in row.mixers)
        if sum(kind.count for kind in kinds) != row.layers:
            self.problems.append(facts_problem(self.where, f"mixers of {kinds} do not add up to {row.layers} layers"))
        return kinds

    def edition(self, row: EditionRow) -> Edition:
        origin = self.source(row.origin)
        size: Fact[Bytes] = NOT_READ
        if row.size_bytes is not None:
            size = Sourced(Bytes(row.size_bytes), origin.source, origin.as_of)
        return Edition(row.repository, row.format, row.quantisations, size, origin.source, origin.as_of)

    def weights(self, row: WeightsRow) -> Weights:
        origin = self.source(row.origin)
        values = row.model_dump(exclude={"origin", "size_bytes"})
        return Weights(**values, size_bytes=Bytes(row.size_bytes), source=origin.source, as_of=origin.as_of)

    def score(self, row: ScoreRow) -> PublicScore:
        origin = self.source(row.origin)
        return PublicScore(**row.model_dump(exclude={"origin"}), source=origin.source, as_of=origin.as_of)

    def price(self, row: PriceRow) -> Price:
        origin = self.source(row.origin)
        values = row.model_dump(exclude={"origin", "others", "tiers"})
        others = tuple(self.quote(quote) for quote in row.others)
        tiers = tuple(Rates(**tier.model_dump()) for tier in row.tiers)
        return Price(**values, others=others, tiers=tiers, source=origin.source, as_of=origin.as_of)

    def quote(self, row: QuoteRow) -> Quote:
        origin = self.source(row.origin)
        return Quote(row.input_usd_per_million, row.output_usd_per_million, origin.source, origin.as_of)

    def rate(self, row: RateRow) -> Rate:
        origin = self.source(row.origin)
        return Rate(row.unit, row.usd, row.valid_from, origin.source, origin.as_of, row.minimum)

    def model(self, row: ModelRow) -> Model:
        return Model(
            id=row.id,
            name=row.name,
            family=row.family,
            vendor=row.vendor,
            openness=row.openness,
            kinds=row.kinds,
            licence=self.licence(row.licence),
            further_licences=tuple(
                licence for ref in row.further_licences if isinstance(licence := self.licence(ref), Sourced)
            ),
            former_licences=tuple(self.former(ref) for ref in row.former_licences),
            ways=row.ways,
            chat=row.chat,
            reasoning=row.reasoning,
            parameters=self.fact(row.parameters),
            parameters_active=self.fact(row.parameters_active),
            context_tokens=self.tokens(row.context_tokens),
            languages=self.fact(row.languages),
            released=self.fact(row.released),
            deprecated=self.fact(row.deprecated),
            retired=self.fact(row.retired),
            successor=row.successor,
            lineage=self.fact(row.lineage),
            architecture=self.architecture(row.architecture),
            tokenizer=self.fact(row.tokenizer),
            editions=tuple(self.edition(edition) for edition in row.editions),
            modalities=row.modalities,
            bases=row.bases,
            revision=row.revision,
            repository=row.repository,
            weights=tuple(self.weights(weights) for weights in row.weights),
            public_scores=tuple(self.score(score) for score in row.public_scores),
        )

    def seller(self, row: SellerRow) -> Seller:
        return Seller(
            vendor=row.vendor,
            only_for=row.only_for,
            regions=self.fact(row.regions),
            retention=self.fact(row.retention),
            trains_on_inputs=self.fact(row.trains_on_inputs),
            terms=self.licence(row.terms),
            deployment=self.fact(row.deployment),
            support=self.fact(row.support),
            service_level=self.fact(row.service_level),
        )

    def offer(self, row: OfferRow) -> Offer:
        return Offer(
            route=row.route,
            model=row.model,
            vendor=row.vendor,
            served_as=row.served_as,
            base_url=row.base_url,
            key_env=row.key_env,
            prices=tuple(self.price(price) for price in row.prices),
            regions=self.fact(row.regions),
            retention=self.fact(row.retention),
            trains_on_inputs=self.fact(row.trains_on_inputs),
            terms=self.licence(row.terms),
            deployment=self.fact(row.deployment),
            context_tokens=self.tokens(row.context_tokens),
            output_tokens=self.tokens(row.output_tokens),
            deprecated=self.fact(row.deprecated),
            retired=self.fact(row.retired),
            successor=row.successor,
            support=self.fact(row.support),
            service_level=self.fact(row.service_level),
            rates=tuple(self.rate(rate) for rate in row.rates),
        )

    def alias(self, row: AliasRow) -> Alias:
        origin = self.source(row.origin)
        default, *tags = (
            Tag(
                tag.match,
                tag.model,
                tuple(LicenceRef(ref.id, ref.revision) for ref in tag.licences),
                tag.unknown,
                tag.bases,
                tag.kinds,
            )
            for tag in (row, *row.tags)
        )
        return Alias(row.match, default, tuple(tags), origin.source, origin.as_of)


def _number(value: int | None) -> Number:
    return NOT_READ if value is None else value


def _experts(row: ExpertsRow) -> Experts:
    return Experts(
        row.total,
        row.active,
        _number(row.size),
        _number(row.shared),
        _number(row.shared_size),
        _number(row.dense_layers),
    )


def facts_problem(where: str, what: str, allowed: str = "") -> Problem:
    """A mistake in a facts file."""
    return Problem(
        "bad-facts-file", what, where, allowed, "correct the facts file or remove the plug-in that brings it"
    )
