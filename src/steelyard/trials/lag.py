"""How late the event loop runs: what it adds to a stamp that it takes.

An answer is stamped when the loop reads it. A loop that is busy, or gets no processor, reads late, and the model
seems slow. So its lateness is measured all the time and kept with every trial.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

EVERY_SECONDS = 0.01
TIMER_SECONDS = 0.001
"""The loop's own timers are rounded up to whole milliseconds: that much is no lateness."""


class LagMeter:
    """Asks to be woken 100 times a second and notes how late that happens: `async with LagMeter() as meter`."""

    def __init__(self) -> None:
        self._late = 0.0

    async def __aenter__(self) -> LagMeter:
        self._loop = asyncio.get_running_loop()
        self._wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def seconds(self) -> float:
        """How late the last waking was, or the one that is due by now already is."""
        return max(self._late, self._lateness())

    def _wait(self) -> None:
        self._due = self._loop.time() + EVERY_SECONDS
        self._timer = self._loop.call_at(self._due, self._wake)

    def _wake(self) -> None:
        self._late = max(0.0, self._lateness())
        self._wait()

    def _lateness(self) -> float:
        return self._loop.time() - self._due - TIMER_SECONDS
