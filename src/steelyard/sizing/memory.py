"""Does it fit: weights, cache, activations and what the runtime takes, on the fullest accelerator of a layout."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import ceil
from typing import Any

from steelyard.catalogue.architecture import Architecture
from steelyard.catalogue.model import Model
from steelyard.quantities import Bytes, Unknown
from steelyard.sizing.cache import cache_bytes
from steelyard.sizing.checkpoints import bytes_by_group
from steelyard.sizing.hardware import Accelerator, Kind
from steelyard.sizing.layout import Parallel, Precision
from steelyard.sizing.tensors import GROUPS, Group, Tensors, tensors_of

MOST_TOKENS = 2**24
MOST_COPIES = (1, 2, 4, 8, 16, 32)
ONE = Parallel()


@dataclass(frozen=True)
class Line:
    """One thing that takes memory of the fullest accelerator."""

    name: str
    memory_bytes: Bytes


@dataclass(frozen=True)
class Memory:
    """What one copy of a model takes of its fullest accelerator, and how much more of the load would go in.

    `max_batch`: sequences of `context` tokens that fit, over the whole copy. `max_context`: tokens a sequence may
    have at `batch`, never more than the model reads. `notes` say what was assumed.
    """

    lines: tuple[Line, ...]
    capacity: Bytes
    parallel: Parallel
    precision: Precision
    kv_precision: Precision
    context: int
    batch: int
    max_batch: int
    max_context: int
    notes: tuple[str, ...]

    @property
    def total(self) -> Bytes:
        return Bytes(sum(line.memory_bytes for line in self.lines))

    @property
    def headroom(self) -> int:
        """What is left; negative where it does not fit."""
        return self.capacity - self.total

    @property
    def fits(self) -> bool:
        return self.headroom >= 0


@dataclass(frozen=True)
class Reserve:
    """What runs beside weights and cache on one kind of accelerator: fixed bytes, and a share of the memory."""

    memory_bytes: int
    share: float
    chunk_tokens: int


@dataclass(frozen=True)
class _Load:
    """What follows from model, layout and precisions, before context and batch are chosen."""

    network: Architecture
    weights: tuple[Line, ...]
    fixed: int
    activations: int
    logits: float
    parallel: Parallel
    kv_precision: Precision

    def cache(self, context: int) -> float | Unknown:
        """Bytes of one sequence on the fullest accelerator of those that hold it."""
        one = cache_bytes(self.network, context, self.kv_precision, self.parallel.tp)
        return one if isinstance(one, Unknown) else one / self.parallel.pp

    def sequences(self, batch: int) -> int:
        """How many of a batch one accelerator holds."""
        return ceil(batch / self.parallel.attention_dp)

    def needs(self, context: int, batch: int) -> float | Unknown:
        one = self.cache(context)
        if isinstance(one, Unknown):
            return one
        held = sum(line.memory_bytes for line in self.weights) + self.fixed + self.activations
        return held + self.sequences(batch) * (one + self.logits)


def memory(
    model: Model,
    accelerator: Accelerator,
    parallel: Parallel = ONE,
    precision: Precision = "bf16",
    kv_precision: Precision = "bf16",
    context: int = 8192,
    batch: int = 1,
) -> Memory | Unknown:
    """What the model takes on this accelerator in this layout; Unknown with the reason where a number is missing."""
    if isinstance(model.architecture, Unknown):
        return Unknown(f"the architecture of {model.id} is not known ({model.architecture.reason})")
    if isinstance(accelerator.memory, Unknown):
        return Unknown(f"the memory of {accelerator.name} is not known ({accelerator.memory.reason})")
    counted = tensors_of(model)
    if isinstance(counted, Unknown):
        return counted
    network, capacity = model.architecture.value, accelerator.memory.value
    load = _load(model, network, counted, accelerator.kind, capacity, parallel, precision, kv_precision)
    one = load.cache(context)
    if isinstance(one, Unknown):
        return one
    sequences = load.sequences(batch)
    lines = (
        *load.weights,
        Line("cache", Bytes(ceil(sequences * one))),
        Line("activations", Bytes(ceil(load.activations + sequences * load.logits))),
        Line("runtime", Bytes(load.fixed)),
    )
    return Memory(
        lines=lines,
        capacity=capacity,
        parallel=parallel,
        precision=precision,
        kv_precision=kv_precision,
        context=context,
        batch=batch,
        max_batch=_max_batch(load, capacity, context),
        max_context=_max_context(load, capacity, batch, _reads(model)),
        notes=tuple(_notes(network, counted)),
    )


def smallest_fit(
    model: Model,
    accelerator: Accelerator,
    precision: Precision = "bf16",
    kv_precision: Precision = "bf16",
    context: int = 8192,
    batch: int = 1,
) -> Memory | Unknown:
    """The layout with the fewest accelerators that holds it; Unknown with the reason where none of those tried does."""
    last: Memory | Unknown = Unknown("no layout was tried")
    for parallel in layouts(model, accelerator):
        last = memory(model, accelerator, parallel, precision, kv_precision, context, batch)
        if isinstance(last, Unknown) or last.fits:
            return last
    assert isinstance(last, Memory)
    more = "" if accelerator.per_node > 1 else " (it is not joined with others)"
    return Unknown(
        f"{last.total / 1e9:.1f} GB on each of {last.parallel.gpus} do not go into {last.capacity / 1e9:.1f} GB{more}"
    )


def layouts(model: Model, accelerator: Accelerator) -> Iterator[Parallel]:
    """From one accelerator to four nodes: split by matrix inside a node, by layers across nodes, heads evenly."""
    heads = 1 if isinstance(model.architecture, Unknown) else model.architecture.value.heads
    for count in MOST_COPIES:
        if count > 1 and accelerator.per_node == 1:
            return
        tp = min(count, accelerator.per_node)
        while tp > 1 and isinstance(heads, int) and heads % tp:
            tp //= 2
        if count % tp == 0:
            yield Parallel(tp=tp, pp=count // tp)


def weight_lines(model: Model, counted: Tensors, precision: Precision, parallel: Parallel = ONE) -> tuple[Line, ...]:
    """Bytes of each group of tensors on one accelerator. Norms and the router are copied, not split."""
    tower = set(model.modalities) != {"text"}
    widths = bytes_by_group(model.id, precision, tower)
    lines = []
    for group in GROUPS:
        if counted.of(group):
            share = counted.of(group) * widths[group] / _ways(group, parallel)
            lines.append(Line(f"weights: {group}", Bytes(ceil(share))))
    return tuple(lines)


def reserve(kind: Kind, accelerators: int = 1) -> Reserve:
    """What runs beside weights and cache, with what the links between so many accelerators take."""
    base = _reserves()[kind]
    links = [row for row in _links() if row[0] <= accelerators]
    return Reserve(base.memory_bytes + (links[-1][1] if links else 0), base.share, base.chunk_tokens)


def _ways(group: Group, parallel: Parallel) -> float:
    if group in ("norms", "router"):
        return parallel.pp
    if group == "experts":
        return parallel.pp * parallel.expert_ways
    if group in (
        "embedding",
        "head",
    ):  # the first and the last stage hold them: no stage has less than its share of one
        return parallel.tp
    return parallel.pp * parallel.tp


def _load(
    model: Model,
    network: Architecture,
    counted: Tensors,
    kind: Kind,
    capacity: int,
    parallel: Parallel,
    precision: Precision,
    kv_precision: Precision,
) -> _Load:
    beside = reserve(kind, parallel.gpus)
    inner = network.feed_forward if isinstance(network.feed_forward, int) else 4 * network.hidden_size
    width = 4 * network.hidden_size + 2 * ceil(inner / parallel.tp)
    vocabulary = network.vocabulary if isinstance(network.vocabulary, int) else 0
    return _Load(
        network=network,
        weights=weight_lines(model, counted, precision, parallel),
        fixed=ceil(beside.memory_bytes + beside.share * capacity),
        activations=beside.chunk_tokens * width * 2,
        logits=4 * vocabulary / parallel.tp,
        parallel=parallel,
        kv_precision=kv_precision,
    )


def _max_batch(load: _Load, capacity: int, context: int) -> int:
    empty, one = load.needs(context, 0), load.cache(context)
    if isinstance(empty, Unknown) or isinstance(one, Unknown) or empty >= capacity:
        return 0
    return int((capacity - empty) // (one + load.logits)) * load.parallel.attention_dp


def _max_context(load: _Load, capacity: int, batch: int, most: int) -> int:
    """By halving: what is kept grows with the context, never falls."""

    def fits(context: int) -> bool:
        needs = load.needs(context, batch)
        return not isinstance(needs, Unknown) and needs <= capacity

    if not fits(1):
        return 0
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _reads(model: Model) -> int:
    return MOST_TOKENS if isinstance(model.context_tokens, Unknown) else model.context_tokens.value


def _notes(network: Architecture, counted: Tensors) -> Iterator[str]:
    if isinstance(network.mixers, Unknown) and network.shape != "encoder":
        yield "the kinds of its layers were not read: the cache is the most it can be, every layer keeping every token"
    if counted.inferred:
        yield f"read so that it agrees with the published total: {', '.join(counted.inferred)}"
    if isinstance(counted.error, Unknown):
        yield f"not checked: {counted.error.reason}"
    elif counted.other > 0.01 * counted.total:
        share = counted.other / counted.total
        beyond = f"{share:.0%} of the published parameters are beyond the network"
        yield f"{beyond} (a vision tower, a draft layer): counted too"
    elif counted.error > 0.01:
        yield f"the count is {counted.error:.1%} above the published total"


def held_bytes(model: Model, precision: Precision, context: int, weights: Bytes | None = None) -> Bytes | Unknown:
    """Memory for one sequence on one machine: `weights` of that size, or as counted, its cache, llama.cpp's own."""
    if isinstance(model.architecture, Unknown):
        return Unknown(f"the architecture of {model.id} is not known ({model.architecture.reason})")
    counted = tensors_of(model)
    if isinstance(counted, Unknown):
        return counted
    load = _load(model, model.architecture.value, counted, "edge", 0, ONE, precision, "bf16")
    needs = load.needs(context, 1)
    if isinstance(needs, Unknown) or weights is None:
        return needs if isinstance(needs, Unknown) else Bytes(ceil(needs))
    return Bytes(ceil(needs) - sum(line.memory_bytes for line in load.weights) + weights)


@cache
def _reserves() -> Mapping[Kind, Reserve]:
    return {row["kind"]: Reserve(row["bytes"], row["share"], row["chunk_tokens"]) for row in _raw()["reserve"]}


@cache
def _links() -> tuple[tuple[int, int], ...]:
    return tuple((row["accelerators"], row["bytes"]) for row in _raw()["links"])


def _raw() -> dict[str, Any]:
    return tomllib.loads(files("steelyard.sizing").joinpath("memory.toml").read_text("utf-8"))
