"""How large weights are in each way of writing them: counted, where nobody publishes the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steelyard.quantities import Sourced, Unknown
from steelyard.sizing.checkpoints import published_precision
from steelyard.sizing.layout import Precision, codings
from steelyard.sizing.memory import weight_lines
from steelyard.sizing.tensors import tensors_of

if TYPE_CHECKING:
    from steelyard.catalogue.model import Model

SHOWN: tuple[Precision, ...] = ("bf16", "fp8", "int4", "q8_0", "q6_k", "q5_k_m", "q4_k_m")


@dataclass(frozen=True)
class Computed:
    """Bytes of all weights in one precision, as computed; `how` from what."""

    precision: Precision
    size_bytes: int
    how: str


def gigabytes(size: int) -> str:
    """In three figures, and no power of ten."""
    return f"{size / 1e9:.3g} GB" if size < 999e9 else f"{size / 1e9:,.0f} GB"


def computed_sizes(model: Model) -> tuple[Computed, ...] | Unknown:
    """As it is published and in every usual precision, where no source gives the size.

    Unknown where the parameters are not known either.
    """
    if model.openness != "open":
        return Unknown("no weights are published")
    counted, count = tensors_of(model), model.parameters
    if isinstance(counted, Unknown) and isinstance(count, Unknown):
        return Unknown(f"its parameters are not known ({count.reason})")
    published = {one.name for one in model.weights} | {
        name.lower() for one in model.editions if isinstance(one.size_bytes, Sourced) for name in one.quantisations
    }
    found = []
    for precision in dict.fromkeys((published_precision(model.id), *SHOWN)):
        if precision in published:
            continue
        if not isinstance(counted, Unknown):
            size: float = sum(line.memory_bytes for line in weight_lines(model, counted, precision))
            found.append(Computed(precision, round(size), "tensor by tensor"))
        elif not isinstance(count, Unknown):
            size = count.value * codings()[precision].bytes
            found.append(Computed(precision, round(size), "parameters times the bytes of one"))
    return tuple(found)
