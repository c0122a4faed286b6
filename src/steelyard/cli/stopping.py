"""Ctrl-C and SIGTERM: the work is cancelled, and soon after the process ends, whatever hangs.

To end without ado is safe, because a kill is: what counts has been committed, and child processes die with their
parent. So a thread that computes, a disk that does not answer, or a closing model keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from steelyard.cli import INTERRUPTED
from steelyard.errors import Exit

T = TypeVar("T")

GRACE_SECONDS = 1.0
LAST_SECONDS = 0.5
"""For Python's own end, once the work has been left."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """What the first signal does; later ones do nothing."""

    def __init__(self) -> None:
        self.asked = False
        self._last = _after(GRACE_SECONDS, _leave)
        self._task: asyncio.Task[object] | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: cancel what runs in an event loop, interrupt anything else."""
        if self.asked:
            return
        self.asked = True
        self._last.start()
        if self._task is None or self._task.done():
            raise KeyboardInterrupt
        self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Like asyncio.run. Raises KeyboardInterrupt if the work was stopped."""

        async def stoppable() -> T:
            self._task = asyncio.current_task()
            return await work

        try:
            return asyncio.run(stoppable())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            work.close()
            self._task = None

    def left(self) -> None:
        """The block has been left, as it was asked to: the message is told elsewhere, the process about to end."""
        self._last.cancel()
        _after(LAST_SECONDS, os._exit, Exit.INTERRUPTED).start()


@contextmanager
def stopping() -> Iterator[Stop]:
    """Ctrl-C and SIGTERM stop the block; a block that was stopped ends with KeyboardInterrupt, whatever it raised."""
    stop = Stop()
    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield stop
    except BaseException as error:
        if not stop.asked:
            raise
        stop.left()
        if isinstance(error, Exception):  # of something that was interrupted in the middle
            raise KeyboardInterrupt from None
        raise
    finally:
        if not stop.asked:
            for number, handler in before.items():
                signal.signal(number, handler)


def _after(seconds: float, do: Callable[..., object], *arguments: object) -> threading.Timer:
    timer = threading.Timer(seconds, do, arguments)
    timer.daemon = True
    return timer


def _leave() -> None:
    cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    os.write(2, f"{cursor}\n{INTERRUPTED}\n".encode())
    os._exit(Exit.INTERRUPTED)
