"""From files to routes; then the command itself, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.resolve import resolve
from steelyard.cli import main
from steelyard.decision import DataSummary, Decision, Evidence
from steelyard.decision.decide import decide
from steelyard.decision.store import load, save
from steelyard.errors import InputError, NotAvailable
from steelyard.licences import Verdict
from steelyard.providers.protocol import Completion, Provider, Request, Target, Timing, Usage
from steelyard.quantities import Seconds, Unknown
from steelyard.serving.wiring import wire, wired
from steelyard.trials import Measurement
from steelyard.trials.classify import RunSettings
from steelyard.trials.lock import Lock, Ran, load_lock, save_lock
from steelyard.usecase import Dataset, UseCase
from steelyard.usecase.load import load_study
from steelyard.usecase.read import load_dataset

STUDY = """
name: inbox
data: {file: inbox.jsonl, input: message, target: intent, test: 50%}
task: {kind: classification, prompt: "Message: {message}\\nIntent:", shots: [0, 2], calibration: none}
use: {purpose: evaluate, commercial: false}
privacy: {class: confidential, may_send_to: own}
candidates: [scripted:good, scripted:fair, {id: "compatible:far", base_url: "http://127.0.0.1:9/v1", key_env: FAR_KEY}]
"""
WHY = Unknown("a test")


class Listener:
    """A chat model that says what it is told to, and keeps what it was asked."""

    target = Target("fake", "listener")
    verbs = frozenset({"complete"})

    def __init__(self, says: str) -> None:
        self.says, self.asked = says, list[Request]()

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        return Completion(self.says, "stop", Usage(), Timing(Seconds(0.1)), "listener")


def measured(candidate: str, scores: tuple[float, ...], dataset: Dataset) -> Measurement:
    ids, answers = tuple(sample.id for sample in dataset.test), tuple(sample.target for sample in dataset.test)
    return Measurement(candidate, ids, scores, answers, 1.0, 1.0, 0.0, Usage(), len(ids), WHY, WHY, WHY)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study that was run: `scripted:good` won; two examples were chosen for it, none for the others."""
    rows = [{"message": f"message {n} about {label}", "intent": label} for n in range(8) for label in ("bill", "lost")]
    (tmp_path / "inbox.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "study.yaml").write_text(STUDY)
    case = load_study(tmp_path)
    dataset = load_dataset(case.data)
    catalogue = load_catalogue()
    evidence = []
    for place, spec in enumerate(case.candidates):
        candidate = resolve(catalogue, spec.id, base_url=spec.base_url, key_env=spec.key_env)
        assert not hasattr(candidate, "slug")
        right = len(dataset.test) - 2 * place
        scores = (1.0,) * right + (0.0,) * (len(dataset.test) - right)
        evidence.append(Evidence(candidate, Verdict("allowed", ()), measured(spec.id, scores, dataset), WHY))
    summary = DataSummary(len(dataset.dev), len(dataset.test), 2, dataset.fingerprint, 0, 0, (), 1)
    decision = decide(case, evidence, summary, made_at=datetime(2026, 3, 1, tzinfo=UTC), versions={})
    save(decision, case.output)
    ran = [Ran(spec.id, RunSettings(0 if n else 2), "", "", "") for n, spec in enumerate(case.candidates)]
    save_lock(Lock(decision.made_at, "inbox", "", dataset.fingerprint, 0, {}, tuple(ran)), case.output)
    return tmp_path


def parts(study: Path) -> tuple[UseCase, Decision, Lock, Dataset]:
    case = load_study(study)
    decision = load(case.output)
    return case, decision, load_lock(case.output, decision.made_at), load_dataset(case.data)


def test_what_a_killed_run_left_half_written_is_not_served(study: Path) -> None:
    output = load_study(study).output
    lock = load_lock(output, load(output).made_at)
    save_lock(replace(lock, made_at="2026-02-28T00:00:00+00:00"), output)
    with pytest.raises(InputError, match="of another run than the decision beside it"):
        wire(study)


def test_routes_stand_in_the_decisions_order_and_what_cannot_run_is_left_out_with_its_reason(study: Path) -> None:
    found = wire(study)
    assert [route.candidate_id for route in found.routes] == ["scripted:good", "scripted:fair"]
    assert found.left_out == ("compatible:far: FAR_KEY is not set",)
    assert (found.rule.data_class, found.rule.may_send_to) == ("confidential", "own")
    assert all(route.passes_conversation for route in found.routes)


async def test_a_route_does_the_task_with_the_settings_that_were_chosen_on_dev(study: Path) -> None:
    winner, second = wire(study).routes
    listener = Listener("Lost.")
    assert (await winner.answer_task(_provider(listener), "where is it?")).text == "lost"
    assert (await second.answer_task(_provider(listener), "where is it?")).text == "lost"
    with_two, with_none = listener.asked
    assert (len(with_two.messages), len(with_none.messages)) == (6, 2)
    assert with_two.messages[-1].content == "Message: where is it?\nIntent:"


async def test_an_answer_that_names_no_label_is_empty(study: Path) -> None:
    (winner, _) = wire(study).routes
    assert (await winner.answer_task(_provider(Listener("no idea")), "where is it?")).text == ""


def test_the_check_question_is_shown_in_no_prompt(study: Path) -> None:
    case, _, _, dataset = parts(study)
    assert wire(study).question in {sample.input for sample in dataset.dev}
    assert case.name == "inbox"


def test_changed_data_mean_other_examples_and_are_refused(study: Path) -> None:
    with (study / "inbox.jsonl").open("a") as file:
        file.write('\n{"message": "one more", "intent": "bill"}\n')
    with pytest.raises(InputError, match="data have changed"):
        wire(study)


def test_a_winner_without_its_key_is_an_error(study: Path) -> None:
    case, decision, lock, dataset = parts(study)
    far = replace(decision, winner="compatible:far", fallback_order=("compatible:far", "scripted:good"))
    with pytest.raises(NotAvailable, match="FAR_KEY is not set"):
        wired(case, far, lock, dataset, load_catalogue())


def test_without_a_winner_there_is_nothing_to_serve(study: Path) -> None:
    case, decision, lock, dataset = parts(study)
    with pytest.raises(InputError, match="no candidate passed"):
        wired(case, replace(decision, winner=None, fallback_order=()), lock, dataset, load_catalogue())


def test_a_candidate_taken_out_of_the_study_is_not_served_from_memory(study: Path) -> None:
    case, decision, lock, dataset = parts(study)
    with pytest.raises(InputError, match=r"scripted:good is not in the study"):
        wired(replace(case, candidates=case.candidates[1:]), decision, lock, dataset, load_catalogue())


def test_no_decision_yet_says_what_to_run(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study / ".steelyard" / "decision.json").unlink()
    assert serve(study) == 2
    said = capsys.readouterr().err
    assert "no decision yet" in said and "steelyard run" in said


def test_a_port_in_use_stops_before_anything_is_loaded(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert serve(study, "--port", str(taken.getsockname()[1])) == 2
    said = capsys.readouterr().err
    assert "in use" in said and "loading" not in said


def test_a_log_that_cannot_be_written_stops_the_start(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study / ".steelyard" / "usage.jsonl").mkdir()
    assert serve(study, "--port", "0") == 2
    assert "nothing is served unlogged" in capsys.readouterr().err


def test_check_asks_one_question_and_stops(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(study, "--port", "0", "--check") == 0
    assert "answered: bill  (scripted:good)" in capsys.readouterr().out
    assert len((study / ".steelyard" / "usage.jsonl").read_text().splitlines()) == 1


def test_a_check_without_an_answer_fails_the_gate(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (study / "study.yaml").read_text()
    for name in ("scripted:good", "scripted:fair"):
        text = text.replace(name, f'{{id: "{name}", options: {{fail_every: 1, fault: content filter}}}}')
    (study / "study.yaml").write_text(text)
    assert serve(study, "--port", "0", "--check") == 3
    assert "the endpoint answered 400: content filter" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_printed_curl_works_and_a_signal_stops_cleanly_within_two_seconds(
    study: Path, number: signal.Signals
) -> None:
    with started(study) as (process, greeting):
        curl = next(line for line in greeting if line.startswith("curl "))
        url, body = curl.split()[1], curl.split("-d ", 1)[1].strip().strip("'")
        request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            assert json.load(response)["choices"][0]["message"]["content"] == "bill"
        told = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=5) == 0
        assert time.monotonic() - told < 2


def serve(study: Path, *options: str) -> int:
    """The command in this process; its exit code."""
    with pytest.raises(SystemExit) as left:
        main(["serve", str(study), *options])
    return int(left.value.code or 0)


@contextmanager
def started(study: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "steelyard", "serve", str(study), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        greeting = []
        for line in process.stdout:
            greeting.append(line)
            if line.startswith("Ctrl-C"):
                break
        yield process, greeting
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _provider(listener: Listener) -> Provider:
    return listener  # type: ignore[return-value]
