"""Requests that the simulation of continuous batching serves in a CPU-second, and how near it is to closed forms.

    python benchmarks/simulation.py

Each line is one traffic; the steps are those of a mid-sized GPU model, linear in prompt tokens, sequences and cached
tokens. Exit code 1 if a line is slower than 50,000 requests a CPU-second or further than 10 % from Erlang's mean wait.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from steelyard.sizing.queueing import Queue
from steelyard.sizing.simulate import Batching, Limits, batch
from steelyard.sizing.traffic import Day, Lengths, steady

LEAST_PER_SECOND, MOST_OFF = 50_000, 0.10
CLASSIFY = Lengths.of({(180, 4): 5, (320, 6): 3, (700, 8): 2})
CHAT = Lengths.of({(200, 60): 5, (900, 250): 3, (3000, 400): 2})
DOCUMENTS = Lengths.of({(12_000, 200): 3, (30_000, 500): 1})


def step(prefill: int, decoding: int, cached: int) -> float:
    """Seconds."""
    return 0.008 + 2e-5 * prefill + 2e-5 * decoding + 2e-8 * cached


def main() -> int:
    """Prints a line a traffic, then the distance from Erlang."""
    limits, failed = Limits(256, 500_000), False
    day = Day(1_000_000, 4.0).arrivals(1, 0)
    for name, lengths, arrived, replicas in (
        ("labels, 1 replica at 60 a second", CLASSIFY, steady(60, 200_000, 0), 1),
        ("chat, 1 replica at 15 a second", CHAT, steady(15, 200_000, 0), 1),
        ("chat, 16 replicas at 15 a second each", CHAT, steady(240, 200_000, 0), 16),
        ("chat, overloaded threefold", CHAT, steady(90, 100_000, 0), 1),
        ("documents of 12,000 tokens, 4 replicas", DOCUMENTS, steady(6, 100_000, 0), 4),
        ("chat, a day with its peak, 8 replicas", CHAT, day, 8),
    ):
        before = time.process_time()
        Batching(step, limits, lengths).serve(arrived, replicas)
        rate = len(arrived) / (time.process_time() - before)
        failed |= rate < LEAST_PER_SECOND
        print(f"{rate:9,.0f} requests a CPU-second, {rate / LEAST_PER_SECOND:.1f} x the limit: {name}")
    for slots, load in ((1, 0.7), (4, 3.0), (16, 13.6)):
        n = 400_000
        outputs = np.random.default_rng((7, 9)).geometric(0.001, n)
        served = batch(steady(load, n, 7), np.ones(n, int), outputs, lambda p, d, c: 0.001, Limits(slots, 10**9), 1)
        expected, found = Queue(slots, load, 1.0).mean_wait, float(served.seconds("wait").mean())
        failed |= abs(found / expected - 1) > MOST_OFF
        print(
            f"{found:7.4f} s mean wait, Erlang {expected:.4f} ({found / expected - 1:+.1%}): {slots} slots, load {load}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
