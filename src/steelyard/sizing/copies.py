"""A copy of a model on accelerators that nobody measured it on, as a server to simulate: memory, then speed."""

from __future__ import annotations

from dataclasses import dataclass

from steelyard.catalogue.model import Model
from steelyard.quantities import Unknown
from steelyard.sizing.checkpoints import published_precision
from steelyard.sizing.hardware import Accelerator
from steelyard.sizing.memory import Memory, smallest_fit
from steelyard.sizing.simulate import Batching, Limits
from steelyard.sizing.speed import step_time
from steelyard.sizing.traffic import Lengths

MOST_SEQUENCES = 256


@dataclass(frozen=True, eq=False)
class Copy:
    """The smallest layout that holds the model and the longest request, and how it answers."""

    memory: Memory
    server: Batching


def copy_on(model: Model, accelerator: Accelerator, lengths: Lengths) -> Copy | Unknown:
    """At the precision of the published weights, under vLLM; Unknown where memory or speed is."""
    precision = published_precision(model.id)
    fitted = smallest_fit(model, accelerator, precision, context=lengths.longest)
    if isinstance(fitted, Unknown):
        return fitted
    prompt, answer = round(lengths.mean_prompt), round(lengths.mean_output)
    steps = step_time(model, accelerator, precision, parallel=fitted.parallel, prompt=prompt, answer=answer)
    if isinstance(steps, Unknown):
        return steps
    limits = Limits(min(MOST_SEQUENCES, fitted.max_batch), fitted.max_batch * lengths.longest)
    return Copy(fitted, Batching(steps, limits, lengths))
