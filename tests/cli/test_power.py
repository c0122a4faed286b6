"""`steelyard power`: what so many samples show."""

from __future__ import annotations

import pytest

from steelyard import cli


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        cli.main(["power", *arguments])
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out + captured.err


def test_samples_give_a_difference_and_a_difference_gives_samples(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "--samples", "240", "--difference", "6%")
    assert code == 0
    assert "240 samples will show differences of 10.3 points with probability 0.8." in text
    assert "A difference of 6 points takes 718 samples to show" in text
    assert "Between any two of 3 candidates" in text


def test_fewer_disagreements_and_fewer_candidates_show_smaller_differences(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = said(capsys, "--samples", "240", "--candidates", "2", "--disagree", "0.1")
    assert "differences of 5.5 points" in text


def test_too_few_samples_show_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert "4 samples will show no difference, however large" in said(capsys, "--samples", "4")[1]


@pytest.mark.parametrize(
    "arguments", [(), ("--difference", "five"), ("--difference", "0"), ("--samples", "9", "--disagree", "2")]
)
def test_what_cannot_be_answered_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, text = said(capsys, *arguments)
    assert code == 2
    assert "help: steelyard explain" in text
