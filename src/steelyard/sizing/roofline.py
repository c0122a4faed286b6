"""The time of a step from bytes, arithmetic, links and overheads: numbers in, seconds out. Constants in constants.toml.

A part of a step takes as long as the slower of moving its bytes and multiplying them (a smooth maximum); parts, talk
between accelerators and overheads add up. `Terms` may hold one number or an array of one number a row.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
N = TypeVar("N")
SHARPNESS = 3.0
ROUNDS = 8
LENGTH = 0.95
"""Load generators draw prompt lengths a little below the nominal one."""
USABLE, RUNTIME_BYTES = 0.9, 3e9
BEGIN_SHARE = 0.3
"""Prompts that wait together start together, in part."""
QUEUE_SHARE = 0.8
"""Of the wait that Little's law gives, what is seen in the mean: the first ones do not wait."""
TRIPS_OF_ACTIVATIONS, ACTIVATION_BYTES, SENT_BYTES = 2, 2, 1.5
"""Two reductions a layer, 16-bit activations; to experts they travel in 8 bits and come back in 16."""


@dataclass(frozen=True)
class Constants:
    """What the roofline does not know from data sheets. Shares of the peak, seconds, and factors of engines."""

    bandwidth: float
    expert_bandwidth: float
    routing: float
    cache_bandwidth: float
    arithmetic: float
    fp4_arithmetic: float
    expert_arithmetic: float
    attention_arithmetic: float
    layer_seconds: float
    expert_layer_seconds: float
    latent_layer_seconds: float
    step_seconds: float
    sequence_seconds: float
    hop_seconds: float
    link: float
    decode_link: float
    vllm: float
    sglang: float
    trtllm: float
    first_token_seconds: float
    prefill_layer_seconds: float
    prefill_expert_layer_seconds: float
    prefill_latent_layer_seconds: float
    burst: float


@dataclass(frozen=True)
class Terms(Generic[N]):
    """One model in one layout on one machine under one load. Parameters, bytes and operations are of one accelerator.

    fixed: attention and dense parts; `spread`: one expert of every layer, as far as it lies here. `ways` hold the
    experts. `waiting` is the number of sequences of one attention rank, in the cache or before it. `engine`: 0 none
    known, 1 vllm, 2 sglang, 3 trtllm. `apart` is 1 where prefill has machines of its own. `stages` of a pipeline hold
    the layers in turn, and each works on its share of the sequences.
    """

    fixed: N
    fixed_bytes: N
    fixed_flops: N
    head: N
    head_bytes: N
    experts: N
    active: N
    spread: N
    expert_bytes: N
    expert_flops: N
    fp4_fixed: N
    fp4_experts: N
    weights: N
    memory: N
    bandwidth: N
    flops16: N
    layers: N
    expert_layers: N
    latent_layers: N
    width: N
    ways: N
    tp: N
    dp: N
    link: N
    cache_token: N
    cache_whole: N
    mixing_token: N
    mixing_prompt: N
    prompt: N
    answer: N
    waiting: N
    engine: N
    apart: N
    stages: N


def stack(rows: Sequence[Terms[float]]) -> Terms[Numbers]:
    """Many rows as arrays, to be computed at once."""
    return Terms(*(np.array([getattr(row, part.name) for row in rows], dtype=float) for part in fields(Terms)))


def take(rows: Terms[Numbers], chosen: NDArray[np.bool_]) -> Terms[Numbers]:
    """Some of the rows."""
    return Terms(*(getattr(rows, part.name)[chosen] for part in fields(Terms)))


@cache
def constants(gpu: bool = True) -> Constants:
    """The fitted ones that ship; off GPUs the measured shares, and no launches of kernels beside the work."""
    raw = tomllib.loads(files("steelyard.sizing").joinpath("constants.toml").read_text("utf-8"))
    fitted = {part.name: float(raw["constants"][part.name]["value"]) for part in fields(Constants)}
    if gpu:
        return Constants(**fitted)
    moving, multiplying = (float(raw["processor"][name]) for name in ("bandwidth", "arithmetic"))
    own = {name: 0.0 for name in fitted if name.endswith("_seconds")}
    own |= {name: moving for name in fitted if name.endswith("bandwidth")}
    own |= {name: multiplying for name in fitted if name.endswith("arithmetic") and name != "fp4_arithmetic"}
    return Constants(**fitted | own)


def slower(one: Numbers, other: Numbers) -> Numbers:
    """A maximum without a corner: near the ridge both are felt."""
    together: Numbers = (one**SHARPNESS + other**SHARPNESS) ** (1 / SHARPNESS)
    return together


def engine(t: Terms[Numbers], c: Constants) -> Numbers:
    """The factor of the serving engine."""
    factors: Numbers = np.array([1.0, c.vllm, c.sglang, c.trtllm])[np.asarray(t.engine, dtype=int)]
    return factors


def touched(t: Terms[Numbers], c: Constants, tokens: Numbers) -> Numbers:
    """How many different experts of a layer so many tokens ask. They prefer some: as if fewer tokens chose evenly."""
    return t.experts * (1 - (1 - t.active / t.experts) ** np.maximum(tokens, 1) ** c.routing)


