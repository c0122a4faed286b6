"""How fast a model answers on a machine that nobody measured it on: the roofline with an interval of 90 %.

The interval comes from rows of models that the fit had not seen, and widens where the data behind the fit ends.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from steelyard.catalogue.model import Model
from steelyard.quantities import Unknown
from steelyard.sizing.hardware import Accelerator, Kind
from steelyard.sizing.layout import Parallel, Precision
from steelyard.sizing.roofline import Constants, Terms, at_once, constants, decode, prefill, served, stack, starting
from steelyard.sizing.tensors import active_ratio, tensors_of
from steelyard.sizing.terms import ENGINES, FEWEST_ACTIVE, ONE, WIDE, Load, terms, unread
from steelyard.stats.estimate import Estimate, Interval

LEVEL = 0.9
METHOD = "roofline; interval from models the fit had not seen"


@dataclass(frozen=True)
class Speed:
    """Seconds to the first token, seconds of every further one, and tokens a second and accelerator.

    Where arithmetic was not read, only the further tokens of few sequences are told: they wait for memory.
    """

    ttft: Estimate | Unknown
    tpot: Estimate
    output_tokens_per_second_per_gpu: Estimate | Unknown
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Margins:
    """Half the width of an interval in logarithms, and what is added outside the data of the fit.

    `by_memory`: up to how many sequences at once decoding is taken to wait for memory where arithmetic was not read.
    """

    tpot: float
    ttft: float
    precision: float
    system: float
    backend: float
    batch: float
    wide: float
    unread: float
    processor_tpot: float
    processor_ttft: float
    by_memory: Mapping[Kind, float]
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
            for name in ("tpot", "ttft", "precision", "system", "backend", "batch", "wide", "unread")
        },
        processor_tpot=float(raw["processor"]["tpot"]),
        processor_ttft=float(raw["processor"]["ttft"]),
        by_memory={"gpu": raw["by_memory"]["gpu"], "cpu": raw["by_memory"]["cpu"], "edge": raw["by_memory"]["edge"]},
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
    told: list[Speed | Unknown] = [row if isinstance(row, Unknown) else Unknown("not computed") for row in rows]
    for gpu in (True, False):
        chosen = [
            (at, row)
            for at, row in enumerate(rows)
            if not isinstance(row, Unknown) and (loads[at].accelerator.kind == "gpu") == gpu
        ]
        if chosen:
            ttft, tpot = served(stack([row for _, row in chosen]), using or constants(gpu))
            for (at, row), first, further in zip(chosen, ttft.tolist(), tpot.tolist(), strict=True):
                told[at] = _speed(loads[at], row, first, further)
    return told


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step of one copy, for a simulation: tokens prefilled, sequences that decode, tokens in the cache.

    Prompts ride along with what decodes. `first_token_seconds` is what a request waits on top, outside the steps:
    transport, tokenizer, launching a prefill, the further stages of a pipeline. A prompt's own attention is that of the
    typical length. `pace` stretches all of it: the ends of the interval.
    """

    row: Terms[float]
    using: Constants
    factor: float
    pace: float = 1.0

    @property
    def first_token_seconds(self) -> float:
        t, c = stack([self.row]), self.using
        later = (1 - 1 / t.stages) * prefill(t, c, t.prompt)
        return self.pace * (c.first_token_seconds + float((starting(t, c) + later)[0]))

    def __call__(self, prefill_tokens: int, decoding_sequences: int, cached_tokens: int, /) -> float:
        t, c = stack([self.row]), self.using
        ranks = float(t.dp[0])
        seconds = c.step_seconds
        if decoding_sequences:
            each = at_once(t, np.array([decoding_sequences / ranks]))
            seconds = float(decode(t, c, each, np.array([cached_tokens / decoding_sequences]))[0]) * self.factor
        if prefill_tokens:
            reading = 0.0 if decoding_sequences else 1.0
            rounds = max(prefill_tokens / ranks / self.row.prompt, 1.0)
            tokens = np.array([prefill_tokens / ranks / rounds])
            seconds += rounds * float(prefill(t, c, tokens, reading)[0]) / self.row.stages
        return seconds * self.pace


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
    return step_time_of(Load(model, accelerator, precision, backend, prompt, answer, 1, parallel))


def step_time_of(load: Load) -> StepTime | Unknown:
    """The same for a load; how many ask at once is the simulation's to say."""
    row = terms(load)
    if isinstance(row, Unknown):
        return row
    return unread(load, row) or StepTime(row, constants(load.accelerator.kind == "gpu"), _drafted(load.model))


def spread(load: Load) -> float:
    """Half the width of the interval of a further token's time, in logarithms."""
    return _halves(load)[0]


def _speed(load: Load, row: Terms[float], ttft: float, tpot: float) -> Speed | Unknown:
    factor, no = _drafted(load.model), unread(load, row)
    notes: list[str] = []
    tpot *= factor
    if factor != 1:
        notes.append("may be served with or without its draft layer, which nothing here tells: in between")
    half_tpot, half_ttft, outside = _halves(load)
    notes += outside
    if no:
        most = margins().by_memory[load.accelerator.kind]
        if load.batch > most or row.apart:
            return Unknown(f"{no.reason}, and more than {most:g} at once may wait for them")
        notes.append(f"a further token by bandwidth alone: {no.reason}")
        return Speed(no, _estimate(tpot, math.hypot(half_tpot, margins().unread), "seconds"), no, tuple(notes))
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


def _halves(load: Load) -> tuple[float, float, list[str]]:
    """Half widths of both times, wider by what the data behind the constants lacks of this load, and what that is."""
    m, backend, machine = margins(), load.backend.lower(), load.accelerator
    if machine.kind != "gpu":
        return m.processor_tpot, m.processor_ttft, ["shares of bandwidth and arithmetic measured on one processor"]
    lacks = (
        (load.precision not in m.precisions, m.precision, load.precision),
        (machine.id not in m.systems, m.system, machine.name),
        (backend not in ENGINES[1:], m.backend, backend or "unnamed engine"),
    )
    found = [(by, f"no {what} among the rows of the fit") for lacking, by, what in lacks if lacking]
    if load.batch > m.largest_batch:
        found.append((m.batch, f"more clients than the {m.largest_batch:g} of most rows of the fit"))
    counted = tensors_of(load.model)
    few = 1.0 if isinstance(counted, Unknown) else active_ratio(load.model, counted)
    if few < FEWEST_ACTIVE:
        found.append((-math.log(few), f"{few:.0%} of the published parameters a token were counted"))
    if load.parallel.pp > 1:
        found.append((m.wide, "no pipeline among the rows of the fit"))
    if load.parallel.gpus > WIDE:
        found.append((m.wide, "taken as served apart: half of the accelerators prefill"))
    extra = math.hypot(*(by for by, _ in found))
    return m.tpot + extra, m.ttft + extra, [note for _, note in found]
