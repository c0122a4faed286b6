"""The filter --fits: weights, the cache of one sequence and what the runtime takes, against a machine's memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from steelyard.catalogue import selection
from steelyard.quantities import Bytes, Sourced, Unknown
from steelyard.sizing.checkpoints import published_precision
from steelyard.sizing.memory import held_bytes

if TYPE_CHECKING:
    from steelyard.catalogue.model import Model
    from steelyard.catalogue.selection import Answer, Choice
    from steelyard.sizing.layout import Precision

WIDTHS: dict[int, Precision] = {4: "q4_k_m", 8: "q8_0", 16: "bf16"}
CONTEXT = 8192


def fits(memory: Bytes, bits: int | None) -> Callable[[Choice], Answer]:
    """Whether one sequence fits; where the network was not read, by the rough rule: weights and a fifth on top."""
    rough = selection.fits(memory, bits)

    def test(choice: Choice) -> Answer:
        model = choice.model
        known = _smallest(model) if bits is None else None
        held = held_bytes(model, WIDTHS[bits] if bits else published_precision(model.id), _context(model), known)
        if isinstance(held, Unknown):
            return rough(choice)
        return "yes" if held <= memory else "no"

    return test


def _smallest(model: Model) -> Bytes | None:
    """The smallest weights whose size is published."""
    sizes = [weights.size_bytes for weights in model.weights]
    sizes += [one.size_bytes.value for one in model.editions if isinstance(one.size_bytes, Sourced)]
    return min(sizes, default=None)


def _context(model: Model) -> int:
    return CONTEXT if isinstance(model.context_tokens, Unknown) else min(CONTEXT, model.context_tokens.value)
