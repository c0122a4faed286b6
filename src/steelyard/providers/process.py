"""Care of child processes: start, talk, notice a crash, start again, and never leave one behind."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import math
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from steelyard.errors import Fault, ProviderError
from steelyard.providers.keys import without_keys

LINE_LIMIT_BYTES = 2**26
STDERR_LINES = 20
STDERR_BYTES = 4096
_BEATS = 6
"""Into how many parts the silence of a child is cut: a pause of this process counts as one of them."""
_PR_SET_PDEATHSIG = 1


class Reply(Protocol):
    """What a child says: which request it belongs to, and whether it is the last word on it."""

    @property
    def id(self) -> int: ...

    @property
    def last(self) -> bool: ...


R = TypeVar("R", bound=Reply)


@dataclass(frozen=True)
class Arrival(Generic[R]):
    """A reply, and the seconds from writing its request to the pipe to reading the reply from the pipe."""

    reply: R
    seconds: float


def die_with_parent() -> None:
    """Called by a child: the kernel kills it when the thread that started it ends. Does nothing off Linux.

    Other systems, and a parent that ended before this call, are the business of whoever reads stdin in the child: it
    has to exit at the end of it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Running(Generic[R]):
    """One life of the child."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.waiting: dict[int, tuple[float, asyncio.Queue[Arrival[R] | ProviderError]]] = {}
        self.stderr = b""
        self.heard = 0
        self.reason = ""
        self.tasks: list[asyncio.Task[None]] = []
        self.crash: ProviderError | None = None

    def kill(self, reason: str) -> None:
        """End it; the first reason counts."""
        self.reason = self.reason or reason
        with suppress(ProcessLookupError):
            self.process.kill()


class ChildProcess(Generic[R]):
    """A child that answers requests line by line, several in flight; belongs to one event loop.

    It starts at `start` or at the first request. Before anything else it must send a reply with id 0. When it
    ends unasked, the requests in flight raise ProviderError(CRASHED) with its last lines of stderr, and the next
    request starts it again, at most `restarts` times without an answer in between.

    A child that beats (sends a reply that no request waits for) is killed as hung once requests wait and it has said
    nothing for `silence_seconds`; how long an answer takes does not matter.
    """

    def __init__(
        self,
        argv: Sequence[str],
        decode: Callable[[bytes], R],
        cancel: Callable[[int], bytes],
        *,
        restarts: int = 3,
        silence_seconds: float = math.inf,
    ) -> None:
        """`decode` reads a line (ValueError: the child speaks nonsense); `cancel` is the line that gives up an id."""
        self._argv = tuple(argv)
        self._decode = decode
        self._cancel = cancel
        self._starts = 1 + restarts
        self._starts_left = self._starts
        self._silence_seconds = silence_seconds
        self._ids = itertools.count(1)
        self._running: _Running[R] | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process id while the child runs."""
        return self._running.process.pid if self._running is not None and not self._running.crash else None

    async def start(self) -> R | None:
        """Start the child unless it runs; its first reply, None if it ran already."""
        async with self._starting:
            if self._running is not None and self._running.crash is None:
                return None
            if self._starts_left == 0:
                assert self._running is not None and self._running.crash is not None
                raise self._running.crash
            self._starts_left -= 1
            await self._reap()
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=without_keys(os.environ),
                limit=LINE_LIMIT_BYTES,
                start_new_session=True,
            )
            running = _Running[R](process)
            first: asyncio.Queue[Arrival[R] | ProviderError] = asyncio.Queue()
            running.waiting[0] = (time.perf_counter(), first)
            running.tasks = [
                asyncio.create_task(self._read_stdout(running)),
                asyncio.create_task(self._read_stderr(running)),
                asyncio.create_task(self._watch(running)),
            ]
            self._running = running
            try:
                arrival = await first.get()
            except asyncio.CancelledError:
                self._starts_left += 1
                running.kill("was given up while it started")
                raise
            if isinstance(arrival, ProviderError):
                raise arrival
            return arrival.reply

    async def ask(self, line: Callable[[int], bytes]) -> AsyncGenerator[Arrival[R], None]:
        """The replies to one request; `line` makes it from its id. Leaving early gives the request up."""
        await self.start()
        running = self._running
        assert running is not None
        number = next(self._ids)
        replies: asyncio.Queue[Arrival[R] | ProviderError] = asyncio.Queue()
        running.waiting[number] = (time.perf_counter(), replies)
        try:
            await self._write(running, line(number))
            while True:
                arrival = await replies.get()
                if isinstance(arrival, ProviderError):
                    raise arrival
                yield arrival
                if arrival.reply.last:
                    return
        finally:
            if running.waiting.pop(number, None) is not None and running.crash is None:
                stdin = running.process.stdin
                assert stdin is not None
                with suppress(ConnectionError):
                    stdin.write(self._cancel(number))

    async def close(self, grace_seconds: float = 2.0) -> None:
        """End the child: its stdin closes, and after `grace_seconds` it is killed. May be called twice."""
        self._starts_left = 0
        running = self._running
        if running is None:
            return
        stdin = running.process.stdin
        assert stdin is not None
        stdin.close()
        try:
            async with asyncio.timeout(grace_seconds):
                await running.process.wait()
        except TimeoutError:
            pass
        finally:
            running.kill("was closed")
        await self._reap()

    async def _reap(self) -> None:
        """Wait for the end of a child that has ended or been killed, and of the tasks that read from it."""
        running = self._running
        if running is not None:
            await running.process.wait()
            await asyncio.wait(running.tasks)

    @staticmethod
    async def _write(running: _Running[R], line: bytes) -> None:
        stdin = running.process.stdin
        assert stdin is not None
        with suppress(ConnectionError):  # the reader of stdout reports the crash, with its reason
            stdin.write(line)
            await stdin.drain()

    async def _read_stdout(self, running: _Running[R]) -> None:
        stdout = running.process.stdout
        assert stdout is not None
        try:
            while line := await stdout.readline():
                self._heard(running, line, time.perf_counter())
        except Exception as error:  # whatever is wrong with what it said, those who wait must hear of it
            running.kill(f"said something that is not a reply ({error})")
        while await stdout.read(LINE_LIMIT_BYTES):
            pass  # an end that is not read is not reported
        status = await running.process.wait()
        running.tasks[2].cancel()
        await asyncio.wait(running.tasks[1:])
        self._report_crash(running, running.reason or _how_it_ended(status))

    def _heard(self, running: _Running[R], line: bytes, now: float) -> None:
        reply = self._decode(line)
        running.heard += 1
        waiting = running.waiting.get(reply.id)
        if waiting is not None:
            since, replies = waiting
            if reply.last:
                del running.waiting[reply.id]
                if reply.id:
                    self._starts_left = self._starts - 1
            replies.put_nowait(Arrival(reply, now - since))

    async def _watch(self, running: _Running[R]) -> None:
        """Kill a child that says nothing. Counted in beats of this loop, which may itself have stood still."""
        if math.isinf(self._silence_seconds):
            return
        silent = 0
        while silent < _BEATS:
            heard = running.heard
            await asyncio.sleep(self._silence_seconds / _BEATS)
            silent = 0 if running.heard != heard or not running.waiting else silent + 1
        running.kill(f"gave no sign of life for {self._silence_seconds:g} seconds and was killed")

    @staticmethod
    async def _read_stderr(running: _Running[R]) -> None:
        stderr = running.process.stderr
        assert stderr is not None
        while data := await stderr.read(2**16):
            running.stderr = (running.stderr + data)[-STDERR_BYTES:]

    def _report_crash(self, running: _Running[R], reason: str) -> None:
        lines = running.stderr.decode(errors="replace").splitlines()[-STDERR_LINES:]
        tail = "".join(f"\n| {line.rstrip()}" for line in lines)
        tries = "" if self._starts_left else f", {self._starts} times in a row"
        running.crash = ProviderError(Fault.CRASHED, f"the model's process {reason}{tries}{tail}")
        for _, replies in running.waiting.values():
            replies.put_nowait(running.crash)


def _how_it_ended(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    memory = ", as a system does that runs out of memory" if -status == signal.SIGKILL else ""
    return f"was ended by {name}{memory}"
