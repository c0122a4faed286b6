"""The parameters of a network by group, counted from its numbers and held against the published total.

What a configuration file leaves unsaid (gated feed-forward or not, tied embeddings, shared experts) is read in the way
that agrees with the published total, and `Tensors.inferred` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, TypeAlias

from steelyard.catalogue.architecture import NOT_READ, Architecture, Layers, Number, Recurrent
from steelyard.catalogue.model import Model
from steelyard.quantities import Fact, Sourced, Unknown

Group: TypeAlias = Literal[
    "embedding", "head", "attention", "dense", "experts", "shared", "router", "norms", "other"
]  # in the order of a table
GROUPS: tuple[Group, ...] = (
    "embedding",
    "head",
    "attention",
    "dense",
    "experts",
    "shared",
    "router",
    "norms",
    "other",
)
CLOSE = 0.005
"""How near the published total a reading must come to be taken before less plain ones are tried."""
WRONG = 0.10
"""A count that overshoots the published total by more has misread the network."""
TOWER = 0.20
"""As much of a published total may be a tower that sees or hears."""
GATED, PLAIN = 3, 2
POSITIONS = 512


@dataclass(frozen=True)
class Tensors:
    """Parameters by group. `attention` is all that mixes tokens, linear and state-space layers too.

    `head` is 0 where it is the embedding (`tied`). `other` is what the published total has beyond the count: a vision
    tower, a draft layer. `expert_share` is the part of the routed experts that answers one token. `error` compares the
    count without `other` with what was published.
    """

    embedding: int
    head: int
    attention: int
    dense: int
    experts: int
    shared: int
    router: int
    norms: int
    other: int
    tied: bool
    expert_share: float
    error: float | Unknown
    inferred: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(self.of(group) for group in GROUPS)

    @property
    def active(self) -> int:
        """Those that answer one token, embeddings included, as makers count it."""
        return round(self.total - self.other - self.experts * (1 - self.expert_share))

    @property
    def multiplied(self) -> int:
        """Those in a matrix that one decoded token is multiplied with: the embedding only where it is the head."""
        return self.active - self.norms - (0 if self.tied else self.embedding)

    @property
    def output(self) -> int:
        """Those of the output head, wherever they are kept."""
        return self.embedding if self.tied else self.head

    def of(self, group: Group) -> int:
        """The parameters of one group."""
        count: int = getattr(self, group)
        return count


@dataclass(frozen=True)
class _Reading:
    """One way to read what a configuration leaves open."""

    matrices: int
    tied: bool
    shared_size: int
    dense_layers: int
    output_gate: bool
    low_rank_gate: bool

    def told(self, network: Architecture) -> Iterator[str]:
        if self.matrices == (GATED if network.shape == "encoder" else PLAIN):
            yield f"feed-forward parts of {self.matrices} matrices"
        if isinstance(network.tied_embeddings, Unknown):
            yield "one matrix for embedding and output head" if self.tied else "an output head of its own"
        if network.experts and isinstance(network.experts.shared_size, Unknown) and self.shared_size:
            yield f"shared experts of size {self.shared_size}"
        if network.experts and isinstance(network.experts.dense_layers, Unknown) and self.dense_layers:
            yield f"{self.dense_layers} layers without experts"
        if self.output_gate:
            yield "gated attention"


def tensors_of(model: Model) -> Tensors | Unknown:
    """Those of a model of the catalogue."""
    if isinstance(model.architecture, Unknown):
        return Unknown(f"the architecture of {model.id} is not known ({model.architecture.reason})")
    return tensors(model.architecture.value, model.parameters, set(model.modalities) != {"text"})


def tensors(network: Architecture, parameters: Fact[int] = NOT_READ, tower: bool = False) -> Tensors | Unknown:
    """Every group counted; of the readings the plainest that agrees with `parameters`, else the nearest.

    With a `tower` (it sees or hears) the published total has more than the numbers describe: no reading is chosen to
    make up for it, the plainest that stays below is taken.
    """
    readings = list(_readings(network))
    first = _count(network, readings[0])
    if isinstance(first, Unknown):
        return first
    if isinstance(parameters, Unknown):
        return replace(first, error=Unknown(f"the published total is not known ({parameters.reason})"))
    published = parameters.value
    best, reading, distance = first, readings[0], float("inf")
    for one in readings:
        counted = _count(network, one)
        if isinstance(counted, Unknown):
            continue
        off = counted.total / published - 1
        enough = abs(off) <= CLOSE or (tower and -TOWER < off < 0)
        if enough or abs(off) < distance:
            best, reading, distance = counted, one, abs(off)
        if enough:
            break
    error = best.total / published - 1
    if error > WRONG:
        return Unknown(
            f"the numbers that were read give {best.total / 1e9:.3g} billion parameters, published are "
            f"{published / 1e9:.3g} billion: the network is built in another way than they say"
        )
    return replace(best, other=max(published - best.total, 0), error=error, inferred=tuple(reading.told(network)))


def active_ratio(model: Model, counted: Tensors) -> float:
    """The count of parameters that answer a token over the published one; 1 where none is published."""
    published = model.parameters_active
    return counted.active / published.value if counted.experts and isinstance(published, Sourced) else 1.0


def _readings(network: Architecture) -> Iterator[_Reading]:
    """From the plainest to the least plain; what is stated is not varied."""
    experts, gated = network.experts, GATED if network.shape == "decoder" else PLAIN
    tied = network.tied_embeddings
    ties: tuple[bool, ...] = (
        (tied,) if isinstance(tied, bool) else (network.shape == "encoder", network.shape != "encoder")
    )
    shared: tuple[int, ...] = (0,)
    denses: tuple[int, ...] = (0,)
    if experts is not None:
        size = experts.size if isinstance(experts.size, int) else 0
        shared = _stated(experts.shared_size, 0, size)
        if isinstance(experts.dense_layers, int):
            denses = (experts.dense_layers,)
        elif isinstance(network.feed_forward, int):
            denses = (0, 1, 3, network.layers // 2)
    linear = not isinstance(network.mixers, Unknown) and any(part.mixer == "linear" for part in network.mixers)
    gates = (True, False) if linear and network.latent is None else (False,)
    lows = (True, False) if linear and network.latent is not None else (False,)
    for low, gate, dense, size, tie, matrices in product(lows, gates, denses, shared, ties, (gated, 5 - gated)):
        yield _Reading(matrices, tie, size, dense, gate, low)


def _stated(number: Number, *otherwise: int) -> tuple[int, ...]:
    return (number,) if isinstance(number, int) else otherwise


def _count(network: Architecture, reading: _Reading) -> Tensors | Unknown:
    if isinstance(network.vocabulary, Unknown):
        return Unknown(f"the size of the vocabulary is not known ({network.vocabulary.reason})")
    attention = _mixers(network, reading)
    feed_forward = _feed_forward(network, reading)
    if isinstance(attention, Unknown):
        return attention
    if isinstance(feed_forward, Unknown):
        return feed_forward
    width = network.hidden_size
    embedding = network.vocabulary * width
    norms = (2 * (network.layers + network.encoder_layers) + 1) * width
    if network.shape == "encoder":  # positions, two token types, a pooler, and a bias beside every matrix
        embedding += (POSITIONS + 2) * width
        inner = network.feed_forward if isinstance(network.feed_forward, int) else 0
        norms = network.layers * (9 * width + inner) + 2 * width + width * (width + 1)
    return Tensors(
        embedding=embedding,
        head=0 if reading.tied else embedding,
        attention=attention,
        norms=norms,
        other=0,
        tied=reading.tied,
        error=NOT_READ,
        inferred=(),
        dense=feed_forward.dense,
        experts=feed_forward.experts,
        shared=feed_forward.shared,
        router=feed_forward.router,
        expert_share=feed_forward.expert_share,
    )


def _mixers(network: Architecture, reading: _Reading) -> int | Unknown:
    """All mixers; where the kinds of layers were not read, every layer is counted as attention."""
    parts = network.mixers
    if isinstance(parts, Unknown):
        parts = (Layers("full", network.layers),)
    total = 0
    for part in parts:
        one = _mixer(network, part, reading)
        if isinstance(one, Unknown):
            return one
        total += part.count * one
    if network.encoder_layers:
        own, crossing = _attention(network, Layers("full", 1), reading), network.layers
        if isinstance(own, Unknown):
            return own
        stated = any(part.mixer == "cross" for part in parts)
        total += own * (network.encoder_layers + (0 if stated else crossing))
    return total


def _mixer(network: Architecture, part: Layers, reading: _Reading) -> int | Unknown:
    if part.mixer == "none":
        return 0
    if part.mixer not in ("linear", "state-space"):
        return _attention(network, part, reading)
    if network.recurrent is None:
        return Unknown(f"the numbers of its {part.mixer} layers are not known")
    return _recurrent(network.hidden_size, network.recurrent, part.mixer == "linear", reading.low_rank_gate)


def _attention(network: Architecture, part: Layers, reading: _Reading) -> int | Unknown:
    width, latent = network.hidden_size, network.latent
    if isinstance(network.heads, Unknown):
        return Unknown(f"the number of attention heads is not known ({network.heads.reason})")
    if latent is not None:
        query = latent.nope_size + latent.rope_size
        queries = latent.query_rank * (width + network.heads * query) or width * network.heads * query
        keys = width * (latent.kv_rank + latent.rope_size)
        return (
            queries
            + keys
            + latent.kv_rank * network.heads * (latent.nope_size + latent.value_size)
            + network.heads * latent.value_size * width
        )
    kv_heads, size = part.kv_heads or network.kv_heads, part.head_size or network.head_size
    if isinstance(kv_heads, Unknown) or isinstance(size, Unknown):
        return Unknown("the number of key heads or their size is not known")
    value = part.value_size or size
    queries = network.heads * (2 * size + value if reading.output_gate else size + value)
    return width * (queries + kv_heads * (size + value))


def _recurrent(width: int, state: Recurrent, linear: bool, low_rank_gate: bool) -> int:
    """Linear: query, key, value, gate, two numbers a head. State-space (Mamba-2): value, gate, two groups, a step."""
    keys, values = state.key_heads * state.key_size, state.value_heads * state.value_size
    gate = state.value_size * (width + values) if low_rank_gate else width * values
    inward = width * (2 * keys + values + (2 if linear else 1) * state.value_heads) + gate
    return inward + (2 * keys + values) * state.convolution + values * width


@dataclass(frozen=True)
class _FeedForward:
    dense: int
    experts: int = 0
    shared: int = 0
    router: int = 0
    expert_share: float = 1.0


def _feed_forward(network: Architecture, reading: _Reading) -> _FeedForward | Unknown:
    width, experts = network.hidden_size, network.experts
    layers = network.layers + network.encoder_layers
    if not isinstance(network.mixers, Unknown):
        kinds = {part.mixer: part.count for part in network.mixers}
        if "none" in kinds and "state-space" in kinds:  # a layer is one or the other, never both
            layers = kinds["none"]
    if experts and isinstance(experts.size, Unknown):
        return Unknown(f"the size of an expert is not known ({experts.size.reason})")
    of_experts = max(layers - reading.dense_layers, 0) if experts else 0
    inner = network.feed_forward if layers > of_experts else 0
    if isinstance(inner, Unknown):
        return Unknown(f"the size of the feed-forward part is not known ({inner.reason})")
    dense = (layers - of_experts) * reading.matrices * width * inner
    if experts is None or isinstance(experts.size, Unknown):
        return _FeedForward(dense)
    return _FeedForward(
        dense,
        experts=of_experts * experts.total * reading.matrices * width * experts.size,
        shared=of_experts * reading.matrices * width * reading.shared_size,
        router=of_experts * experts.total * width,
        expert_share=experts.active / experts.total,
    )
