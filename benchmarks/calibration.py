"""The roofline of this machine's processor against llama.cpp: tokens a second of small models, one at a time.

    python benchmarks/calibration.py

Measures the machine (as `steelyard size calibrate` does), then lets each model with cached weights write 32 and 160
tokens, and read prompts of two lengths; the differences of the best times are decoding alone and reading alone. Printed
beside them: what share of bandwidth (file bytes) and of float32 arithmetic (twice the parameters) that is, and what the
roofline with its shares (`[processor]` of sizing/constants.toml) estimates, with its interval.
"""

from __future__ import annotations

import asyncio
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, datetime

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Candidate
from steelyard.catalogue.resolve import resolve
from steelyard.catalogue.target import target
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import Message, Request, Settings
from steelyard.sizing.accelerator_rows import read_rows
from steelyard.sizing.calibrate import Rates, calibrate, hardware_toml
from steelyard.sizing.hardware import Accelerator
from steelyard.sizing.speed import Speed, speed
from steelyard.sizing.tensors import Tensors, tensors_of
from steelyard.stats import Interval

MODELS = ("smollm2-135m-instruct", "gemma-3-270m")
FEW, MANY, TRIES = 32, 160, 3
BRIEF, LENGTHY = 20, 300
TEXT = "Once upon a time, in a town by the sea, there lived a clockmaker who"


async def tokens_per_second(candidate: Candidate, threads: int) -> tuple[float, float]:
    """Decoding alone, and reading a prompt alone."""
    aim = target(candidate)
    aim = replace(aim, options={**aim.options, "threads": threads})
    async with Pool(DataRule("public", "any")) as pool:
        provider = await pool.get(aim)
        best = {}
        for length in (FEW, MANY):
            times = []
            for _ in range(TRIES):
                done = await provider.complete(Request((Message("user", TEXT),), Settings(length)))
                times.append((float(done.timing.total_seconds), int(done.usage.output_tokens)))
            best[length] = min(times)
        read = {}
        for words in (BRIEF, LENGTHY):
            times = []
            for turn in range(TRIES):  # another beginning each time: a cached one would not be read again
                text = f"{turn} {words} " + " ".join(str(turn + n) for n in range(words))
                done = await provider.complete(Request((Message("user", text),), Settings(1)))
                times.append((float(done.timing.total_seconds), int(done.usage.input_tokens)))
            read[words] = min(times)
    (short, few), (long, many) = best[FEW], best[MANY]
    (brief, less), (lengthy, more) = read[BRIEF], read[LENGTHY]
    return (many - few) / (long - short), (more - less) / (lengthy - brief)


def shares(candidate: Candidate, rates: Rates, writing: float, reading: float) -> tuple[float, float]:
    """Of the bandwidth in writing, of the arithmetic in reading."""
    path, counted = target(candidate).weights, tensors_of(candidate.model)
    assert path is not None and isinstance(counted, Tensors)
    multiplied = counted.multiplied - counted.output
    return writing * path.stat().st_size / rates.bytes_per_second, reading * 2 * multiplied / rates.flops


def estimated(candidate: Candidate, machine: Accelerator) -> str:
    """Tokens a second by `steelyard size show`, with their interval."""
    found = speed(candidate.model, machine, "q8_0", "llama.cpp", FEW, MANY)
    assert isinstance(found, Speed) and isinstance(found.tpot.interval, Interval)
    return f"{1 / found.tpot.value:.0f} ({1 / found.tpot.interval.high:.0f} to {1 / found.tpot.interval.low:.0f})"


def main() -> int:
    """A line a model and number of threads."""
    found = calibrate(datetime.now(UTC).date().isoformat())
    print(f"{found.processor}: calibrated in {found.seconds:.1f} s")
    for rates in (found.one, found.all):
        print(f"  {rates.threads} threads: {rates.bytes_per_second / 1e9:.1f} GB/s, {rates.flops / 1e9:.0f} GFLOP/s")
    catalogue, machines = load_catalogue(), read_rows(tomllib.loads(hardware_toml(found)), "measured")
    for name in MODELS:
        candidate = resolve(catalogue, name)
        assert isinstance(candidate, Candidate)
        for rates, machine in ((found.one, machines[-1]), (found.all, machines[0])):
            writing, reading = asyncio.run(tokens_per_second(candidate, rates.threads))
            moved, multiplied = shares(candidate, rates, writing, reading)
            print(
                f"  {name}, {rates.threads} threads: {writing:.0f} tokens/s written ({moved:.2f} of the bandwidth), "
                f"{reading:.0f} read ({multiplied:.2f} of the arithmetic); estimated {estimated(candidate, machine)}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