def matrices(t: Terms[Numbers], c: Constants, tokens: Numbers, outputs: Numbers, reading: float = 1.0) -> Numbers:
    """Seconds for all matrices when each attention rank works on `tokens`, of which `outputs` need the output head.

    `reading` is 0 for tokens that ride along in a step which reads the matrices anyway.
    """
    fixed = slower(
        reading * t.fixed * t.fixed_bytes / (t.bandwidth * c.bandwidth),
        2 * t.fixed * tokens / (t.fixed_flops * c.arithmetic * np.where(t.fp4_fixed > 0, c.fp4_arithmetic, 1)),
    )
    head = slower(
        t.head * t.head_bytes / (t.bandwidth * c.bandwidth), 2 * t.head * outputs / (t.flops16 * c.arithmetic)
    )
    everyone = tokens * t.dp
    experts = slower(
        reading * touched(t, c, everyone) * t.spread * t.expert_bytes / (t.bandwidth * c.expert_bandwidth),
        2 * t.spread * t.active * everyone
        / (t.expert_flops * c.expert_arithmetic * np.where(t.fp4_experts > 0, c.fp4_arithmetic, 1)),
    )  # fmt: skip
    return fixed + np.where(outputs > 0, head, 0.0) + experts


def talk(t: Terms[Numbers], c: Constants, tokens: Numbers, link: float, hop: float) -> Numbers:
    """Seconds of reductions over `tp`, and of sending tokens to experts where attention is split by sequence."""
    sent = 2 * (t.tp - 1) / t.tp * tokens * t.width * ACTIVATION_BYTES / (t.link * link)
    reduce = TRIPS_OF_ACTIVATIONS * t.layers * (hop * np.log2(t.tp) + sent)
    there = tokens * t.active * t.width * SENT_BYTES / (t.link * link)
    exchange = 2 * t.expert_layers * (hop * np.log2(np.maximum(t.tp * t.dp, 1)) + there)
    return reduce + np.where(t.dp > 1, exchange, 0.0)


def decode(t: Terms[Numbers], c: Constants, sequences: Numbers, context: Numbers) -> Numbers:
    """Seconds of a step in which each attention rank writes one token for each of `sequences`."""
    read = slower(
        sequences * context * t.cache_token / (t.bandwidth * c.cache_bandwidth),
        sequences * context * t.mixing_token / (t.flops16 * c.attention_arithmetic),
    )
    over = t.layers * c.layer_seconds + t.expert_layers * c.expert_layer_seconds
    over = over + t.latent_layers * c.latent_layer_seconds + c.step_seconds + c.sequence_seconds * sequences * t.dp
    over = over + (t.stages - 1) * c.hop_seconds
    work = matrices(t, c, sequences, sequences) + read + talk(t, c, sequences, c.decode_link, c.hop_seconds)
    return (work + over) * engine(t, c)


def prefill(t: Terms[Numbers], c: Constants, tokens: Numbers, reading: float = 1.0) -> Numbers:
    """Seconds of arithmetic and talk for one prompt; what it costs to start is `starting`."""
    square = (tokens / np.maximum(t.prompt, 1)) ** 2
    mixing = square * t.mixing_prompt / (t.flops16 * c.attention_arithmetic)
    work = matrices(t, c, tokens, np.zeros_like(tokens), reading) + mixing + talk(t, c, tokens, c.link, 0.0)
    return work * engine(t, c)


def starting(t: Terms[Numbers], c: Constants) -> Numbers:
    """Seconds to launch a prefill, which runs kernel by kernel where decoding replays a recording."""
    return (
        t.layers * c.prefill_layer_seconds
        + t.expert_layers * c.prefill_expert_layer_seconds
        + t.latent_layers * c.prefill_latent_layer_seconds
    )


def room(t: Terms[Numbers]) -> Numbers:
    """Sequences one attention rank can hold in its cache, at least one; more have to wait."""
    free = np.maximum(USABLE * t.memory - t.weights - RUNTIME_BYTES, 2e8)
    return np.maximum(free / np.maximum(t.cache_whole, 1), 1.0)


def at_once(t: Terms[Numbers], sequences: Numbers) -> Numbers:
    """Of so many, what one stage of the pipeline works on at a time: its share, but whole sequences."""
    return np.maximum(sequences / t.stages, np.minimum(sequences, 1.0))


def served(t: Terms[Numbers], c: Constants) -> tuple[Numbers, Numbers]:
    """Seconds to the first token, and of every further one, when a fixed number of clients asks again at once.

    Every other request's prefill falls into the answering of each; what does not fit into the cache waits for its turn.
    The stages of a pipeline work side by side, each on its share of the sequences: a token still passes all of them,
    and another's prompt holds up one stage at a time. The mean over a run that begins with all clients at once, as load
    generators report it: `burst` is its share.
    """
    prompt = t.prompt * LENGTH
    context = prompt + t.answer / 2
    held = np.minimum(t.waiting, room(t))
    one, begin = prefill(t, c, prompt), starting(t, c)
    busy, apart = held, t.apart > 0
    for _ in range(ROUNDS if apart.any() else 0):
        fed = t.answer * decode(t, c, at_once(t, busy), context) / one
        busy = np.where(apart, 0.5 * busy + 0.5 * np.minimum(held, fed), busy)
    step = decode(t, c, at_once(t, busy), context)
    stalls = np.where(apart, 0.0, np.maximum(busy - 1, 0) * prefill(t, c, prompt, 0.0) / t.stages / t.answer)
    tpot = step + stalls
    meeting = c.burst * (held - 1) * (one + BEGIN_SHARE * begin) / t.stages
    ttft = c.first_token_seconds + begin + one + step + meeting
    queue = np.maximum(t.waiting - busy, 0) / busy * t.answer * tpot * QUEUE_SHARE
    return ttft + queue, tpot
