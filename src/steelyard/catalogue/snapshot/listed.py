"""What one source says of one model at one seller, in the words that all sources share."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from steelyard.catalogue.model import Kind
from steelyard.catalogue.price import Rates, RateUnit

PLACES = re.compile(r"^(us|eu|apac|au|jp|ca|global|us-gov)\.")
DATED = re.compile(r"(-\d{8})-v\d+:\d+$")
OTHER = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True)
class Listed:
    """One row of one source. None and empty: this source does not say.

    `house` and `served` name the offer. `openness` is True for open weights. Dates are ISO; `valid_from` of a price
    is "" where the source gives no day.
    """

    house: str
    served: str
    name: str = ""
    openness: bool | None = None
    kinds: tuple[Kind, ...] = ()
    modalities: tuple[str, ...] = ()
    context_tokens: int | None = None
    output_tokens: int | None = None
    released: str = ""
    deprecated: str = ""
    successor: str = ""
    prices: tuple[ListedPrice, ...] = ()
    rates: tuple[tuple[RateUnit, Decimal], ...] = ()


@dataclass(frozen=True)
class ListedPrice:
    """US dollars per million tokens as one source lists them."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_long: Decimal | None = None
    reasoning: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None
    image_input: Decimal | None = None
    image_output: Decimal | None = None
    tiers: tuple[Rates, ...] = ()
    valid_from: str = ""

    def filled(self, other: ListedPrice) -> ListedPrice:
        """What this source does not tell, as the other has it."""
        mine = {one.name: getattr(self, one.name) for one in fields(self)}
        values = {name: getattr(other, name) if value is None else value for name, value in mine.items()}
        known = {(tier.service, tier.above_input_tokens, tier.hours) for tier in self.tiers}
        more = [tier for tier in other.tiers if (tier.service, tier.above_input_tokens, tier.hours) not in known]
        return ListedPrice(**{**values, "tiers": (*self.tiers, *more)})


@dataclass(frozen=True)
class Source:
    """One package that was read: what it is called in facts, and the day for which its content speaks."""

    source: str
    as_of: str
    rows: tuple[Listed, ...]
    patterns: Mapping[tuple[str, str], object] = field(default_factory=dict)


class House(BaseModel):
    """Who sells access. `own`: its own models; `terms_only_for`: its terms govern that vendor's models only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    vendor: str
    own: bool = False
    route: str = "compatible"
    terms: str = ""
    terms_only_for: str = ""
    base_url: str = ""
    key_env: str = ""
    models_dev: tuple[str, ...] = ()
    genai_prices: tuple[str, ...] = ()
    litellm: tuple[str, ...] = ()


class Houses(BaseModel):
    """houses.toml: sellers by their names in each source, owners of models by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    houses: tuple[House, ...]
    owners: dict[str, str]
    begins: dict[str, str]

    def named(self, source: str) -> dict[str, str]:
        """The source's name of a seller -> the house's id."""
        return {name: house.id for house in self.houses for name in getattr(house, source)}

    def vendor_of(self, served: str, house: House) -> str:
        """Who made it: the owner in its name, else how its name begins, else an own house; "" when nobody can say."""
        owner, _, rest = PLACES.sub("", served.lower()).rpartition("/")
        dotted, _, tail = rest.partition(".")
        for name in (owner.rpartition("/")[2], dotted if tail else ""):
            if name in self.owners:
                return self.owners[name]
        bare = model_id(served)
        fits = [prefix for prefix in self.begins if bare.startswith(prefix)]
        if fits:
            return self.begins[max(fits, key=len)]
        return house.vendor if house.own else ""


def load_houses() -> Houses:
    """The shipped table."""
    text = (files("steelyard.catalogue.snapshot") / "houses.toml").read_text("utf-8")
    return Houses.model_validate(tomllib.loads(text))


def model_id(served: str) -> str:
    """The name of the model in what a seller calls it: without owner, place and version of the interface.

    >>> model_id("eu.anthropic.claude-haiku-4-5-20251001-v1:0")
    'claude-haiku-4-5-20251001'
    >>> model_id("meta-llama/Llama-3.3-70B-Instruct:free")
    'llama-3.3-70b-instruct'
    >>> model_id("anthropic.claude-v2:1"), model_id("amazon.titan-embed-text-v2:0"), model_id("meta.llama3-8b-v1:0")
    ('claude-v2.1', 'titan-embed-text-v2', 'llama3-8b')
    >>> model_id("gpt-4.1-mini")
    'gpt-4.1-mini'
    """
    name = served.lower().rsplit("/", 1)[-1].removesuffix(":free")
    name = PLACES.sub("", name)
    bare = re.sub(r"^[a-z0-9]+\.(?=[a-z])", "", name)  # bedrock: anthropic.claude-..., not gpt-4.1
    if bare != name:
        bare = DATED.sub(r"\1", bare)
        bare = re.sub(r":\d+k$", "", bare).removesuffix(":0")
        bare = re.sub(r"(-v\d+):(\d+)$", r"\1.\2", bare).removesuffix("-v1")
    return OTHER.sub("-", bare.removesuffix("@default").replace("@", "-")).strip("-")


def exact(number: Decimal | int, factor: int = 1) -> Decimal:
    """A listed number as plain decimal, without the digits that binary fractions leave behind."""
    return Decimal(format(round(Decimal(number) * factor, 8).normalize(), "f"))
