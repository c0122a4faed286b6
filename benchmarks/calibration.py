"""The roofline of this machine's processor against llama.cpp: tokens a second of small models, one at a time.

    python benchmarks/calibration.py

Measures the machine (as `steelyard size calibrate` does), then lets each model with cached weights write 32 and 160
tokens; the difference of the best times is decoding alone. Predicted: file bytes over bandwidth, and twice the
parameters over float32 arithmetic; whichever is slower.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Candidate
from steelyard.catalogue.resolve import resolve
from steelyard.catalogue.target import target
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import Message, Request, Settings
from steelyard.sizing.calibrate import Rates, calibrate

MODELS = ("smollm2-135m-instruct", "gemma-3-270m")
FEW, MANY, TRIES = 32, 160, 3
TEXT = "Once upon a time, in a town by the sea, there lived a clockmaker who"


async def tokens_per_second(candidate: Candidate, threads: int) -> float:
    """Decoding alone."""
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
    (short, few), (long, many) = best[FEW], best[MANY]
    return (many - few) / (long - short)


def predicted(candidate: Candidate, rates: Rates) -> float:
    """Tokens a second of the roofline."""
    assert candidate.weights is not None
    parameters = candidate.model.parameters
    size = target(candidate).weights
    assert size is not None
    moved = size.stat().st_size / rates.bytes_per_second
    return 1 / max(moved, 2 * getattr(parameters, "value", 0) / rates.flops)


def main() -> int:
    """A line a model and number of threads."""
    found = calibrate(datetime.now(UTC).date().isoformat())
    print(f"{found.processor}: calibrated in {found.seconds:.1f} s")
    for rates in (found.one, found.all):
        print(f"  {rates.threads} threads: {rates.bytes_per_second / 1e9:.1f} GB/s, {rates.flops / 1e9:.0f} GFLOP/s")
    catalogue = load_catalogue()
    for name in MODELS:
        candidate = resolve(catalogue, name)
        assert isinstance(candidate, Candidate)
        for rates in dict.fromkeys((found.one, found.all)):
            real, said = asyncio.run(tokens_per_second(candidate, rates.threads)), predicted(candidate, rates)
            print(
                f"  {name}, {rates.threads} threads: {real:.0f} tokens/s measured, {said:.0f} by the roofline "
                f"({said / real:.2f} x)"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
