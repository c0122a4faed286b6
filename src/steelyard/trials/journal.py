"""The journal: every finished call, durable before it counts, found again by its key.

SQLite in WAL mode, written by one thread in group commits; readers never block.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import queue
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

import orjson
from pydantic import ConfigDict, TypeAdapter

from steelyard.errors import NotWritable, Problem
from steelyard.providers.protocol import Target
from steelyard.quantities import ZERO_USD, Money
from steelyard.trials.measurement import Trial

JOURNAL = "journal.sqlite"
_SCHEMA = """
create table if not exists calls (
    key text primary key, role text not null, candidate text not null, sample text not null, record blob not null
) without rowid;
create index if not exists calls_by_candidate on calls (candidate, role);
create table if not exists paces (key text primary key, calls integer not null, seconds real not null) without rowid;
create table if not exists spending (number integer primary key, usd text not null);
"""

_TRIAL = TypeAdapter(Trial)
_INFINITE = TypeAdapter(list[Trial], config=ConfigDict(ser_json_inf_nan="constants"))
"""Writes minus infinity, which a label's score may be and JSON has no word for; a dataclass alone takes no config."""

Role = Literal["answer", "judge", "latency"]


@dataclass(frozen=True)
class _Write:
    statement: str
    values: tuple[str | bytes | int | float, ...]
    done: asyncio.Future[None] | None = None


def call_key(role: Role, target: Target, revision: str, rendered: str, sample: str, content: str, repeat: int) -> str:
    """SHA-256 over everything that decides an answer. The model id that the server reports is not part of it."""
    parts = (
        role,
        target.wire,
        target.base_url,
        target.model,
        revision,
        target.weights_sha256,
        target.adapter_sha256,
        orjson.dumps(dict(target.options), option=orjson.OPT_SORT_KEYS).decode(),
        rendered,
        sample,
        content,
        str(repeat),
    )
    digest = hashlib.sha256()
    for part in parts:
        blob = part.encode("utf-8", "surrogatepass")
        digest.update(len(blob).to_bytes(8, "big") + blob)
    return digest.hexdigest()


class Journal:
    """One study's finished calls. A call is in flight until `add` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._reader = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._reader.execute("pragma journal_mode=wal")
            self._reader.executescript(_SCHEMA)
            self._writer = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._writer.execute("pragma synchronous=full")
            last = self._reader.execute("select coalesce(max(number), 0) from spending").fetchone()[0]
        except (sqlite3.Error, OSError) as error:
            raise _unusable(path, error) from error
        self._numbers = itertools.count(int(last) + 1)
        self._closing = False
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def find(self, key: str) -> Trial | None:
        """The finished call with this key, if there is one."""
        row = self._reader.execute("select record from calls where key = ?", (key,)).fetchone()
        return _TRIAL.validate_json(row[0]) if row else None

    def trials(self, candidate: str, role: Role = "answer") -> Iterator[Trial]:
        """All finished calls of one candidate."""
        rows = self._reader.execute("select record from calls where candidate = ? and role = ?", (candidate, role))
        for (record,) in rows:
            yield _TRIAL.validate_json(record)

    async def add(self, key: str, role: Role, trial: Trial) -> None:
        """Write one finished call; returns when it is committed."""
        await self._put(
            "insert or replace into calls values (?, ?, ?, ?, ?)",
            (key, role, trial.candidate, trial.sample, _INFINITE.dump_json([trial])[1:-1]),
        )

    def pace(self, key: str) -> tuple[int, float]:
        """How many calls of a phase have been timed, and the seconds they took together."""
        row = self._reader.execute("select calls, seconds from paces where key = ?", (key,)).fetchone()
        return (int(row[0]), float(row[1])) if row else (0, 0.0)

    def note_pace(self, key: str, calls: int, seconds: float) -> None:
        """Keep how a phase goes, committed no later than whatever is added next."""
        self._queue.put(_Write("insert or replace into paces values (?, ?, ?)", (key, calls, seconds)))

    def spent(self) -> Money:
        """What all runs have spent: calls at their cost, those cut off or under way at what was reserved for them."""
        return _sum(self._reader)

    async def reserve(self, amount: Money) -> int:
        """Enter the amount as spent before its call begins (`Ledger`); returns when it is committed."""
        number = next(self._numbers)
        await self._put("insert into spending values (?, ?)", (number, str(amount.usd)))
        return number

    def settle(self, number: int, actual: Money) -> None:
        """Correct an entry, committed no later than whatever is added next."""
        self._queue.put(_Write("update spending set usd = ? where number = ?", (str(actual.usd), number)))

    def close(self) -> None:
        """Commit what is queued and stop."""
        self._queue.put(None)
        self._thread.join()
        self._reader.close()

    async def _put(self, statement: str, values: tuple[str | bytes | int | float, ...]) -> None:
        done = asyncio.get_running_loop().create_future()
        self._queue.put(_Write(statement, values, done))
        await done

    def _write(self) -> None:
        """Commit whatever has queued up while the last commit was being made durable: the group forms by itself."""
        item = self._queue.get()
        while item is not None:
            group = [item]
            while (item := self._next()) is not None:
                group.append(item)
            self._commit(group)
            item = None if self._closing else self._queue.get()
        self._writer.close()

    def _next(self) -> _Write | None:
        try:
            item = self._queue.get_nowait()
        except queue.Empty:
            return None
        self._closing = item is None
        return item

    def _commit(self, group: list[_Write]) -> None:
        """One transaction for the group; everyone who waits learns whether it is durable."""
        error: sqlite3.Error | None = None
        try:
            self._writer.execute("begin immediate")
            for write in group:
                self._writer.execute(write.statement, write.values)
            self._writer.execute("commit")
        except sqlite3.Error as failed:
            error = failed
            with suppress(sqlite3.Error):
                self._writer.execute("rollback")
        waiting = [write.done for write in group if write.done is not None]
        for loop in {done.get_loop() for done in waiting}:
            with suppress(RuntimeError):  # the loop has closed: nobody waits any more
                loop.call_soon_threadsafe(self._release, [done for done in waiting if done.get_loop() is loop], error)

    def _release(self, waiting: list[asyncio.Future[None]], error: sqlite3.Error | None) -> None:
        for done in waiting:
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(_unusable(self._path, error))


def spent_before(path: Path) -> Money:
    """What earlier runs have spent, read beside a run that may be going on."""
    if not path.exists():
        return ZERO_USD
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
            return _sum(reader)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error


def _sum(reader: sqlite3.Connection) -> Money:
    if not reader.execute("select 1 from sqlite_master where name = 'spending'").fetchone():
        return ZERO_USD  # killed while it was being made
    return Money(sum((Decimal(usd) for (usd,) in reader.execute("select usd from spending")), Decimal(0)))


def _unusable(path: Path, error: Exception) -> NotWritable:
    damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    step = "free disk space or make the folder writable, then run the same command again: it goes on"
    if damaged:
        step = "move journal.sqlite away and run again: what was measured before has to be measured anew"
    return NotWritable(Problem("journal-unusable", f"the journal cannot be used: {error}", str(path), next_step=step))
