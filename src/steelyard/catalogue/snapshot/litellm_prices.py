"""The price file inside the litellm wheel. The wheel is read as an archive: nothing in it is run or installed."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from steelyard.catalogue.model import Kind
from steelyard.catalogue.price import Rates, RateUnit
from steelyard.catalogue.snapshot.listed import Houses, Listed, ListedPrice, Source, exact
from steelyard.errors import NotAvailable, Problem
from steelyard.providers.protocol import Service

PACKAGE = "litellm"
FILE = "litellm/model_prices_and_context_window_backup.json"
TAINTED = ("1.82.7", "1.82.8", "1.107.0")
"""Releases that were tampered with: nothing from them is taken."""

KINDS: dict[str, tuple[Kind, ...]] = {
    "chat": ("text",),
    "completion": ("text",),
    "responses": ("text",),
    "embedding": ("embedding",),
    "rerank": ("reranker",),
    "image_generation": ("image",),
    "audio_transcription": ("audio",),
    "audio_speech": ("audio",),
    "moderation": ("guard",),
}
TIER = re.compile(r"input_cost_per_token(?:_above_(\d+)k_tokens)?(?:_(priority|flex|batches))?")
SERVICES: dict[str, Service] = {"": "standard", "batches": "batch", "flex": "flex", "priority": "priority"}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MILLION = 1_000_000


def read(wheel: Path, houses: Houses, read_on: str) -> Source:
    """The file has no date of its own: it speaks for the day on which it was read."""
    version = wheel.name.split("-")[1]
    if version in TAINTED:
        raise NotAvailable(
            Problem(
                slug="tainted-package",
                what=f"{PACKAGE} {version} was tampered with by a third party",
                where=str(wheel),
                next_step="take another release",
            )
        )
    with zipfile.ZipFile(wheel) as archive:
        content = json.loads(archive.read(FILE), parse_float=Decimal)
    named = houses.named("litellm")
    rows = [
        row
        for key, entry in content.items()
        if isinstance(entry, dict) and (row := _row(key, entry, named)) is not None
    ]
    return Source(f"{PACKAGE} {version} (PyPI), its price file", read_on, tuple(rows))


def _row(key: str, entry: dict[str, object], named: dict[str, str]) -> Listed | None:
    """None for what is no model at a seller: rows by region, size, commitment or of a tool."""
    seller, kinds = str(entry.get("litellm_provider") or ""), KINDS.get(str(entry.get("mode")))
    if not seller or kinds is None or key.startswith("ft:"):
        return None
    seller = "vertex_ai" if seller.startswith("vertex_ai") else seller
    house = named.get(seller, seller)
    first, _, rest = key.partition("/")
    served = rest if rest and first in (seller, seller.replace("_", "-"), house, seller.split("_")[0]) else key
    if house in ("openai", "azure", "bedrock") and "/" in served:
        return None
    if kinds == ("text",):
        seen, heard = bool(entry.get("supports_vision")), bool(entry.get("supports_audio_input"))
        kinds = ("text", *_if(seen, "vision"), *_if(heard, "audio"))
    deprecated = str(entry.get("deprecation_date") or "")
    successor = str(entry.get("successor_model") or "")
    return Listed(
        house=house,
        served=served,
        kinds=kinds,
        modalities=_modalities(kinds, entry),
        context_tokens=_count(entry.get("max_input_tokens")),
        output_tokens=_count(entry.get("max_output_tokens")),
        deprecated=deprecated if DAY.fullmatch(deprecated) else "",
        successor=successor.removeprefix(f"{seller}/"),
        prices=tuple(_prices(entry)),
        rates=tuple(_rates(entry, str(entry.get("mode")))),
    )


def _prices(entry: dict[str, object]) -> Iterator[ListedPrice]:
    given, answered = _usd(entry, "input_cost_per_token"), _usd(entry, "output_cost_per_token")
    if given is None or not (given or answered):
        return  # zero is a plan or a trial, not a price
    tiers = (_tier(entry, found) for found in filter(None, map(TIER.fullmatch, entry)) if found[1] or found[2])
    known = [tier for tier in tiers if tier is not None]
    yield ListedPrice(
        given,
        answered or Decimal(0),
        _usd(entry, "cache_read_input_token_cost"),
        _usd(entry, "cache_creation_input_token_cost"),
        cache_write_long=_usd(entry, "cache_creation_input_token_cost_above_1hr"),
        reasoning=_usd(entry, "output_cost_per_reasoning_token") or None,
        audio_input=_usd(entry, "input_cost_per_audio_token"),
        audio_output=_usd(entry, "output_cost_per_audio_token"),
        image_input=_usd(entry, "input_cost_per_image_token"),
        image_output=_usd(entry, "output_cost_per_image_token"),
        tiers=tuple(sorted(known, key=lambda tier: (tier.service, tier.above_input_tokens))),
    )


def _tier(entry: dict[str, object], found: re.Match[str]) -> Rates | None:
    """The rates of one ending, such as `_above_200k_tokens_batches`; a list of embeddings has no output."""
    above, service = found[1] or "", found[2] or ""
    length, ending = f"_above_{above}k_tokens" if above else "", f"_{service}" if service else ""
    given = _usd(entry, f"input_cost_per_token{length}{ending}")
    answered = _usd(entry, f"output_cost_per_token{length}{ending}")
    if answered is None and not entry.get("output_cost_per_token"):
        answered = Decimal(0)
    if given is None or answered is None:
        return None
    return Rates(
        given,
        answered,
        _usd(entry, f"cache_read_input_token_cost{length}{ending}"),
        _usd(entry, f"cache_creation_input_token_cost{length}{ending}"),
        _usd(entry, f"cache_creation_input_token_cost_above_1hr{length}{ending}"),
        audio_input_usd_per_million=_usd(entry, f"input_cost_per_audio_token{length}{ending}"),
        image_output_usd_per_million=_usd(entry, f"output_cost_per_image_token{length}{ending}"),
        above_input_tokens=1000 * int(above or 0),
        service=SERVICES[service],
    )


def _rates(entry: dict[str, object], mode: str) -> Iterator[tuple[RateUnit, Decimal]]:
    names: tuple[tuple[str, RateUnit, str, int], ...] = (
        ("output_cost_per_image", "image", "image_generation", 1),
        ("input_cost_per_image", "image", "image_generation", 1),
        ("input_cost_per_query", "search", "rerank", 1),
        ("input_cost_per_second", "audio-minute", "audio_transcription", 60),
        ("input_cost_per_character", "character", "audio_speech", 1),
    )
    for name, unit, wanted, factor in names:
        value = entry.get(name)
        if mode == wanted and isinstance(value, int | Decimal) and value:
            yield unit, exact(value, factor)


def _if(there: bool, kind: Kind) -> tuple[Kind, ...]:
    return (kind,) if there else ()


def _modalities(kinds: tuple[Kind, ...], entry: dict[str, object]) -> tuple[str, ...]:
    said = [*_names(entry.get("supported_modalities")), *_names(entry.get("supported_output_modalities"))]
    if not said:
        said = ["text", *(kind for kind in kinds if kind in ("image", "audio"))]
        said += ["image"] if "vision" in kinds else []
    return tuple(dict.fromkeys(said))


def _names(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | Decimal) and value else None


def _usd(entry: dict[str, object], name: str) -> Decimal | None:
    value = entry.get(name)
    return exact(value, MILLION) if isinstance(value, int | Decimal) else None
