"""`steelyard size calibrate` and `steelyard size fit`, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard.cli.size import command
from steelyard.cli.size.calibrate import calibrate_command
from steelyard.cli.size.fit import fit_command
from steelyard.errors import InputError
from steelyard.sizing import calibrate
from steelyard.sizing.accelerators import accelerator
from steelyard.sizing.calibrate import Calibration, Rates

FOUND = Calibration("A processor", 24 << 30, Rates(1, 2e10, 9e10), Rates(8, 4e10, 5e11), 2.0, "2026-11-24")


def test_a_calibration_is_written_beside_the_study_and_read_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "calibrate", lambda day: FOUND)
    done = CliRunner().invoke(calibrate_command, ["--write", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0
    assert accelerator("this_machine", tmp_path).name == "A processor, 8 threads"


def test_a_broken_hardware_file_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "calibrate", lambda day: FOUND)
    (tmp_path / "hardware.toml").write_text("nonsense")
    with pytest.raises(InputError):
        CliRunner().invoke(calibrate_command, ["--write", str(tmp_path)], catch_exceptions=False)
    assert (tmp_path / "hardware.toml").read_text() == "nonsense"


def test_fitting_takes_a_run_first(tmp_path: Path) -> None:
    with pytest.raises(InputError) as found:
        CliRunner().invoke(fit_command, [str(tmp_path)], catch_exceptions=False)
    assert found.value.problems[0].slug == "no-decision"


def test_accelerators_may_be_listed_or_named_again_and_count_once() -> None:
    listed, again = (
        CliRunner().invoke(command, ["show", "gpt-oss-20b", *on, "--json"], catch_exceptions=False).stdout
        for on in (("--on", "h100, l40s"), ("--on", "h100", "--on", "l40s,h100"))
    )
    assert listed == again
    assert [row["accelerator"] for row in json.loads(listed)["on"]] == ["h100_sxm", "l40s"]


def test_a_context_that_makes_no_sense_is_refused_or_remarked_on() -> None:
    none = CliRunner().invoke(command, ["show", "gpt-oss-20b", "--on", "h100", "--context", "0"])
    assert none.exit_code == 2
    assert "at least one token" in none.stderr
    long = CliRunner().invoke(
        command, ["show", "gpt-oss-20b", "--on", "h100", "--context", "1M"], catch_exceptions=False
    )
    assert "reads 131,072 tokens at most" in long.stderr
