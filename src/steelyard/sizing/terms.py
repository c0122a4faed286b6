"""From a model, a machine, a layout and a load to the numbers of the roofline."""

from __future__ import annotations

import math
from dataclasses import dataclass

from steelyard.catalogue.architecture import Architecture
from steelyard.catalogue.model import Model
from steelyard.quantities import Unknown
from steelyard.sizing.cache import cache_bytes, flops, parts_of
from steelyard.sizing.checkpoints import bytes_by_group, published_precision
from steelyard.sizing.hardware import Accelerator
from steelyard.sizing.layout import Arithmetic, Parallel, Precision, codings
from steelyard.sizing.roofline import Terms
from steelyard.sizing.tensors import Tensors, active_ratio, tensors_of

ONE = Parallel()
ENGINES = ("", "vllm", "sglang", "trtllm")
WIDE = 16
"""Beyond so many accelerators a copy is served apart: half of them prefill, the others split sequences and experts."""
NVLINK_DOMAIN = {"gb200": 72, "gb300": 72}
"""Accelerators that one switch links, where that is more than a node (systems/*.yaml of aiconfigurator, 2026-11-24)."""
WIDER: tuple[Arithmetic, ...] = ("fp4", "fp8", "bf16", "fp32")
MOST_ACTIVE, FEWEST_ACTIVE = 1.35, 0.7
"""Times the published parameters a token. Above, the network was misread; below, either may be: a wider interval."""
HELD_OF_ANSWER = 0.6
"""Of the longest answer, what a sequence holds in the cache on average over those that run."""


@dataclass(frozen=True)
class Load:
    """One way of asking: `batch` clients over the whole copy, each asking again as soon as it is answered."""

    model: Model
    accelerator: Accelerator
    precision: Precision
    backend: str
    isl: int
    osl: int
    batch: float
    parallel: Parallel = Parallel()
    gpus: int = 0


@dataclass(frozen=True)
class _Layout:
    tp: int
    dp: int
    ways: int
    apart: bool


def _layout(load: Load) -> _Layout:
    """How the copy runs. Three ways of writing it down are put right.

    Records of tp x ep over more accelerators than one node links, with both equal, count the same machines twice (the
    same run stands in both forms in the data). More ways of experts than accelerators mean attention split by
    sequence. Beyond `WIDE`, nobody splits matrices.
    """
    p = load.parallel
    tp, dp, ways = p.tp, p.attention_dp, p.expert_ways
    domain = NVLINK_DOMAIN.get(load.accelerator.id, load.accelerator.per_node)
    if p.moe_tp == p.moe_ep > 1 and tp * dp == ways and tp * dp > domain:
        return _Layout(1 if dp > 1 else p.moe_ep, p.moe_ep if dp > 1 else 1, p.moe_ep, False)
    if ways > tp * dp:
        dp = ways // tp
    if tp * dp > WIDE:
        half = round(tp * dp / 2)
        return _Layout(1, half, half, True)
    return _Layout(tp, dp, tp * dp, False)


def terms(load: Load) -> Terms[float] | Unknown:
    """The numbers of one row; Unknown with the reason where one is missing."""
    model = load.model
    if isinstance(model.architecture, Unknown):
        return Unknown(f"the architecture of {model.id} is not known ({model.architecture.reason})")
    network = model.architecture.value
    counted = _counted(model, network)
    if isinstance(counted, Unknown):
        return counted
    layout, precision = _layout(load), _written(model, load.precision)
    wide = bytes_by_group(model.id, precision, set(model.modalities) != {"text"})
    of_fixed, of_experts = _arithmetic(precision, wide["attention"]), _arithmetic(precision, wide["experts"])
    chip = _chip(load.accelerator, load.parallel.gpus, of_fixed, of_experts)
    each = _sequence(load, network, counted, precision, layout.tp)
    if isinstance(chip, Unknown):
        return chip
    if isinstance(each, Unknown):
        return each
    copied, some = _copied(network), network.experts
    fixed = copied + (counted.attention - copied + counted.dense + counted.shared + counted.router) / layout.tp
    experts, stages = some.total if some else 1, load.parallel.pp
    outer = (counted.output + (0 if counted.tied else counted.embedding)) / layout.tp * wide["head"]
    return Terms(
        fixed=fixed,
        fixed_bytes=wide["attention"],
        fixed_flops=chip.fixed[1],
        head=counted.output / layout.tp,
        head_bytes=wide["embedding" if counted.tied else "head"],
        experts=float(experts),
        active=float(some.active if some else 1),
        spread=counted.experts / experts / layout.ways,
        expert_bytes=wide["experts"],
        expert_flops=chip.experts[1],
        fp4_fixed=float(chip.fixed[0] == "fp4"),
        fp4_experts=float(chip.experts[0] == "fp4"),
        weights=(fixed * wide["attention"] + counted.experts / layout.ways * wide["experts"] + outer) / stages,
        memory=chip.memory,
        bandwidth=chip.bandwidth,
        flops16=chip.flops16,
        layers=float(network.layers),
        expert_layers=float(round(counted.router / (some.total * network.hidden_size)) if some else 0),
        latent_layers=float(network.layers if network.latent else 0),
        width=float(network.hidden_size),
        ways=float(layout.ways),
        tp=float(layout.tp),
        dp=float(layout.dp),
        link=chip.link,
        cache_token=each.cache_token,
        cache_whole=each.cache_whole / stages,
        mixing_token=each.mixing_token / layout.tp,
        mixing_prompt=each.mixing_prompt / layout.tp,
        prompt=float(load.isl),
        answer=float(load.osl),
        waiting=load.batch / layout.dp,
        engine=float(ENGINES.index(load.backend.lower()) if load.backend.lower() in ENGINES else 0),
        apart=float(layout.apart),
        stages=float(stages),
    )


