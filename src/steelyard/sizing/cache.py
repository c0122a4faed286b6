"""What a sequence keeps in memory while it is answered, and the arithmetic of a token."""

from __future__ import annotations

from math import ceil
from typing import Literal, TypeAlias

from steelyard.catalogue.architecture import Architecture, Layers
from steelyard.quantities import Unknown
from steelyard.sizing.layout import Precision, codings
from steelyard.sizing.tensors import Tensors

Phase: TypeAlias = Literal["prefill", "decode"]
STATE_BYTES = 4
"""The state of a linear or state-space layer is kept in 32 bits."""
CONVOLUTION_BYTES = 2


def parts_of(network: Architecture) -> tuple[Layers, ...]:
    """Its layers by kind; where these were not read, all as attention that keeps every token: the most it can be."""
    return (Layers("full", network.layers),) if isinstance(network.mixers, Unknown) else network.mixers


def cache_bytes(
    network: Architecture, context_tokens: int, precision: Precision = "bf16", tp: int = 1
) -> float | Unknown:
    """Bytes one sequence of so many tokens keeps on the fullest of `tp` accelerators (1: all of it).

    Keys and values are split by head, never below one head: more accelerators than heads hold copies. A latent cache
    is not split at all.
    """
    if network.shape == "encoder":
        return 0.0
    total = 0.0
    for part in parts_of(network):
        one = _layer_bytes(network, part, context_tokens, precision, tp)
        if isinstance(one, Unknown):
            return one
        total += part.count * one
    return total


def kept_tokens(part: Layers, context_tokens: int) -> int:
    """How many tokens a layer of this kind keeps, of so many."""
    if part.mixer in ("sliding", "chunked") and part.window:
        return min(context_tokens, part.window)
    return 0 if part.mixer in ("none", "linear", "state-space") else context_tokens


def flops(phase: Phase, network: Architecture, counted: Tensors, context_tokens: int) -> float | Unknown:
    """Operations for one decoded token after a context of so many, or for reading a prompt of so many in."""
    if phase == "decode":
        mixing = _mixing_flops(network, context_tokens, absorbed=True, whole=False)
        return mixing if isinstance(mixing, Unknown) else 2.0 * counted.multiplied + mixing
    mixing = _mixing_flops(network, context_tokens, absorbed=False, whole=True)
    if isinstance(mixing, Unknown):
        return mixing
    return 2.0 * (counted.multiplied - counted.output) * context_tokens + 2.0 * counted.output + mixing


def _layer_bytes(
    network: Architecture, part: Layers, context_tokens: int, precision: Precision, tp: int
) -> float | Unknown:
    if part.mixer == "none":
        return 0.0
    if part.mixer in ("linear", "state-space"):
        state = network.recurrent
        if state is None:
            return Unknown(f"the numbers of its {part.mixer} layers are not known")
        heads = ceil(state.value_heads / tp)
        width = 2 * ceil(state.key_heads / tp) * state.key_size + heads * state.value_size
        kept = heads * state.key_size * state.value_size * STATE_BYTES
        return float(kept + width * max(state.convolution - 1, 0) * CONVOLUTION_BYTES)
    tokens, width_bytes = kept_tokens(part, context_tokens), codings()[precision].bytes
    if network.latent is not None:
        return tokens * (network.latent.kv_rank + network.latent.rope_size) * width_bytes
    kv_heads, size = part.kv_heads or network.kv_heads, part.head_size or network.head_size
    if isinstance(kv_heads, Unknown) or isinstance(size, Unknown):
        return Unknown("the number of key heads or their size is not known")
    return ceil(kv_heads / tp) * (size + (part.value_size or size)) * tokens * width_bytes


def _mixing_flops(network: Architecture, context_tokens: int, *, absorbed: bool, whole: bool) -> float | Unknown:
    """Queries against keys, and their weights against values. `whole`: summed over a prompt, each token sees half."""
    if isinstance(network.heads, Unknown):
        return Unknown(f"the number of attention heads is not known ({network.heads.reason})")
    total = 0.0
    for part in parts_of(network):
        if part.mixer == "none":
            continue
        if part.mixer in ("linear", "state-space"):
            state = network.recurrent
            if state is None:
                return Unknown(f"the numbers of its {part.mixer} layers are not known")
            once = 4.0 * state.value_heads * state.key_size * state.value_size
            total += part.count * once * (context_tokens if whole else 1)
            continue
        width = _key_and_value(network, part, absorbed)
        if isinstance(width, Unknown):
            return width
        kept = kept_tokens(part, context_tokens)
        seen = kept * (context_tokens - kept / 2) if whole else kept
        total += part.count * 2.0 * network.heads * width * seen
    return total


def _key_and_value(network: Architecture, part: Layers, absorbed: bool) -> int | Unknown:
    """Numbers of a key and a value of one head. Decoding latent attention works on the compressed ones."""
    latent = network.latent
    if latent is not None:
        key = (latent.kv_rank if absorbed else latent.nope_size) + latent.rope_size
        return key + (latent.kv_rank if absorbed else latent.value_size)
    size = part.head_size or network.head_size
    if isinstance(size, Unknown):
        return Unknown("the size of an attention head is not known")
    return size + (part.value_size or size)
