"""How fast a model answers on a machine that nobody measured it on: the roofline with an interval of 90 %.

The interval comes from rows of models that the fit had not seen, and widens where the data behind the fit ends.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from steelyard.catalogue.model import Model
from steelyard.quantities import Unknown
from steelyard.sizing.hardware import Accelerator
from steelyard.sizing.layout import Parallel, Precision
from steelyard.sizing.roofline import Constants, Terms, constants, decode, prefill, served, stack, starting
from steelyard.sizing.terms import ENGINES, ONE, WIDE, Load, terms
from steelyard.stats.estimate import Estimate, Interval

LEVEL = 0.9
METHOD = "roofline; interval from models the fit had not seen"


@dataclass(frozen=True)
class Speed:
    """Seconds to the first token, seconds of every further one, and tokens a second and accelerator."""

    ttft: Estimate
    tpot: Estimate
    output_tokens_per_second_per_gpu: Estimate
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Margins:
    """Half the width of an interval in logarithms, and what is added outside the data of the fit."""

    tpot: float
    ttft: float
    precision: float
    system: float
    backend: float
    batch: float
    wide: float
    processor: float
    precisions: tuple[str, ...]
    systems: tuple[str, ...]
    largest_batch: float
    drafting: tuple[str, ...]
    drafted: float


@cache
def margins() -> Margins:
    """Those of the shipped fit."""
    raw = tomllib.loads(files("steelyard.sizing").joinpath("constants.toml").read_text("utf-8"))
    half, seen, draft = raw["interval"], raw["seen"], raw["draft"]
    return Margins(
        **{
            name: float(half[name])
            for name in ("tpot", "ttft", "precision", "system", "backend", "batch", "wide", "processor")
        },
        precisions=tuple(seen["precisions"]),
        systems=tuple(seen["systems"]),
        largest_batch=float(seen["largest_batch"]),
        drafting=tuple(draft["models"]),
        drafted=float(draft["factor"]),
    )


def speed(
    model: Model,
    accelerator: Accelerator,
    precision: Precision = "bf16",
    backend: str = "vllm",
    isl: int = 1024,
    osl: int = 256,
    batch: float = 1,
    parallel: Parallel = ONE,
) -> Speed | Unknown:
    """One answer; see `Load` for what `batch` means."""
    return speeds([Load(model, accelerator, precision, backend, isl, osl, batch, parallel)])[0]


def speeds(loads: Sequence[Load], using: Constants | None = None) -> list[Speed | Unknown]:
    """Many answers at once, in their order."""
    rows = [terms(load) for load in loads]
    known = [row for row in rows if not isinstance(row, Unknown)]
    if not known:
        return [row if isinstance(row, Unknown) else Unknown("nothing to compute") for row in rows]
    ttft, tpot = served(stack(known), using or constants())
    answers = iter(zip(ttft.tolist(), tpot.tolist(), strict=True))
    return [
        row if isinstance(row, Unknown) else _speed(load, *next(answers)) for load, row in zip(loads, rows, strict=True)
    ]


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step of one copy, for a simulation: tokens prefilled, sequences that decode, tokens in the cache.

    Prompts ride along with what decodes. `first_token_seconds` is what a request waits on top, outside the steps:
    transport, tokenizer, launching a prefill. A prompt's own attention is that of the typical length.
    """

    row: Terms[float]
    using: Constants
    factor: float

    @property
    def first_token_seconds(self) -> float:
        return self.using.first_token_seconds + float(starting(stack([self.row]), self.using)[0])

    def __call__(self, prefill_tokens: int, decoding_sequences: int, cached_tokens: int, /) -> float:
        t, c = stack([self.row]), self.using
        ranks = float(t.dp[0])
        seconds = c.step_seconds
        if decoding_sequences:
            each = np.array([decoding_sequences / ranks])
            seconds = float(decode(t, c, each, np.array([cached_tokens / decoding_sequences]))[0]) * self.factor
        if prefill_tokens:
            reading = 0.0 if decoding_sequences else 1.0
            rounds = max(prefill_tokens / ranks / self.row.prompt, 1.0)
            tokens = np.array([prefill_tokens / ranks / rounds])
            seconds += rounds * float(prefill(t, c, tokens, reading)[0])
        return seconds


def step_time(
    model: Model,
    accelerator: Accelerator,
    precision: Precision = "bf16",
    backend: str = "vllm",
    parallel: Parallel = ONE,
    prompt: int = 1024,
    answer: int = 256,
) -> StepTime | Unknown:
    """The step-time function of one copy; `prompt` and `answer` are typical lengths."""
    row = terms(Load(model, accelerator, precision, backend, prompt, answer, 1, parallel))
    return row if isinstance(row, Unknown) else StepTime(row, constants(), _drafted(model))


def _speed(load: Load, ttft: float, tpot: float) -> Speed:
    factor = _drafted(load.model)
    notes: list[str] = []
    tpot *= factor
    if factor != 1:
        notes.append("may be served with or without its draft layer, which nothing here tells: in between")
    extra, outside = _outside(load)
    notes += outside
    half_tpot, half_ttft = margins().tpot + extra, margins().ttft + extra
    first, further = _estimate(ttft, half_ttft, "seconds"), _estimate(tpot, half_tpot, "seconds")
    gpus = load.gpus or load.parallel.gpus
    shares = [
        load.batch * load.osl / (a + (load.osl - 1) * b) / gpus
        for a, b in ((ttft, tpot), *((ttft * math.exp(s * half_ttft), tpot * math.exp(s * half_tpot)) for s in (1, -1)))
    ]
    rate = Estimate(shares[0], Interval(shares[1], shares[2], LEVEL), None, METHOD, "tokens/s")
    return Speed(first, further, rate, tuple(notes))


def _estimate(value: float, half: float, unit: str) -> Estimate:
    return Estimate(value, Interval(value * math.exp(-half), value * math.exp(half), LEVEL), None, METHOD, unit)


def _drafted(model: Model) -> float:
    return margins().drafted if model.id.startswith(margins().drafting) else 1.0


def _outside(load: Load) -> tuple[float, list[str]]:
    """What the data behind the fit lacks of this load: wider by so much, and said."""
    m, backend = margins(), load.backend.lower()
    lacks = (
        (load.precision not in m.precisions, m.precision, load.precision),
        (load.accelerator.id not in m.systems, m.system, load.accelerator.name),
        (backend not in ENGINES[1:], m.backend, backend or "unnamed engine"),
        (load.accelerator.kind != "gpu", m.processor, "processor or edge device"),
    )
    found = [(by, f"no {what} among the rows of the fit") for lacking, by, what in lacks if lacking]
    if load.batch > m.largest_batch:
        found.append((m.batch, f"more clients than the {m.largest_batch:g} of most rows of the fit"))
    if load.parallel.gpus > WIDE:
        found.append((m.wide, "taken as served apart: half of the accelerators prefill"))
    return math.hypot(*(by for by, _ in found)), [note for _, note in found]
