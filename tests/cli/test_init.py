"""`steelyard init` asks, guesses, and writes a study that loads."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from steelyard.cli.init import command
from steelyard.errors import InputError
from steelyard.usecase.load import load_study

ROWS = "".join(f"this is message number {number},{'ab'[number % 2]}\n" for number in range(20))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "My inbox"
    home.mkdir()
    (home / "data.csv").write_text(f"message,intent\n{ROWS}")
    return home


def init(*arguments: str | Path, answers: list[str] | None = None) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], input="\n".join(answers or []))
    if isinstance(result.exception, InputError):
        raise result.exception
    return result


def test_yes_takes_every_guess_and_the_study_loads(folder: Path) -> None:
    result = init(folder, "--yes")
    assert result.exit_code == 0
    assert "2 labels, 12 samples to choose on, 8 sealed" in result.output
    case = load_study(folder)
    assert (case.name, case.data.input, case.data.target) == ("My-inbox", "message", "intent")
    assert "linear" in [candidate.id for candidate in case.candidates]


def test_answers_end_up_in_the_study_and_wrong_ones_are_asked_again(folder: Path) -> None:
    answers = [
        "",
        "",
        "",
        "bad name",
        "inbox",
        "",
        "product",
        "n",
        "",
        "de",
        "DE",
        "DE, FR",
        "public",
        "5000",
        "opnai:x",
        "linear",
    ]
    result = init(folder, answers=answers)
    assert result.exit_code == 0, result.output
    assert result.output.count("Error") == 3
    case = load_study(folder)
    assert (case.name, case.use.purpose, case.use.commercial) == ("inbox", "product", False)
    assert (case.use.organisation.domicile, case.use.users.territories) == (("DE",), ("DE", "FR"))
    assert [candidate.id for candidate in case.candidates] == ["linear"]


def test_a_test_file_and_a_new_folder_are_named_relative_to_the_study(folder: Path) -> None:
    test = folder / "test.csv"
    test.write_text(f"message,intent\n{ROWS}\nanother one,a")
    answers = ["", "", "", str(test), *[""] * 10]
    result = init(folder / "study", "--data", folder / "data.csv", answers=answers)
    assert result.exit_code == 0, result.output
    case = load_study(folder / "study")
    assert (case.data.train, case.data.test) == ((folder / "data.csv").resolve(), test.resolve())
    assert "8 sealed" not in result.output


def test_a_study_is_overwritten_by_force_only(folder: Path) -> None:
    init(folder, "--yes")
    (folder / "study.yaml").write_text("mine")
    with pytest.raises(InputError, match="--force"):
        init(folder, "--yes")
    assert (folder / "study.yaml").read_text() == "mine"
    init(folder, "--yes", "--force")
    assert load_study(folder)


@pytest.mark.parametrize("files", [[], ["a.csv", "b.csv"]])
def test_yes_does_not_choose_between_data_files(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="--data FILE"):
        init(tmp_path, "--yes")


def test_giving_up_writes_nothing(folder: Path) -> None:
    assert init(folder, answers=["", ""]).exit_code == 1
    assert not (folder / "study.yaml").exists()


def test_the_next_command_can_be_pasted_and_one_is_singular(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text(f"message,intent\n{ROWS},a\n")
    home = tmp_path / "my study ü"
    output = init(home, "--data", data, "--yes").output
    assert f"Next: steelyard run '{home}'" in output
    assert "1 odd row," in output


def test_a_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("message,intent\nhello there,a\nhow are you,a\n")
    with pytest.raises(InputError, match="every usable row has the same target"):
        init(tmp_path / "new" / "study", "--data", data, "--yes")
    assert list(tmp_path.iterdir()) == [data]
    (tmp_path / "study.yaml").write_text("mine")
    with pytest.raises(InputError, match="every usable row has the same target"):
        init(tmp_path, "--yes", "--force")
    assert (tmp_path / "study.yaml").read_text() == "mine"
