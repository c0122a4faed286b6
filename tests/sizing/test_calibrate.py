"""What this machine is measured to do, and the rows that are made of it."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from steelyard.quantities import Sourced, Unknown
from steelyard.sizing.accelerator_rows import read_rows
from steelyard.sizing.calibrate import BEGIN, Calibration, Rates, bandwidth, calibrate, hardware_toml, into

FOUND = Calibration("A processor", 24 << 30, Rates(1, 2e10, 9e10), Rates(8, 4e10, 5e11), 2.0, "2026-11-24")
OWN = """[sources.ours]
source = "the data sheet"
as_of = "2026-01-01"

[[accelerator]]
id = "rack"
name = "our rack"
maker = "us"
kind = "gpu"
from = "ours"
memory_bytes = 80_000_000_000
"""


def test_the_measured_rows_are_accelerators_of_ones_own() -> None:
    every, one = read_rows(tomllib.loads(hardware_toml(FOUND)), "hardware.toml")
    assert (every.id, one.id, every.kind) == ("this_machine", "this_machine_1_thread", "cpu")
    assert isinstance(every.bandwidth, Sourced)
    assert every.bandwidth.value == 4e10
    assert every.bandwidth.as_of == "2026-11-24"
    assert isinstance(one.flops["fp32"], Sourced)
    assert one.flops["fp32"].value == 9e10
    assert isinstance(one.flops["int8"], Unknown)


def test_a_machine_with_one_thread_has_one_row() -> None:
    assert len(read_rows(tomllib.loads(hardware_toml(replace(FOUND, all=FOUND.one))), "hardware.toml")) == 1


def test_measuring_again_replaces_the_measured_rows_and_nothing_else() -> None:
    once = into(OWN, hardware_toml(FOUND))
    faster = hardware_toml(replace(FOUND, all=Rates(8, 9e10, 5e11)))
    again = into(once, faster)
    assert again == into(OWN, faster)
    assert again.count(BEGIN) == 1
    assert [row.id for row in read_rows(tomllib.loads(again), "x")] == ["rack", "this_machine", "this_machine_1_thread"]
    assert into("", faster) == faster


def test_reading_is_measured_in_bytes_a_second() -> None:
    assert 1e8 < bandwidth(np.ones(1 << 20, dtype=np.int64), 2) < 1e13


@pytest.mark.slow
def test_a_calibration_takes_less_than_twenty_seconds() -> None:
    found = calibrate("2026-11-24")
    assert found.seconds < 20
    assert found.one.bytes_per_second <= found.all.bytes_per_second
    assert found.one.flops <= found.all.flops
