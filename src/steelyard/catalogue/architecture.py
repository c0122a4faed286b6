"""The numbers of a network that memory, cache and speed follow from, as its configuration file says them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from steelyard.quantities import Unknown

Number: TypeAlias = int | Unknown
Shape: TypeAlias = Literal["decoder", "encoder", "encoder-decoder"]
Mixer: TypeAlias = Literal["full", "sliding", "chunked", "sparse", "linear", "state-space", "cross", "none"]

NOT_READ = Unknown("not read")


@dataclass(frozen=True)
class Experts:
    """A mixture of experts: of `total` in a layer, `active` answer a token; `shared` ones answer every token.

    `size` is the inner size of one expert, `shared_size` that of the shared part as a whole (Gemma 4: of the dense part
    beside the experts). `dense_layers` layers have an ordinary feed-forward part instead: the first ones, in Llama 4
    every other one. Where some layers mix nothing ("none"), only those have experts.
    """

    total: int
    active: int
    size: Number = NOT_READ
    shared: Number = NOT_READ
    shared_size: Number = NOT_READ
    dense_layers: Number = NOT_READ


@dataclass(frozen=True)
class LatentAttention:
    """Multi-head latent attention: the cache holds `kv_rank` + `rope_size` numbers a token and layer.

    `query_rank` is 0 where queries are not compressed.
    """

    query_rank: int
    kv_rank: int
    rope_size: int
    nope_size: int
    value_size: int


@dataclass(frozen=True)
class Layers:
    """How many layers mix tokens in one way.

    full: every earlier token is kept; sliding: the last `window` ones; chunked: those of the same chunk of `window`;
    sparse: all are kept, some are read; linear and state-space: a state of fixed size; cross: another input's;
    none: the layer has no mixer (feed-forward only). `kv_heads` and `head_size` where they differ from the others',
    `value_size` where a value is not as long as a key.
    """

    mixer: Mixer
    count: int
    window: int = 0
    kv_heads: int = 0
    head_size: int = 0
    value_size: int = 0


@dataclass(frozen=True)
class Recurrent:
    """The state of a linear or state-space layer: `value_heads` x `key_size` x `value_size` numbers, and a convolution.

    Mamba-2 in these words: value heads are its heads, `value_size` their size, `key_size` the state size, key heads
    its groups (Dao and Gu 2024, section 5: state-space duality).
    """

    key_heads: int
    value_heads: int
    key_size: int
    value_size: int
    convolution: int


@dataclass(frozen=True)
class Architecture:
    """One network. `experts` and `latent` are None where the configuration has none: dense, ordinary attention.

    `mixers` counts the layers by kind and adds up to `layers`, or is Unknown. `encoder_layers` is 0 but for
    encoder-decoders, whose `layers` are those of the decoder. `head_size` is that of one attention head.
    """

    shape: Shape
    layers: int
    hidden_size: int
    heads: Number
    kv_heads: Number
    head_size: Number
    feed_forward: Number
    vocabulary: Number
    tied_embeddings: bool | Unknown
    mixers: tuple[Layers, ...] | Unknown
    experts: Experts | None = None
    latent: LatentAttention | None = None
    recurrent: Recurrent | None = None
    encoder_layers: int = 0
