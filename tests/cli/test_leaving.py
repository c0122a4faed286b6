"""How the command line says that it was stopped."""

from __future__ import annotations

import click
import pytest

from steelyard import cli
from steelyard.errors import Exit


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyboardInterrupt(), "interrupted: what was measured is kept; the same command goes on from here\n"),
        (click.Abort(), "stopped before anything was done\n"),
    ],
)
def test_a_no_at_a_question_is_not_called_an_interruption(
    raised: BaseException, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def verb() -> None:
        raise raised

    monkeypatch.setattr(cli, "app", verb)
    with pytest.raises(SystemExit) as left:
        cli.main([])
    assert left.value.code == Exit.INTERRUPTED
    assert capsys.readouterr().err.lstrip("\n") == said
