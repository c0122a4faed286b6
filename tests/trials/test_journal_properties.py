"""Whatever a call gave comes out of the journal as it went in, and no two different calls have one key."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.providers.protocol import Target, Timing, Usage
from steelyard.quantities import Money, Unknown
from steelyard.trials import Trial
from steelyard.trials.journal import Journal, call_key

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.floats(allow_nan=False)
SECONDS = st.floats(0, 1e9)
COUNT = st.integers(0, 2**70)
MONEY = st.builds(Money, st.decimals(0, 10**9, allow_nan=False, allow_infinity=False))
UNKNOWN = st.builds(Unknown, TEXT)
TRIALS = st.builds(
    Trial,
    candidate=TEXT,
    sample=TEXT,
    answer=TEXT,
    strict=st.booleans(),
    score=st.floats(0, 1) | UNKNOWN,
    raw=TEXT | st.text("\0\x1b\u2028\ufeff\U0010ffff\"\\'", max_size=9),
    usage=st.builds(Usage, COUNT, COUNT, COUNT, COUNT, st.booleans()),
    timing=st.builds(Timing, SECONDS, SECONDS | st.none()),
    cost=MONEY | UNKNOWN,
    served_model=TEXT,
    label_scores=st.none() | st.lists(NUMBER, max_size=5).map(tuple),
    fault=TEXT,
    lag_seconds=SECONDS,
)
OPTIONS = st.dictionaries(TEXT, TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1), max_size=2)
TARGETS = st.builds(
    Target, TEXT, TEXT, TEXT, weights_sha256=TEXT, adapter_sha256=TEXT, custody=st.just("any"), options=OPTIONS
)
PARTS = st.tuples(st.sampled_from(["answer", "judge", "latency"]), TARGETS, TEXT, TEXT, TEXT, TEXT, st.integers(0, 3))


async def through(path: Path, trials: Sequence[Trial]) -> list[Trial | None]:
    journal = Journal(path)
    await asyncio.gather(*(journal.add(str(number), "answer", trial) for number, trial in enumerate(trials)))
    journal.close()
    again = Journal(path)
    try:
        return [again.find(str(number)) for number in range(len(trials))]
    finally:
        again.close()


@settings(max_examples=settings.default.max_examples // 2)  # two files each
@given(st.lists(TRIALS, min_size=1, max_size=8))
def test_any_trial_comes_back_as_it_was(trials: list[Trial]) -> None:
    with TemporaryDirectory() as folder:
        assert asyncio.run(through(Path(folder) / "j.sqlite", trials)) == trials


def test_a_label_that_cannot_be_has_a_score_of_minus_infinity_when_it_comes_back(tmp_path: Path) -> None:
    trial = Trial("a", "s", "", False, 0.0, "", Usage(), Timing(0.0), Unknown("x"), "m", (-math.inf, -1.0))  # type: ignore[arg-type]
    assert asyncio.run(through(tmp_path / "j.sqlite", [trial])) == [trial]


def same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Equal in type too: the option true is another than 1."""
    return repr(one) == repr(other)


@given(PARTS, PARTS)
def test_two_calls_have_one_key_only_if_they_are_one(one: tuple, other: tuple) -> None:  # type: ignore[type-arg]
    assert (call_key(*one) == call_key(*other)) == same(one, other)


@given(PARTS, st.integers(0, 6), st.data())
def test_a_change_in_any_one_part_is_another_key(parts: tuple, place: int, data: st.DataObject) -> None:  # type: ignore[type-arg]
    other = data.draw(PARTS)
    changed = (*parts[:place], other[place], *parts[place + 1 :])
    assert (call_key(*parts) == call_key(*changed)) == same(parts, changed)


@given(PARTS, TEXT, TEXT, st.integers(2, 4))
def test_text_that_moves_from_one_part_to_the_next_is_another_key(
    parts: tuple,
    first: str,
    second: str,
    place: int,  # type: ignore[type-arg]
) -> None:
    keys = {
        call_key(*parts[:place], one, two, *parts[place + 2 :])
        for one, two in {(first + second, ""), (first, second), ("", first + second)}
    }
    assert len(keys) == len({(first + second, ""), (first, second), ("", first + second)})
    target = parts[1]
    moved = replace(target, base_url=target.base_url + "x"), replace(target, model="x" + target.model)
    assert call_key(parts[0], moved[0], *parts[2:]) != call_key(parts[0], moved[1], *parts[2:])
