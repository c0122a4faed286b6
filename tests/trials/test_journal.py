"""What was paid for is found again."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.errors import NotWritable
from steelyard.providers.protocol import Target, Timing, Usage
from steelyard.quantities import ZERO_USD, Money, Seconds, Tokens, Unknown
from steelyard.trials import Trial
from steelyard.trials.journal import Journal, call_key, spent_before
from steelyard.trials.pace import Pace

TRIAL = Trial(
    candidate="a",
    sample="s1",
    answer="refund",
    strict=True,
    score=1.0,
    raw='he said "refund"\x00\ud7ff',
    usage=Usage(Tokens(10), Tokens(2)),
    timing=Timing(Seconds(0.25), Seconds(0.1)),
    cost=Money(Decimal("0.00012")),
    served_model="m",
    label_scores=(-0.5, -1.25),
)
TARGET = Target(wire="scripted", model="m")


async def test_a_call_is_found_again_exactly_by_another_journal_on_the_same_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    unscored = replace(TRIAL, sample="s2", score=Unknown("cut"), cost=Unknown("no price"), label_scores=None)
    await asyncio.gather(journal.add("k1", "answer", TRIAL), journal.add("k2", "answer", unscored))
    journal.close()
    again = Journal(tmp_path / "j.sqlite")
    assert again.find("k1") == TRIAL
    assert again.find("k2") == unscored
    assert again.find("k3") is None
    again.close()


async def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    await asyncio.gather(*(journal.add(f"k{n}", "answer", replace(TRIAL, sample=f"s{n}")) for n in range(500)))
    assert len({trial.sample for trial in journal.trials("a")}) == 500
    journal.close()


async def test_the_pace_goes_on_where_a_run_was_killed(tmp_path: Path) -> None:
    """15 calls and then 5, one a second; what comes from the journal, and the time it takes, is not counted."""
    path, clock = tmp_path / "j.sqlite", iter(range(1000))
    for fresh in (15, 5):
        journal = Journal(path)
        pace = Pace(journal, "k", lambda: float(next(clock)))
        for cached in [True] * 7 + [False] * fresh:
            pace.add(cached)
        journal.close()
        assert pace.per_second() == (1.0 if fresh == 5 else Unknown("fewer than 20 requests were timed"))
    journal = Journal(path)
    assert journal.pace("k") == (20, 20.0)
    assert Pace(journal, "k").per_second() == 1.0
    journal.close()


async def test_what_was_reserved_stays_spent_until_it_is_settled(tmp_path: Path) -> None:
    """The second call is cut off: nobody settles it, and the next process still counts it."""
    path = tmp_path / "j.sqlite"
    assert spent_before(path) == ZERO_USD
    journal = Journal(path)
    first, second = [await journal.reserve(Money.of(amount)) for amount in ("0.10", "0.01")]
    assert spent_before(path) == journal.spent() == Money.of("0.11")
    journal.settle(first, Money.of("0.07"))
    await journal.add("k", "answer", TRIAL)
    assert journal.spent() == Money.of("0.08")
    journal.close()
    again = Journal(path)
    assert again.spent() == Money.of("0.08")
    assert await again.reserve(Money.of(1)) not in (first, second)
    again.close()
    assert spent_before(path) == Money.of("1.08")


def test_a_journal_that_was_killed_while_it_was_made_has_spent_nothing(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").touch()
    assert spent_before(tmp_path / "j.sqlite") == ZERO_USD


def test_the_key_depends_on_every_part_and_the_parts_cannot_run_into_each_other() -> None:
    def key(**changes: str) -> str:
        parts = {"revision": "r", "rendered": "p", "sample": "s", "content": "c"} | changes
        return call_key("answer", TARGET, repeat=0, **parts)

    keys = [key(), key(revision="rp", rendered=""), key(rendered="q"), key(sample="sc", content=""), key(content="d")]
    keys += [
        call_key("latency", TARGET, "r", "p", "s", "c", 0),
        call_key("answer", TARGET, "r", "p", "s", "c", 1),
        call_key("answer", replace(TARGET, weights_sha256="x"), "r", "p", "s", "c", 0),
        call_key("answer", replace(TARGET, adapter_sha256="x"), "r", "p", "s", "c", 0),
        call_key("answer", replace(TARGET, base_url="http://127.0.0.1/"), "r", "p", "s", "c", 0),
        call_key("answer", replace(TARGET, options={"seed": 1}), "r", "p", "s", "c", 0),
    ]
    assert len(set(keys)) == len(keys)
    assert key() == key()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").mkdir()
    with pytest.raises(NotWritable, match="journal cannot be used"):
        Journal(tmp_path / "j.sqlite")


def test_a_file_that_is_no_journal_is_to_be_moved_away(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(NotWritable, match="move journal"):
        Journal(tmp_path / "j.sqlite")


async def test_a_write_that_fails_is_told_to_whoever_waits_and_the_next_one_works(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    other = sqlite3.connect(tmp_path / "j.sqlite")
    other.execute("create trigger full before insert on calls begin select raise(abort, 'disk is full'); end")
    other.commit()
    with pytest.raises(NotWritable, match="disk is full"):
        await asyncio.wait_for(journal.add("k1", "answer", TRIAL), 10)
    other.execute("drop trigger full")
    other.commit()
    other.close()
    await asyncio.wait_for(journal.add("k1", "answer", TRIAL), 10)
    assert journal.find("k1") == TRIAL
    journal.close()


def test_every_acknowledged_call_survives_a_kill(tmp_path: Path) -> None:
    """The child prints a number only after `add` returned; all printed numbers must be in the file."""
    program = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from steelyard.trials.journal import Journal
from tests_trial import TRIAL

async def main():
    journal = Journal(Path(sys.argv[1]))
    for n in range(100000):
        await journal.add(f"k{n}", "answer", replace(TRIAL, sample=f"s{n}"))
        print(n, flush=True)

asyncio.run(main())
"""
    source = Path(__file__).read_text().split("\nTRIAL = ")[1].split("\nTARGET")[0]
    imports = "\n".join(
        line for line in Path(__file__).read_text().splitlines() if line.startswith(("from decimal", "from steelyard"))
    )
    (tmp_path / "tests_trial.py").write_text(f"{imports}\nTRIAL = {source}\n")
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "j.sqlite")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(25)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.stdout.read().splitlines() if line]
    child.stdout.close()
    child.wait()
    journal = Journal(tmp_path / "j.sqlite")
    assert all(journal.find(f"k{n}") is not None for n in acknowledged)
    journal.close()
