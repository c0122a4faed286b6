"""Care of child processes: start, talk, notice a crash, start again, and never leave one behind."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from steelyard.errors import Fault, ProviderError
from steelyard.providers.keys import without_keys

LINE_LIMIT_BYTES = 2**28
STDERR_LINES = 20
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

    Reading stdin to its end and then exiting covers other systems and the moment before this call.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Running(Generic[R]):
    """One life of the child."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.waiting: dict[int, tuple[float, asyncio.Queue[Arrival[R] | ProviderError]]] = {}
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self.tasks: list[asyncio.Task[None]] = []
        self.crash: ProviderError | None = None


class ChildProcess(Generic[R]):
    """A child that answers requests line by line, several in flight; belongs to one event loop.

    It starts at `start` or at the first request. Before anything else it must send a reply with id 0. When it
    ends unasked, the requests in flight raise ProviderError(CRASHED) with its last lines of stderr, and the next
    request starts it again, at most `restarts` times in all.
    """

    def __init__(
        self,
        argv: Sequence[str],
        decode: Callable[[bytes], R],
        cancel: Callable[[int], bytes],
        *,
        restarts: int = 3,
    ) -> None:
        """`decode` reads a line (ValueError: the child speaks nonsense); `cancel` is the line that gives up an id."""
        self._argv = tuple(argv)
        self._decode = decode
        self._cancel = cancel
        self._starts_left = 1 + restarts
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
            ]
            self._running = running
            try:
                arrival = await first.get()
            except asyncio.CancelledError:
                process.kill()
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
            running.process.kill()
        await self._reap()

    async def _reap(self) -> None:
        """Wait for the end of a child that has ended or been killed, and of the tasks that read from it."""
        running = self._running
        if running is not None:
            await running.process.wait()
            await asyncio.gather(*running.tasks)

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
        reason = ""
        while line := await stdout.readline():
            now = time.perf_counter()
            try:
                reply = self._decode(line)
            except ValueError as error:
                reason = f"said something that is not a reply ({error})"
                running.process.kill()
                break
            waiting = running.waiting.get(reply.id)
            if waiting is not None:
                since, replies = waiting
                if reply.last:
                    del running.waiting[reply.id]
                replies.put_nowait(Arrival(reply, now - since))
        status = await running.process.wait()
        await asyncio.wait(running.tasks[1:])
        self._report_crash(running, reason or _how_it_ended(status))

    @staticmethod
    async def _read_stderr(running: _Running[R]) -> None:
        stderr = running.process.stderr
        assert stderr is not None
        while line := await stderr.readline():
            running.stderr.append(line.decode(errors="replace").rstrip())

    def _report_crash(self, running: _Running[R], reason: str) -> None:
        tail = "".join(f"\n| {line}" for line in running.stderr)
        running.crash = ProviderError(Fault.CRASHED, f"the model's process {reason}{tail}")
        for _, replies in running.waiting.values():
            replies.put_nowait(running.crash)


def _how_it_ended(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
