"""A run beside endpoints that misbehave: each ends in one clear line, and the others are measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.hostile import BEHAVIOURS, Hostile, hostile

from steelyard import cli
from steelyard.providers.retry import RetryPolicy

KEY = "sk-canary-91f2"
QUICK: dict[str, int | float] = {
    "connect_seconds": 1.0,
    "first_byte_seconds": 0.5,
    "idle_seconds": 0.5,
    "answer_bytes": 2_000_000,
}
WELL = {
    "good", "closes-between", "content-null", "content-list", "usage-negative", "usage-huge", "usage-text",
    "usage-list", "usage-null", "other-model", "1-MB-answer", "control-characters", "lone-surrogate", "invalid-utf8",
    "content-filter", "good-gzip",
}  # fmt: skip
"""Strange, and yet answers: right or wrong, they are measured."""
PATIENCE = {"10-a-second", "10-a-second-unsaid", "500-every-second", "resets-every-second"}
"""Bearable with the standard patience, which the quick test has no time for."""
HEAVY = {"100-MB", "endless-body", "endless-head", "endless-100", "bomb", "huge-error"}
QUICKLY = sorted(BEHAVIOURS.keys() - PATIENCE - HEAVY)
SAID = {
    "garbage": "malformed answer: the answer is not HTTP; check that base_url",
    "html-200": 'malformed answer: the answer is HTML, titled "Log in to the Wi-Fi"; check that base_url',
    "html-502": "server error: HTML (HTTP 502); run again later",
    "other-json": "malformed answer: the answer has no choices",
    "401": "auth: Incorrect API key provided (HTTP 401); check the key that `key_env` names",
    "403": "permission: Your country is not supported (HTTP 403)",
    "404": "not found: The model does not exist (HTTP 404); check the model's name and the base_url",
    "429-after-3600": "rate limit: slow down (HTTP 429, try again in 3600 s); run again later",
    "500": "server error: boom (HTTP 500); run again later",
    "500-from-the-10th": "server error: boom (HTTP 500)",
    "redirect-elsewhere": "bad request: the address redirects elsewhere, which is not followed; correct base_url",
    "hang-before-head": "timeout: no answer within 1.5 s; see whether the server is up",
    "reset": "unreachable: the connection closed before the answer; check the base_url",
    "cut-body": "cut stream: the connection closed inside the answer; run again",
    "length-empty": "before its first word, as by a model that thinks first: give it room",
    "content-filter-400": "every call failed: content filter",
    "closed-port": "unreachable: no connection to 127.0.0.1:1; check the base_url, and that the server is up",
}


def write_study(folder: Path, endpoints: dict[str, str], options: dict[str, int | float]) -> Path:
    rows = [
        {"message": f"message {n} is {['alpha', 'beta'][n % 2]}", "intent": ["alpha", "beta"][n % 2]} for n in range(80)
    ]
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    candidates: list[Any] = [
        {"id": f"compatible:{name}", "base_url": url, "key_env": "CANARY_KEY", "options": options}
        for name, url in endpoints.items()
    ]
    content = {
        "name": "inbox",
        "question": "Which model?",
        "data": {"file": "data.jsonl", "input": "message", "target": "intent", "test": "25%"},
        "task": {"kind": "classification", "prompt": "{message}", "shots": 0, "calibration": "none"},
        "use": {"purpose": "internal", "commercial": True},
        "workload": {"requests_per_day": 1000},
        "candidates": ["linear", *candidates],
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return folder


@dataclass
class Ran:
    code: int
    said: str
    lines: dict[str, dict[str, Any]]
    server: Hostile
    files: bytes


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """One run with every endpoint at once; time-outs and patience are short."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch, hostile() as server:
        patch.setenv("CANARY_KEY", KEY)
        policy = RetryPolicy(tries=2, busy_tries=3, first_pause_seconds=0.01, deadline_seconds=1.0)
        patch.setattr("steelyard.trials.calls.RetryPolicy", lambda: policy)
        endpoints = {name: server.url(name) for name in QUICKLY}
        write_study(folder, endpoints | {"closed-port": "http://127.0.0.1:1/v1"}, QUICK)
        output, errors = folder / "stdout", folder / "stderr"
        with output.open("w") as stdout, errors.open("w") as stderr:
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", stderr)
            with pytest.raises(SystemExit) as left:
                cli.main(["run", "--yes", str(folder)])
        decided = folder / ".steelyard" / "decision.json"
        assert decided.is_file(), errors.read_text()
        decision = json.loads(decided.read_text())
        lines = {line["candidate"].removeprefix("compatible:"): line for line in decision["standings"]}
        files = b"".join(file.read_bytes() for file in (folder / ".steelyard").rglob("*") if file.is_file())
        yield Ran(int(left.value.code or 0), output.read_text() + errors.read_text(), lines, server, files)


def test_the_result_is_partial_without_a_trace_of_program_or_key(ran: Ran) -> None:
    assert ran.code == 4
    assert "Partial result: " in ran.said
    for word in ("Traceback", "Unclosed", "Warning", "never retrieved", KEY):
        assert word not in ran.said
    assert KEY.encode() not in ran.files
    assert "\x1b[31m" not in ran.said


@pytest.mark.parametrize("name", [*QUICKLY, "closed-port"])
def test_who_answers_is_measured_and_who_does_not_says_why_in_one_line(ran: Ran, name: str) -> None:
    line = ran.lines[name]
    if name in WELL:
        assert (line["not_measured"], line["failures"]) == ("", {})
    else:
        assert SAID.get(name, ": ") in line["not_measured"]
        assert line["not_measured"].isascii() or name == "ansi-error"
        assert "\n" not in line["not_measured"] and len(line["not_measured"]) < 600


def test_of_answers_without_end_little_is_kept(ran: Ran) -> None:
    assert len(ran.files) < 10 * 2**20, "twenty answers of a megabyte are among them"


def test_linear_is_measured_beside_them(ran: Ran) -> None:
    assert ran.lines["linear"]["not_measured"] == ""


def test_a_candidate_that_never_answers_costs_few_calls(ran: Ran) -> None:
    made = {name: len(calls) for name, calls in ran.server.calls.items()}
    assert made["401"] == made["403"] == made["404"] == made["hang-before-head"] == 1
    late = {name for name in BEHAVIOURS if "-from-the-" in name} | {"content-filter-400"}
    assert max(made[name] for name in {*QUICKLY} - WELL - late) <= 4


LOOKED_AT = [
    sys.executable,
    "-c",
    "import resource, subprocess, sys\n"
    "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    "sys.exit(code)",
]
"""A small process between: the peak that Linux tells of a program counts the memory of whoever started it."""


@pytest.mark.slow
def test_a_real_run_bears_what_can_be_borne_and_endless_answers_do_not_fill_the_memory(tmp_path: Path) -> None:
    """With the standard patience, in a process of its own, whose memory is looked at when it has ended."""
    with hostile() as server:
        write_study(tmp_path, {name: server.url(name) for name in HEAVY | PATIENCE}, {"first_byte_seconds": 5.0})
        environment = {**os.environ, "CANARY_KEY": KEY}
        command = [sys.executable, "-W", "error", "-m", "steelyard", "run", "--yes", str(tmp_path)]
        process = subprocess.run([*LOOKED_AT, *command], env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 4, process.stderr
    decision = json.loads((tmp_path / ".steelyard" / "decision.json").read_text())
    given_up = {line["candidate"].removeprefix("compatible:") for line in decision["standings"] if line["not_measured"]}
    assert given_up == HEAVY
    assert int(process.stdout.splitlines()[-1]) < 600 * 1024, "kilobytes"
