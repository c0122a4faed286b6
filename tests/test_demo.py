"""The demo itself, end to end, with real models: minutes long, so only with ALL=1."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.weights import find_weights

EXAMPLE = Path(__file__).parents[1] / "examples" / "support-inbox"
STEELYARD = [sys.executable, "-m", "steelyard"]


def need_weights() -> None:
    models = load_catalogue().models
    for name in ("smollm2-135m-instruct", "gemma-3-270m"):
        if find_weights(models[name], models[name].weights[0]) is None:
            pytest.skip(f"needs weights: steelyard models get {name}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in a folder of its own, run once."""
    pytest.importorskip("xllamacpp", reason="needs the [local] extra")
    need_weights()
    folder = tmp_path_factory.mktemp("demo") / "support-inbox"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".steelyard"))
    env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    begun = time.monotonic()
    run = subprocess.run(
        [*STEELYARD, "run", str(folder), "--yes"], capture_output=True, text=True, timeout=1800, env=env, check=False
    )
    (folder / "stdout.txt").write_text(run.stdout)
    (folder / "stderr.txt").write_text(run.stderr)
    (folder / "seconds.txt").write_text(f"{time.monotonic() - begun:.0f}")
    assert run.returncode == 0, run.stderr[-2000:]
    return folder


def decision(demo: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads((demo / ".steelyard" / "decision.json").read_text())
    return document


@pytest.mark.slow
def test_the_demo_measures_four_candidates_and_says_why_the_others_are_not(demo: Path) -> None:
    lines = {line["candidate"]: line for line in decision(demo)["standings"]}  # type: ignore[attr-defined]
    measured = {name for name, line in lines.items() if not line["not_measured"]}
    assert measured == {"linear", "smollm2-135m-instruct", "smollm2-135m-instruct+head", "gemma-3-270m"}
    assert all(lines[name]["quality"]["n"] == 240 for name in measured)
    assert lines["openai:gpt-5-mini"]["not_measured"] == "OPENAI_API_KEY is not set"
    assert lines["codestral-22b"]["licence"]["status"] == "forbidden"
    assert "§3.2" in lines["codestral-22b"]["licence"]["reasons"][0]["clause"]


@pytest.mark.slow
def test_the_quality_floor_lets_one_pass_and_one_fail_and_both_winners_are_named(demo: Path) -> None:
    document = decision(demo)
    quality = [
        gate["outcome"]
        for line in document["standings"]  # type: ignore[attr-defined]
        for gate in line["gates"]
        if gate["name"] == "quality" and not line["not_measured"]
    ]
    assert "passed" in quality
    assert "failed" in quality
    assert document["winner"]
    assert document["best_language_model"]


@pytest.mark.slow
def test_the_demo_beats_guessing_by_far_with_a_real_language_model(demo: Path) -> None:
    """14 intents: guessing is right in 7 %."""
    lines = {line["candidate"]: line for line in decision(demo)["standings"]}  # type: ignore[attr-defined]
    assert lines["smollm2-135m-instruct"]["quality"]["value"] > 0.15
    assert lines["smollm2-135m-instruct+head"]["quality"]["value"] > 0.4
    assert lines["linear"]["quality"]["value"] > 0.5


@pytest.mark.slow
def test_the_vendors_say_what_they_would_have_to_reach_and_what_finding_out_costs(demo: Path) -> None:
    needs = {need["candidate"]: need for need in decision(demo)["would_need"]}  # type: ignore[attr-defined]
    assert set(needs) == {"openai:gpt-5-mini", "gemini:gemini-2.5-flash"}
    assert all(0.5 < need["needed_quality"]["value"] < 1 for need in needs.values())
    assert all(float(need["cost_to_find_out"]["usd"]) > 0 for need in needs.values())


@pytest.mark.slow
def test_a_second_run_calls_no_model_and_ends_in_seconds(demo: Path) -> None:
    before = decision(demo)
    begun = time.monotonic()
    run = subprocess.run([*STEELYARD, "run", str(demo)], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert time.monotonic() - begun < 60
    after = decision(demo)
    assert {**after, "made_at": ""} == {**before, "made_at": ""}


@pytest.mark.slow
def test_the_winner_is_served_and_answers_its_test_question(demo: Path) -> None:
    run = subprocess.run(
        [*STEELYARD, "serve", str(demo), "--check", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