def _counted(model: Model, network: Architecture) -> Tensors | Unknown:
    """Its parameters, where the numbers describe a network that writes, and as many of it at work as published."""
    if network.shape != "decoder":
        return Unknown(f"{model.id} does not write token by token: speed is estimated for decoders only")
    counted = tensors_of(model)
    if isinstance(counted, Unknown) or active_ratio(model, counted) <= MOST_ACTIVE:
        return counted
    published = counted.active / active_ratio(model, counted)
    return Unknown(
        f"the numbers that were read give {counted.active / 1e9:.3g} billion parameters a token, published are "
        f"{published / 1e9:.3g}: the network is built in another way than they say"
    )


@dataclass(frozen=True)
class _Sequence:
    """What one sequence reads, holds and multiplies beside the matrices: a cached token, all of it, a whole prompt."""

    cache_token: float
    cache_whole: float
    mixing_token: float
    mixing_prompt: float


def _sequence(
    load: Load, network: Architecture, counted: Tensors, precision: Precision, tp: int
) -> _Sequence | Unknown:
    kv: Precision = "fp8" if precision in ("fp8", "fp4", "mxfp4") else "bf16"
    whole, middle = load.isl + round(HELD_OF_ANSWER * load.osl), load.isl + load.osl // 2
    held, read = cache_bytes(network, whole, kv, tp), cache_bytes(network, middle, kv, tp)
    token, prompt = flops("decode", network, counted, middle), flops("prefill", network, counted, load.isl)
    for one in (held, read, token, prompt):
        if isinstance(one, Unknown):
            return one
    assert not isinstance(held, Unknown) and not isinstance(read, Unknown)
    assert not isinstance(token, Unknown) and not isinstance(prompt, Unknown)
    linear = 2.0 * (counted.multiplied - counted.output) * load.isl + 2.0 * counted.output
    return _Sequence(
        read / middle, held, max(token - 2.0 * counted.multiplied, 0.0) / middle, max(prompt - linear, 0.0)
    )


@dataclass(frozen=True)
class _Chip:
    bandwidth: float
    memory: float
    link: float
    flops16: float
    fixed: tuple[Arithmetic, float]
    experts: tuple[Arithmetic, float]


def unread(load: Load, row: Terms[float]) -> Unknown | None:
    """Why nothing that hangs on arithmetic can be told; moving bytes alone still can where few sequences share them."""
    if math.isfinite(row.flops16 + row.fixed_flops + row.expert_flops):
        return None
    return Unknown(f"the operations a second of {load.accelerator.name} are not known")


def _chip(machine: Accelerator, gpus: int, of_fixed: Arithmetic, of_experts: Arithmetic) -> _Chip | Unknown:
    if isinstance(machine.bandwidth, Unknown):
        return Unknown(f"the bandwidth of {machine.name} is not known ({machine.bandwidth.reason})")
    if isinstance(machine.memory, Unknown):
        return Unknown(f"the memory of {machine.name} is not known ({machine.memory.reason})")
    if gpus > 1 and isinstance(machine.intra_node, Unknown):
        return Unknown(f"the links between several {machine.name} are not known ({machine.intra_node.reason})")
    link = 1.0 if isinstance(machine.intra_node, Unknown) else machine.intra_node.value
    asked: tuple[Arithmetic, ...] = ("bf16", of_fixed, of_experts)
    wide, fixed, experts = (_flops(machine, one) or (one, math.inf) for one in asked)
    return _Chip(machine.bandwidth.value, float(machine.memory.value), link, wide[1], fixed, experts)


def _written(model: Model, precision: Precision) -> Precision:
    """Four bits are those of the maker where the maker published four."""
    return "mxfp4" if precision == "fp4" and published_precision(model.id) == "mxfp4" else precision


def _arithmetic(precision: Precision, width: float) -> Arithmetic:
    return "bf16" if width == 2.0 else codings()[precision].arithmetic


def _flops(machine: Accelerator, wanted: Arithmetic) -> tuple[Arithmetic, float] | None:
    """That arithmetic, or the next wider one the chip has: weights are widened on the way."""
    order: tuple[Arithmetic, ...] = ("int8", *WIDER[2:]) if wanted == "int8" else WIDER
    for one in order[order.index(wanted) :]:
        fact = machine.flops.get(one)
        if fact is not None and not isinstance(fact, Unknown):
            return one, fact.value
    return None


def _copied(network: Architecture) -> float:
    """Parameters of the way into a latent cache, which every accelerator of a tensor split keeps whole."""
    latent = network.latent
    if latent is None:
        return 0.0
    layers = sum(part.count for part in parts_of(network) if part.mixer not in ("none", "linear", "state-space"))
    return float(layers * network.hidden_size * (latent.kv_rank + latent.rope_size + latent.query_rank))
