"""What a call costs by a price list: rates a million tokens and their tiers, fees by the piece."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from steelyard.providers.protocol import Service, Usage
from steelyard.quantities import Unknown

RateUnit: TypeAlias = Literal[
    "image",
    "megapixel",
    "search",
    "page",
    "audio-minute",
    "video-second",
    "character",
    "request",
    "instance-hour",
    "unit-month",
]


@dataclass(frozen=True)
class Quote:
    """What another source says a price is; kept beside it, never averaged."""

    input_usd_per_million: Decimal
    output_usd_per_million: Decimal
    source: str
    as_of: str


@dataclass(frozen=True)
class Rates:
    """US dollars per million tokens of the calls for which they hold; all tokens of a call cost the same rates.

    They hold for inputs of more than `above_input_tokens`, at one service, and from the first of `hours` until the
    second (UTC, "HH:MM", over midnight too; () means always). None: not listed, so those tokens cost what other input
    or output costs. `cache_write` keeps input for minutes, `cache_write_long` for an hour or more.
    """

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
    above_input_tokens: int = 0
    service: Service = "standard"
    hours: tuple[str, str] | tuple[()] = ()

    @property
    def cached_usd_per_million(self) -> Decimal:
        """Cached tokens without a rate of their own cost full price."""
        return _either(self.cached_input_usd_per_million, self.input_usd_per_million)

    def at_hour(self, at: datetime) -> bool:
        """Whether they hold at that time of day."""
        if not self.hours:
            return True
        now, (start, end) = at.astimezone(UTC).strftime("%H:%M"), self.hours
        return start <= now < end if start < end else now >= start or now < end

    def parts(self, usage: Usage) -> tuple[tuple[str, int, Decimal], ...]:
        """(kind of token, how many, rate) of a call; together they are all of its tokens."""
        write = _either(self.cache_write_usd_per_million, self.input_usd_per_million)
        special_in = usage.cached_tokens + usage.cache_write_tokens + usage.cache_write_long_tokens
        special_in += usage.audio_input_tokens + usage.image_input_tokens
        special_out = usage.reasoning_tokens + usage.audio_output_tokens + usage.image_output_tokens
        read, said = self.input_usd_per_million, self.output_usd_per_million
        return (
            ("input tokens", usage.input_tokens - special_in, read),
            ("cached input tokens", usage.cached_tokens, self.cached_usd_per_million),
            ("cache writes", usage.cache_write_tokens, write),
            ("long cache writes", usage.cache_write_long_tokens, _either(self.cache_write_long_usd_per_million, write)),
            ("audio input tokens", usage.audio_input_tokens, _either(self.audio_input_usd_per_million, read)),
            ("image input tokens", usage.image_input_tokens, _either(self.image_input_usd_per_million, read)),
            ("output tokens", usage.output_tokens - special_out, said),
            ("reasoning tokens", usage.reasoning_tokens, _either(self.reasoning_usd_per_million, said)),
            ("audio output tokens", usage.audio_output_tokens, _either(self.audio_output_usd_per_million, said)),
            ("image output tokens", usage.image_output_tokens, _either(self.image_output_usd_per_million, said)),
        )


def _either(rate: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if rate is None else rate


@dataclass(frozen=True, kw_only=True)
class Price(Rates):
    """The rates of a short call at the standard service, from `valid_from` (ISO date) until `valid_to` ("" = still).

    `others` are further sources' figures for the same row, equal or not. `tiers` are the rates of long inputs, of
    other services (batch, flex, priority) and of hours of the day.
    """

    valid_from: str
    valid_to: str
    source: str
    as_of: str
    others: tuple[Quote, ...] = ()
    tiers: tuple[Rates, ...] = ()

    @property
    def long_context(self) -> tuple[Rates, ...]:
        """The rates of long inputs at the standard service."""
        return tuple(tier for tier in self.tiers if tier.above_input_tokens and tier.service == "standard")

    def rates(self, usage: Usage, at: datetime) -> Rates | Unknown:
        """The rates of one call; Unknown where its service is not listed, or not for so long an input."""
        long_enough = (tier for tier in self.tiers if tier.above_input_tokens < usage.input_tokens)
        fits: list[Rates] = [self, *(tier for tier in long_enough if tier.at_hour(at))]
        mine = [tier for tier in fits if tier.service == usage.service]
        if not mine:
            return Unknown(f"no price is listed for the {usage.service} service")
        best = max(mine, key=lambda tier: (tier.above_input_tokens, bool(tier.hours)))
        if best.above_input_tokens < max(tier.above_input_tokens for tier in fits if tier.service == "standard"):
            return Unknown(f"no price of the {usage.service} service is listed for so long an input")
        return best

    @property
    def agreeing(self) -> int:
        """How many of the other sources say the same."""
        own = (self.input_usd_per_million, self.output_usd_per_million)
        return sum(own == (quote.input_usd_per_million, quote.output_usd_per_million) for quote in self.others)


@dataclass(frozen=True)
class Rate:
    """US dollars for something that is not counted in tokens; a call is billed at least `minimum` of it."""

    unit: RateUnit
    usd: Decimal
    valid_from: str
    source: str
    as_of: str
    minimum: Decimal = Decimal(0)
