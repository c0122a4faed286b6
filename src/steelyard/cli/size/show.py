"""`steelyard size show`: on which accelerators a model fits, how many it takes, and what is left for context."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.models.listing import number
from steelyard.cli.models.telling import candidate_called, say_document, say_line
from steelyard.cli.say import say
from steelyard.cli.size.names import split_names

if TYPE_CHECKING:
    from steelyard.catalogue.model import Model
    from steelyard.quantities import Unknown
    from steelyard.sizing.hardware import Accelerator
    from steelyard.sizing.layout import Precision
    from steelyard.sizing.memory import Memory
    from steelyard.sizing.speed import Speed
    from steelyard.stats.estimate import Estimate

USUAL_CONTEXT = 8192


@click.command("show")
@click.argument("model")
@click.option(
    "--on", "names", multiple=True, callback=split_names, help="Only these accelerators, with every line: h100,l40s."
)
@click.option(
    "--precision",
    help="How weights are written: bf16, fp8, fp4, q4_k_m ... [default: as published; q4_k_m on CPU and edge]",
)
@click.option("--kv-precision", default="bf16", show_default=True, help="How the cache is written.")
@click.option("--context", type=number, help="Tokens of a sequence, prompt and answer, e.g. 32k. [default: 8192]")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Sequences at once.")
@click.option("--study", type=click.Path(path_type=Path), help="Take its own models.toml and hardware.toml too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show_command(
    model: str,
    names: tuple[str, ...],
    precision: str | None,
    kv_precision: str,
    context: int | None,
    batch: int,
    study: Path | None,
    as_json: bool,
) -> None:
    """Show where MODEL fits: how many of each accelerator, what takes its memory, the largest batch and context.

    The fewest accelerators are shown on which it fits at the context and batch asked for. Memory is computed from
    the numbers of the network; where one is missing the answer is unknown, with the reason. Speed is an estimate with
    a 90 % interval at that batch, half the context read and half written.
    """
    from steelyard.catalogue.own import catalogue_for
    from steelyard.catalogue.whole import whole
    from steelyard.quantities import Unknown
    from steelyard.sizing import accelerators as hardware
    from steelyard.sizing import layout, memory

    found = candidate_called(whole(catalogue_for(study)), model).model
    machines = [hardware.accelerator(name, study) for name in names] or list(hardware.accelerators(study).values())
    width = layout.precision(precision) if precision else None
    kept = layout.precision(kv_precision)
    tokens = _usual_context(found) if context is None else context
    if tokens < 1:
        raise click.BadParameter("a sequence has at least one token", param_hint="--context")
    answers = [
        (machine, memory.smallest_fit(found, machine, width or _usual(found, machine), kept, tokens, batch))
        for machine in machines
    ]
    if as_json:
        say_document(_document(found, answers))
        return
    say(f"{tokens:,} tokens a sequence, {batch} at once; cache in {kept}", err=True)
    if not isinstance(found.context_tokens, Unknown) and tokens > found.context_tokens.value:
        say(f"note: {found.id} reads {found.context_tokens.value:,} tokens at most", err=True)
    _tell(found, answers, every_line=bool(names))


def _tell(found: Model, answers: list[tuple[Accelerator, Memory | Unknown]], *, every_line: bool) -> None:
    from steelyard.quantities import Unknown

    _say_network(found)
    if all(isinstance(answer, Unknown) for _, answer in answers) and len({str(answer) for _, answer in answers}) == 1:
        say_line(f"on any accelerator: {answers[0][1]}")
        return
    shown = [(machine, answer) for machine, answer in answers if not isinstance(answer, Unknown)]
    speeds: list[Speed | Unknown] = []
    if shown:
        from steelyard.cli.table import print_table

        speeds = [_speed(found, machine, answer) for machine, answer in shown]
        cells = [
            _row(machine, answer) | _speed_cells(fast) for (machine, answer), fast in zip(shown, speeds, strict=True)
        ]
        print_table(tuple(cells[0]), cells)
    for machine, answer in answers:
        if isinstance(answer, Unknown):
            say_line(f"{machine.id}: no: {answer.reason}")
        elif every_line:
            _say_lines(machine, answer)
    for note in dict.fromkeys(note for _, answer in shown for note in answer.notes):
        say(f"note: {note}", err=True)
    for line in _missing([(machine, fast) for (machine, _), fast in zip(shown, speeds, strict=True)]):
        say(line, err=True)


def _usual_context(model: Model) -> int:
    from steelyard.quantities import Unknown

    reads = USUAL_CONTEXT if isinstance(model.context_tokens, Unknown) else model.context_tokens.value
    return min(USUAL_CONTEXT, reads)


def _usual(model: Model, machine: Accelerator) -> Precision:
    from steelyard.sizing.checkpoints import published_precision

    return published_precision(model.id) if machine.kind == "gpu" else "q4_k_m"


def _say_network(model: Model) -> None:
    from steelyard.quantities import Unknown
    from steelyard.sizing.tensors import GROUPS, tensors_of

    counted = tensors_of(model)
    if isinstance(counted, Unknown):
        say_line(f"{model.id}: {counted}")
        return
    groups = ", ".join(f"{group} {counted.of(group) / 1e9:.3g}" for group in GROUPS if counted.of(group))
    active = f", {counted.active / 1e9:.4g} active" if counted.experts else ""
    say_line(f"{model.id}: {counted.total / 1e9:.4g} billion parameters{active}: {groups}")


def _row(machine: Accelerator, answer: Memory) -> dict[str, str]:
    return {
        "accelerator": machine.id,
        "takes": str(answer.parallel.gpus),
        "split": str(answer.parallel),
        "weights": answer.precision,
        "GB each": f"{answer.total / 1e9:.1f} of {answer.capacity / 1e9:.1f}",
        "largest batch": f"{answer.max_batch:,}",
        "longest context": f"{answer.max_context:,}",
    }


def _speed(model: Model, machine: Accelerator, answer: Memory) -> Speed | Unknown:
    """At the batch asked for, half the context read and half written."""
    from steelyard.sizing.speed import speed

    half = max(answer.context // 2, 1)
    engine = "vllm" if machine.kind == "gpu" else "llama.cpp"
    return speed(model, machine, answer.precision, engine, half, half, answer.batch, answer.parallel)


def _missing(speeds: list[tuple[Accelerator, Speed | Unknown]]) -> Iterator[str]:
    """Why a cell says unknown; one line for all machines whose arithmetic was not read."""
    from steelyard.quantities import Unknown

    halves = [
        machine.id for machine, fast in speeds if not isinstance(fast, Unknown) and isinstance(fast.ttft, Unknown)
    ]
    if halves:
        yield f"first token unknown, arithmetic not read; a token by bandwidth alone: {', '.join(halves)}"
    yield from dict.fromkeys(f"speed unknown: {fast.reason}" for _, fast in speeds if isinstance(fast, Unknown))


def _speed_cells(found: Speed | Unknown) -> dict[str, str]:
    from steelyard.quantities import Unknown

    if isinstance(found, Unknown):
        return {"first token, s": "unknown", "a token, ms": "unknown"}
    return {"first token, s": _ranged(found.ttft, 1), "a token, ms": _ranged(found.tpot, 1000)}


def _ranged(estimate: Estimate | Unknown, times: float) -> str:
    from steelyard.quantities import Unknown

    if isinstance(estimate, Unknown):
        return "unknown"
    if isinstance(estimate.interval, Unknown):
        return f"{estimate.value * times:.3g}"
    low, high = estimate.interval.low * times, estimate.interval.high * times
    return f"{estimate.value * times:.3g} ({low:.3g} to {high:.3g})"


def _say_lines(machine: Accelerator, answer: Memory) -> None:
    say_line(f"{machine.name}, each of {answer.parallel.gpus}:")
    for line in answer.lines:
        say_line(f"  {line.name}: {line.memory_bytes / 1e9:.2f} GB")
    say_line(f"  left: {answer.headroom / 1e9:.2f} GB")


def _document(model: Model, answers: list[tuple[Accelerator, Memory | Unknown]]) -> dict[str, object]:
    from steelyard.quantities import Unknown
    from steelyard.sizing.tensors import tensors_of

    rows: list[dict[str, object]] = []
    for machine, answer in answers:
        if isinstance(answer, Unknown):
            rows.append({"accelerator": machine.id, "fits": False, "why": answer.reason})
            continue
        rows.append(
            {
                "accelerator": machine.id,
                "fits": True,
                "accelerators": answer.parallel.gpus,
                "memory": answer,
                "total_bytes": answer.total,
                "headroom_bytes": answer.headroom,
                "speed": _speed(model, machine, answer),
            }
        )
    return {"model": model.id, "tensors": tensors_of(model), "on": rows}
