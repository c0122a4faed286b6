"""What this machine can do, measured: bytes a second out of memory, float32 operations a second in a matrix product.

Both through numpy, on one thread and on all; the best of several tries, since whatever else runs only takes away.
numpy multiplies int8, float16 and bfloat16 without BLAS, a hundred times slower than an engine would: that is no
measurement of the machine, and they are unknown.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ARRAY_BYTES = 256 << 20
SIDE = 2048
TRIES = 7
ID = "this_machine"
BEGIN, END = "# measured by `steelyard size calibrate`: begin", "# measured by `steelyard size calibrate`: end"
NOT_BY_NUMPY = "not measured: numpy multiplies it without BLAS"
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "BLIS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Rates:
    """So many threads read `bytes_per_second` and do `flops` float32 operations a second."""

    threads: int
    bytes_per_second: float
    flops: float


@dataclass(frozen=True)
class Calibration:
    """One machine on one day (ISO date)."""

    processor: str
    memory_bytes: int
    one: Rates
    all: Rates
    seconds: float
    as_of: str


def calibrate(day: str) -> Calibration:
    """Measure; a few seconds, `ARRAY_BYTES` of memory."""
    begun = time.perf_counter()
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    array = np.ones(ARRAY_BYTES // 8, dtype=np.int64)
    one = Rates(1, bandwidth(array, 1), _one_thread_flops())
    # More threads cannot do less: where the second measurement is lower, something else was running.
    every = Rates(threads, max(one.bytes_per_second, bandwidth(array, threads)), max(one.flops, matmul_flops()))
    return Calibration(_processor(), _memory_bytes(), one, every, time.perf_counter() - begun, day)


def bandwidth(array: np.ndarray[tuple[int], np.dtype[np.int64]], threads: int) -> float:
    """Bytes a second that so many threads read of an array much larger than any cache."""
    parts = np.array_split(array, threads)
    with ThreadPoolExecutor(threads) as pool:
        return array.nbytes / _best(lambda: list(pool.map(np.bitwise_or.reduce, parts)))


def matmul_flops() -> float:
    """Operations a second of a float32 matrix product, on as many threads as BLAS takes."""
    square = np.ones((SIDE, SIDE), dtype=np.float32)
    product = np.empty_like(square)
    return float(2 * SIDE**3 / _best(lambda: np.matmul(square, square, out=product)))


def hardware_toml(found: Calibration) -> str:
    """Two rows for `hardware.toml`: all threads, and one (what a llama.cpp candidate runs on by default)."""
    rows = [
        "",
        "[[accelerator]]",
        f'id = "{ID}"',
        *_row(found, found.all, f"{found.processor}, {found.all.threads} threads"),
    ]
    if found.all.threads > 1:
        rows += [
            "",
            "[[accelerator]]",
            f'id = "{ID}_1_thread"',
            *_row(found, found.one, f"{found.processor}, 1 thread"),
        ]
    how = (
        f"measured on the machine: reading {ARRAY_BYTES >> 20} MiB, a {SIDE} x {SIDE} float32 product, best of {TRIES}"
    )
    return "\n".join([BEGIN, "[sources.calibration]", f'source = "{how}"', f'as_of = "{found.as_of}"', *rows, END, ""])


def into(text: str, measured: str) -> str:
    """A `hardware.toml` with the measured rows in it, in the place of earlier ones; the rest stays as it stands."""
    before, begin, rest = text.partition(BEGIN)
    if not begin:
        return (text.rstrip("\n") + "\n\n" if text.strip() else "") + measured
    _, _, after = rest.partition(END)
    return before + measured + after.lstrip("\n")


def _row(found: Calibration, rates: Rates, name: str) -> list[str]:
    return [
        f'name = "{name}"',
        'maker = "own"',
        'kind = "cpu"',
        'from = "calibration"',
        f"memory_bytes = {found.memory_bytes}",
        f"bytes_per_second = {rates.bytes_per_second:.4g}",
        f'flops = {{ fp32 = {rates.flops:.4g}, bf16 = {{ unknown = "{NOT_BY_NUMPY}" }}, '
        f'int8 = {{ unknown = "{NOT_BY_NUMPY}" }} }}',
        "shared_memory = true",
    ]


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest try."""
    seconds = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def _one_thread_flops() -> float:
    """In a process of its own: BLAS takes its number of threads when it is loaded."""
    command = "from steelyard.sizing.calibrate import matmul_flops; print(matmul_flops())"
    done = subprocess.run(
        [sys.executable, "-c", command], env={**os.environ, **_ONE_THREAD}, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _processor() -> str:
    """The processor's name with nothing in it that would end a TOML string."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.partition(":")[2] for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    name = names[0] if names else platform.processor() or platform.machine()
    return "".join(letter for letter in name.strip() if letter.isprintable() and letter not in '"\\')


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
