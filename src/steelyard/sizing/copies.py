"""A copy of a model on accelerators that nobody measured it on, as a server to simulate: memory, then speed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from steelyard.catalogue.model import Model
from steelyard.quantities import Unknown
from steelyard.sizing.checkpoints import published_precision
from steelyard.sizing.hardware import Accelerator
from steelyard.sizing.memory import Memory, smallest_fit
from steelyard.sizing.simulate import Batching, Limits
from steelyard.sizing.speed import spread, step_time_of
from steelyard.sizing.terms import Load
from steelyard.sizing.traffic import Lengths

MOST_SEQUENCES = 256


@dataclass(frozen=True, eq=False)
class Copy:
    """The smallest layout that holds the model and the longest request, and how it answers.

    `fast` and `slow` are the ends of the interval of its speed.
    """

    memory: Memory
    server: Batching
    fast: Batching
    slow: Batching


def copy_on(model: Model, accelerator: Accelerator, lengths: Lengths) -> Copy | Unknown:
    """At the precision of the published weights, under vLLM; Unknown where memory or speed is."""
    precision = published_precision(model.id)
    fitted = smallest_fit(model, accelerator, precision, context=lengths.longest)
    if isinstance(fitted, Unknown):
        return fitted
    prompt, answer = round(lengths.mean_prompt), round(lengths.mean_output)
    load = Load(model, accelerator, precision, "vllm", prompt, answer, 1, fitted.parallel)
    steps = step_time_of(load)
    if isinstance(steps, Unknown):
        return steps
    limits = Limits(min(MOST_SEQUENCES, fitted.max_batch), fitted.max_batch * lengths.longest)
    paces = (1.0, math.exp(-spread(load)), math.exp(spread(load)))
    timed = [replace(steps, pace=pace) for pace in paces]
    return Copy(fitted, *(Batching(one, limits, lengths, one.first_token_seconds) for one in timed))
