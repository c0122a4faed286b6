"""Progress on stderr: bars on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from steelyard.cli.say import Patient
from steelyard.report.terminal import provisional
from steelyard.visible import visible

if TYPE_CHECKING:
    from steelyard.decision import Decision
    from steelyard.study import Prepared, Watcher
    from steelyard.trials.run import Phase

WORDS = {
    "fit": "fitting",
    "dev": "choosing examples and calibration",
    "test": "answering the test set",
    "latency": "timing single requests",
}
PLAIN_EVERY_SECONDS = 10.0


@contextmanager
def watcher(ready: Prepared) -> Iterator[Watcher]:
    """Bars if stderr is a terminal, else a line when a phase begins, ends, and every ten seconds in between."""
    console = Console(file=sys.stderr and cast(IO[str], Patient(sys.stderr)), stderr=True, markup=False, emoji=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(console)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress)


class Bars:
    """One bar a candidate, relabelled as it goes from phase to phase; provisional tiers printed above."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._phases: dict[str, str] = {}

    def phase(self, candidate: str, phase: Phase, done: int, total: int) -> None:
        """Move one candidate's bar."""
        if candidate not in self._tasks:
            self._tasks[candidate] = self._progress.add_task("", total=total)
        if self._phases.get(candidate) != phase:
            self._phases[candidate] = phase
            self._progress.reset(
                self._tasks[candidate], total=total, description=f"{visible(candidate)}: {WORDS[phase]}"
            )
        self._progress.update(self._tasks[candidate], completed=done, total=total)

    def tiers(self, decision: Decision) -> None:
        """Print the provisional tiers above the bars."""
        self._progress.console.print(provisional(decision))


class Lines:
    """The same as plain lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._said: dict[tuple[str, str], float] = {}

    def phase(self, candidate: str, phase: Phase, done: int, total: int) -> None:
        """Say where one candidate is, not more often than it is worth."""
        now = time.monotonic()
        last = self._said.get((candidate, phase))
        if last is not None and done < total and now - last < PLAIN_EVERY_SECONDS:
            return
        self._said[(candidate, phase)] = now
        waiting = ", still waiting for the first answer" if last is not None and done == 0 else ""
        self._console.print(
            f"{now - self._begun:5.0f} s  {visible(candidate)}: {WORDS[phase]} {done}/{total}{waiting}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    def tiers(self, decision: Decision) -> None:
        """Print the provisional tiers."""
        self._console.print(provisional(decision))
