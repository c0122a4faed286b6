"""From a hostile study to every stream and file: names and texts from outside are shown, never obeyed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard import cli
from steelyard.cli.init import command as init
from steelyard.visible import hidden

ATTACK = "\x1b[2J\x1b]0;t\x07\x9b2J\u202ex\u2066\u200b[/red]<script>alert(1)</script>`|{{7*7}}"
SEEN = ATTACK[ATTACK.index("[/red]") :]
"""What of it a candidate's id may hold."""


def steelyard(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(list(arguments))
    return int(left.value.code or 0)


def assert_plain(text: str) -> None:
    assert sorted({character for character in text if hidden(character)} - {"\n"}) == []


@pytest.fixture
def study(tmp_path: Path) -> Path:
    rows = [
        {
            f"text{ATTACK}": f"{'where' if n % 2 else 'stop'} {ATTACK} {n}",
            "label": f"{'ab'[n % 2]}{ATTACK}",
            "id": f"{ATTACK}{n}",
        }
        for n in range(60)
    ]
    odd = [{f"text{ATTACK}": "", "label": "a", "id": f"{ATTACK}odd"}, rows[0]]
    file = f"data{ATTACK.replace('/', '')}.jsonl"
    (tmp_path / file).write_text("\n".join(map(json.dumps, rows + odd)))
    content = {
        "name": "inbox",
        "question": f"Which {ATTACK}\nerror: all is lost?",
        "data": {"file": file, "input": f"text{ATTACK}", "target": "label", "test": "40%", "id": "id"},
        "task": {"kind": "classification", "prompt": f"{{text{ATTACK}}}:", "shots": 0},
        "use": {"purpose": "internal", "commercial": True, "field": ATTACK},
        "candidates": [
            "linear",
            f"scripted:{SEEN}",
            {"id": f"compatible:{SEEN}", "key_env": "NO_KEY", "base_url": "http://127.0.0.1:1/v1"},
        ],
    }
    (tmp_path / "study.yaml").write_text(json.dumps(content))
    return tmp_path


def test_a_run_shows_hostile_names_as_plain_text(study: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert steelyard("run", str(study)) == 0
    told = capfd.readouterr()
    assert f"scripted:{SEEN}" in told.err
    assert r"Which \x1b[2J\x1b]0;t\x07\x9b2J\u202ex\u2066\u200b[/red]<script>" in told.err
    assert not any(line.startswith("error:") for line in (told.out + told.err).splitlines())
    output = study / ".steelyard"
    assert steelyard("report", str(study), "--json") == 0
    document = capfd.readouterr().out
    assert json.loads(document) == json.loads((output / "decision.json").read_text())
    assert steelyard("serve", str(study), "--check", "--port", "0") == 0
    answered = capfd.readouterr()
    assert "answered: " in answered.out and len(answered.out.splitlines()) == 2
    for text in (told.out, told.err, document, answered.out, answered.err):
        assert_plain(text)
    for name in ("report.html", "report.md"):
        assert_plain((output / name).read_text("utf-8"))
    assert "<script" not in (output / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    "change",
    [
        {"name": ATTACK},
        {ATTACK: 1},
        {"data": {"file": ATTACK, "input": ATTACK, "target": ATTACK, "test": ATTACK}},
        {"candidates": [ATTACK, f"{ATTACK}:x", "linear+" + ATTACK, f"x {ATTACK}"]},
        {"candidates": [{"id": "scripted:x", "options": {ATTACK: ATTACK, "reply": 1}}, "linear"]},
        {"candidates": [f"no-such-{ATTACK}", f"llama-cpp:{ATTACK}.gguf"]},
        {"require": {"accuracy": ATTACK, ATTACK: ATTACK}},
        {"use": {"purpose": ATTACK, "commercial": ATTACK, "users": {"territories": [ATTACK]}}},
    ],
)
def test_a_hostile_mistake_is_told_as_plain_text(
    study: Path, change: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((study / "study.yaml").read_text())
    (study / "study.yaml").write_text(json.dumps(content | change))
    steelyard("run", str(study))
    told = capfd.readouterr()
    assert_plain(told.out + told.err)
    assert "Traceback" not in told.err


def test_arguments_are_repeated_as_plain_text(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        [ATTACK],
        ["run", ATTACK],
        ["report", ATTACK],
        ["run", "--budget", ATTACK, "x"],
        ["models", "show", ATTACK],
        ["models", "get", f"hf:{ATTACK}"],
        ["licence", "show", ATTACK],
        ["licence", "judge", ATTACK, f"hf:x{ATTACK}"],
        ["init", "--data", ATTACK],
        ["explain", ATTACK],
    ):
        assert steelyard(*arguments) == 2, arguments
        told = capfd.readouterr()
        assert_plain(told.out + told.err)


def test_the_questions_of_init_show_hostile_columns_as_plain_text(tmp_path: Path) -> None:
    rows = [{f"text{ATTACK}": f"a long message {ATTACK} {n}", "label": f"{'ab'[n % 2]}{ATTACK}"} for n in range(20)]
    (tmp_path / f"data{ATTACK.replace('/', '')}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = CliRunner().invoke(init, [str(tmp_path)], input="\nwrong\n\n\n\n\n\n\n\n\n\n\n\n\n\n")
    assert_plain(result.output)
    assert "is not one of" in result.output
    assert (tmp_path / "study.yaml").exists(), result.output
