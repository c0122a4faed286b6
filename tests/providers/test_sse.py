"""Server-sent events arrive whole, however their bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.providers.sse import Event, EventParser

STREAM = (
    b"\xef\xbb\xbf: a comment\r\n"
    b"data: first\r\n\r\n"
    b"event: error\rdata: two\rdata:lines\r\r"
    b"id: 7\nretry: 10\ndata:  a space kept\n\n"
    b"event: nothing\n\n"
    b"data\n\n" + 'data: {"text": "👩‍🚀 ☀"}\n\n'.encode() + b"data: no blank line"
)
EVENTS = [
    Event("message", "first"),
    Event("error", "two\nlines"),
    Event("message", " a space kept"),
    Event("message", ""),
    Event("message", '{"text": "👩‍🚀 ☀"}'),
    Event("message", "no blank line"),
]


def parse(pieces: list[bytes]) -> list[Event]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)] + parser.finish()


def test_a_whole_stream_gives_its_events() -> None:
    assert parse([STREAM]) == EVENTS


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_cutting_in_two_anywhere_changes_nothing(cut: int) -> None:
    assert parse([STREAM[:cut], STREAM[cut:]]) == EVENTS


def test_one_byte_at_a_time_changes_nothing() -> None:
    assert parse([STREAM[i : i + 1] for i in range(len(STREAM))]) == EVENTS


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_any_cuts_change_nothing(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert parse([STREAM[a:b] for a, b in pairwise(edges)]) == EVENTS


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_events_are_given_out_as_soon_as_they_are_complete(end: bytes) -> None:
    assert EventParser().feed(b"data: x" + end + end) == [Event("message", "x")]


def test_a_stream_cut_right_after_a_carriage_return_loses_nothing() -> None:
    assert parse([b"data: x\r"]) == [Event("message", "x")]
