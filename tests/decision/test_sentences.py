"""Sentences hold together at the edges of what is shown."""

from __future__ import annotations

from steelyard.decision.sentences import gate_sentence, limit
from steelyard.usecase import Requirement


def test_a_limit_below_the_usual_digits_is_shown_in_as_many_as_it_takes():
    tight = Requirement("latency_p95", "<=", 0.00004, "<= 0.04 ms")
    assert limit(tight) == "latency_p95 <= 0.04 ms"
    assert gate_sentence(tight, 0.00024) == "95 % of the answers within 0.2 ms, 0.2 ms over the limit of 0.04 ms."


def test_a_miss_too_small_to_show_is_not_a_miss_of_nothing():
    floor = Requirement("accuracy", ">=", 0.6, ">= 0.60")
    assert gate_sentence(floor, 0.5999) == "60 % right, less than 0.1 points short of the 60 % asked for."
