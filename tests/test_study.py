"""The whole story with scripted models: from a study file to files on disk, through the command line."""

from __future__ import annotations

import io
import json
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from steelyard import cli
from steelyard.providers.retry import RetryPolicy

WORDS = {
    "delivery_late": "parcel courier late tracking waiting days",
    "plan_cancel": "cancel subscription stop end plan anymore",
    "refund": "money back refund return paid charge",
}


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder with 90 messages and a study of the given candidates; returns the folder."""

    def write(candidates: list[Any], **changes: Any) -> Path:
        rng = random.Random(5)
        rows = []
        for n in range(150):
            intent = sorted(WORDS)[n % 3]
            words = [rng.choice(WORDS[rng.choice([intent, intent, *WORDS])].split()) for _ in range(7)]
            rows.append({"message": f"{' '.join(words)} {n}", "intent": intent})
        (tmp_path / "data.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
        (tmp_path / "book.jsonl").write_bytes(
            b"\n".join(orjson.dumps({"input": row["message"], "answer": row["intent"]}) for row in rows)
        )
        content: dict[str, Any] = {
            "name": "inbox",
            "question": "Which model?",
            "data": {"file": "data.jsonl", "input": "message", "target": "intent", "test": "40%"},
            "task": {"kind": "classification", "prompt": "Message: {message}\nIntent:"},
            "use": {"purpose": "internal", "commercial": True},
            "workload": {"requests_per_day": 1000},
            "candidates": candidates,
        }
        content.update(changes)
        (tmp_path / "study.yaml").write_text(json.dumps(content))
        return tmp_path

    return write


def steelyard(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(list(arguments))
    return int(left.value.code or 0)


def test_one_command_goes_from_a_data_file_to_a_decision_and_a_report(
    study: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study(["linear", "scripted:echo"], require={"accuracy": ">= 0.5"})
    assert steelyard("run", str(folder)) == 0
    said = capsys.readouterr()
    assert "Take linear" in said.out
    assert "With 60 test samples you will see differences of 17.1 points" in said.err
    assert "answering the test set" in said.err
    decision = json.loads((folder / ".steelyard" / "decision.json").read_text())
    assert decision["schema_version"] == "1.0"
    assert decision["winner"] == "linear"
    assert {"report.html", "report.md", "lock.json", "journal.sqlite"} <= {
        path.name for path in (folder / ".steelyard").iterdir()
    }


def test_json_on_stdout_is_one_document_and_equals_the_file(
    study: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study(["linear"])
    assert steelyard("run", str(folder), "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((folder / ".steelyard" / "decision.json").read_text())


def test_the_second_run_gives_the_same_decision_but_for_its_time(study: Callable[..., Path]) -> None:
    folder = study(["linear", "scripted:echo"])
    path = folder / ".steelyard" / "decision.json"
    assert steelyard("run", str(folder)) == 0
    first = json.loads(path.read_text())
    assert steelyard("run", str(folder)) == 0
    again = json.loads(path.read_text())
    assert {**again, "made_at": ""} == {**first, "made_at": ""}


def test_confidential_data_open_no_socket_to_a_vendor_though_a_key_is_set(
    study: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every socket of the process is counted: none may be opened, not even one that fails."""
    opened: list[Any] = []

    class Counted(socket.socket):
        def connect(self, address: Any) -> None:
            opened.append(address)
            raise AssertionError(f"connected to {address}")

        def connect_ex(self, address: Any) -> int:
            opened.append(address)
            raise AssertionError(f"connected to {address}")

    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    monkeypatch.setattr(socket, "socket", Counted)
    folder = study(["linear", "openai:gpt-5-mini"], privacy={"class": "confidential", "may_send_to": "own"})
    assert steelyard("run", str(folder), "--yes") == 0
    assert opened == []
    decision = json.loads((folder / ".steelyard" / "decision.json").read_text())
    vendor = next(line for line in decision["standings"] if line["candidate"] == "openai:gpt-5-mini")
    assert "confidential data may not leave own machines" in vendor["not_measured"]
    for path in (folder / ".steelyard").rglob("*"):
        assert not path.is_file() or b"sk-canary" not in path.read_bytes()
    said = capsys.readouterr()
    assert "sk-canary" not in said.out + said.err


def test_the_same_vendor_is_called_when_the_data_may_go_there(
    study: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin of the test above: it shows that the rule, and nothing else, kept the socket closed."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    folder = study(["linear", "openai:gpt-5-mini"], privacy={"class": "public"})
    asked: list[str] = []
    lookup = socket.getaddrinfo

    def counted(host: Any, *rest: Any, **named: Any) -> Any:
        asked.append(str(host))
        if "openai" in str(host):
            raise socket.gaierror("no network in tests")
        return lookup(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    monkeypatch.setattr("steelyard.trials.run.RetryPolicy", lambda: RetryPolicy(tries=1))
    assert steelyard("run", str(folder), "--yes") == 4
    assert any("openai" in host for host in asked)
    decision = json.loads((folder / ".steelyard" / "decision.json").read_text())
    assert decision["winner"] == "linear"
    assert "unreachable" in decision["standings"][1]["not_measured"]


def test_without_a_key_a_vendor_is_priced_judged_and_not_measured(study: Callable[..., Path]) -> None:
    folder = study(["linear", "openai:gpt-5-mini"], privacy={"class": "public"})
    assert steelyard("run", str(folder)) == 0
    decision = json.loads((folder / ".steelyard" / "decision.json").read_text())
    vendor = next(line for line in decision["standings"] if line["candidate"] == "openai:gpt-5-mini")
    assert vendor["not_measured"] == "OPENAI_API_KEY is not set"
    assert vendor["cost"]["per_1000"]["value"] > 0
    need = next(need for need in decision["would_need"] if need["candidate"] == "openai:gpt-5-mini")
    assert "finding out takes" in need["sentence"].lower()


def test_a_budget_without_room_still_gives_a_decision_and_exits_5(
    study: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    folder = study(["linear", "openai:gpt-5-mini"], privacy={"class": "public"})
    assert steelyard("run", str(folder), "--yes", "--budget", "0.0000001") == 5
    said = capsys.readouterr()
    assert "Take linear" in said.out
    assert "larger --budget" in said.err


def test_money_is_not_spent_without_a_yes_where_nobody_can_be_asked(
    study: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    folder = study(["linear", "openai:gpt-5-mini"], privacy={"class": "public"})
    assert steelyard("run", str(folder)) == 2
    assert "--yes" in capsys.readouterr().err
    assert not (folder / ".steelyard").exists()


def test_fail_on_exits_3_when_nobody_passes(study: Callable[..., Path]) -> None:
    folder = study(["linear"], require={"accuracy": ">= 1"})
    assert steelyard("run", str(folder)) == 0
    assert steelyard("run", str(folder), "--fail-on", "quality") == 3


def test_all_mistakes_of_a_study_are_told_at_once_with_exit_2(
    study: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study(["linear", "no-such-model"], privcy={"class": "public"})
    assert steelyard("run", str(folder)) == 2
    assert "privcy" in capsys.readouterr().err
    folder = study(["linear", "no-such-model", "nor-this"])
    assert steelyard("run", str(folder)) == 2
    said = capsys.readouterr().err
    assert "no-such-model" in said
    assert "nor-this" in said


@pytest.mark.parametrize("budget", ["much", "-1", "NaN", "1e999x"])
def test_a_budget_that_is_no_amount_is_refused(
    study: Callable[..., Path], budget: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert steelyard("run", str(study(["linear"])), "--budget", budget) == 2
    assert "not an amount" in capsys.readouterr().err
