"""How many requests a second a candidate answers, over all runs that asked the same: a kill costs no measurement."""

from __future__ import annotations

import time
from collections.abc import Callable

from steelyard.quantities import Unknown
from steelyard.trials.journal import Journal

MINIMUM = 20
"""Requests below which a rate says nothing."""


class Pace:
    """Counts the calls of one candidate's test; `key` is the same for runs that ask the same.

    The time counts from the first call that is not taken from the journal.
    """

    def __init__(self, journal: Journal, key: str, now: Callable[[], float] = time.perf_counter) -> None:
        self._journal, self._key, self._now = journal, key, now
        self._before = self._total = journal.pace(key)
        self._begun, self._fresh = now(), 0

    def add(self, cached: bool) -> None:
        """One more call is done."""
        if cached:
            self._begun = self._begun if self._fresh else self._now()
            return
        self._fresh += 1
        calls, seconds = self._before
        self._total = (calls + self._fresh, seconds + self._now() - self._begun)
        self._journal.note_pace(self._key, *self._total)

    def per_second(self) -> float | Unknown:
        """Requests per second of one replica."""
        calls, seconds = self._total
        return calls / seconds if calls >= MINIMUM and seconds > 0 else Unknown("fewer than 20 requests were timed")
