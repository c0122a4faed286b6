"""The runner: what is called, what is kept, what a failure does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.model import Candidate, Offer, Price
from steelyard.catalogue.resolve import resolve
from steelyard.errors import NotAvailable, Problem
from steelyard.providers.budget import Budget
from steelyard.providers.pool import Pool
from steelyard.providers.privacy import DataRule
from steelyard.providers.protocol import Option, Target
from steelyard.providers.retry import RetryPolicy
from steelyard.quantities import Money, Unknown
from steelyard.trials import Latency, Measurement, NotMeasured
from steelyard.trials.classify import Classification
from steelyard.trials.journal import Journal
from steelyard.trials.run import Contender, Phase, Result, Run, Trialled, dev_messages
from steelyard.usecase import Dataset, DataSpec, Sample, TaskSpec

LABELS = ("delivery_late", "plan_cancel", "refund")
AT = datetime(2026, 11, 1, tzinfo=UTC)
TASK = TaskSpec("classification", "Message: {message}\nIntent:", shots=(0, 3))


def sample(number: int) -> Sample:
    return Sample(f"s{number}", f"text number {number}", LABELS[number % 3], f"sha{number}", number, "data.jsonl")


DATA = Dataset(tuple(sample(n) for n in range(100, 160)), tuple(sample(n) for n in range(60)), LABELS, "print")


@dataclass
class Listener:
    phases: list[tuple[str, Phase, int, int]] = field(default_factory=list)
    partials: list[dict[str, Result]] = field(default_factory=list)

    def phase(self, candidate: str, phase: Phase, done: int, total: int) -> None:
        self.phases.append((candidate, phase, done, total))

    def partial(self, results: dict[str, Result]) -> None:
        self.partials.append(results)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.jsonl"
    rows = [{"input": s.input, "answer": s.target} for s in (*DATA.dev, *DATA.test)]
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path


def contender(book: Path, name: str, options: Mapping[str, Option], *, wire: str = "scripted") -> Contender:
    candidate = resolve(load_catalogue(), f"scripted:{name}")
    assert isinstance(candidate, Candidate)
    return Contender(candidate, Target(wire, name, weights=book, custody="own", options=options))


async def run(
    folder: Path,
    *contenders: Contender,
    budget: Money | None = None,
    listener: Listener | None = None,
    task: TaskSpec = TASK,
) -> Trialled:
    journal = Journal(folder / "journal.sqlite")
    try:
        async with Pool(DataRule("confidential", "own")) as pool:
            return await Run(
                Classification(task, DataSpec("message", "intent"), DATA),
                task,
                DATA,
                pool=pool,
                journal=journal,
                budget=Budget(budget),
                listener=listener or Listener(),
                at=AT,
                retry=RetryPolicy(tries=8, first_pause_seconds=0.0, longest_pause_seconds=0.0),
            ).all(contenders)
    finally:
        journal.close()


def empty(book: Path) -> None:
    book.write_text("")


def measured(trialled: Trialled, name: str) -> Measurement:
    result = trialled.results[name]
    assert isinstance(result, Measurement)
    return result


async def test_scores_are_aligned_with_the_test_samples_and_say_how_it_was_run(book: Path, tmp_path: Path) -> None:
    trialled = await run(
        tmp_path, contender(book, "good", {"accuracy": 1.0}), contender(book, "bad", {"accuracy": 0.4})
    )
    good, bad = measured(trialled, "scripted:good"), measured(trialled, "scripted:bad")
    assert good.samples == bad.samples == tuple(s.id for s in DATA.test)
    assert set(good.scores) == {1.0}
    assert 0.2 < sum(score for score in bad.scores if isinstance(score, float)) / 60 < 0.6
    assert [(c.shots, c.calibration) for c in good.dev_choices] == [(0, "none"), (0, "pmi"), (3, "none"), (3, "pmi")]
    assert [c.chosen for c in good.dev_choices] == [True, False, False, False]
    assert isinstance(good.latency, Latency)
    assert good.latency.total_seconds == (0.05,) * 30
    assert isinstance(good.throughput_per_second, float)


async def test_a_second_run_calls_nothing_and_gives_the_same(book: Path, tmp_path: Path) -> None:
    first = await run(tmp_path, contender(book, "m", {"accuracy": 0.6}))
    stopped = contender(book, "m", {"accuracy": 0.6})
    empty(book)
    again = await run(tmp_path, stopped)
    assert again.results == first.results
    assert again.settings == first.settings


async def test_a_passing_fault_is_retried_and_a_lasting_one_is_counted_not_scored(book: Path, tmp_path: Path) -> None:
    flaky = measured(await run(tmp_path / "a", contender(book, "m", {"fail_every": 3})), "scripted:m")
    assert flaky.failures == {}
    lasting = {"fail_every": 3, "fault": "bad request"}
    filtered = measured(await run(tmp_path / "b", contender(book, "m", lasting)), "scripted:m")
    assert filtered.failures["bad request"] > 5
    unscored = [score for score in filtered.scores if isinstance(score, Unknown)]
    assert len(unscored) == filtered.failures["bad request"]


@pytest.mark.parametrize("fault", ["too long", "content filter"])
async def test_what_a_model_cannot_or_will_not_answer_is_wrong_and_not_asked_again(
    book: Path, tmp_path: Path, fault: str
) -> None:
    item = contender(book, "m", {"fail_every": 3, "fault": fault})
    first = measured(await run(tmp_path, item), "scripted:m")
    assert first.failures[fault] > 5
    assert sum(score == 0.0 for score in first.scores) == first.failures[fault]
    assert first.unparseable_rate == first.failures[fault] / 60
    assert measured(await run(tmp_path, item), "scripted:m").scores == first.scores


async def test_a_wrong_key_ends_one_candidate_and_not_the_others(book: Path, tmp_path: Path) -> None:
    locked_out = contender(book, "locked", {"fail_every": 1, "fault": "auth"})
    trialled = await run(tmp_path, locked_out, contender(book, "m", {}))
    result = trialled.results["scripted:locked"]
    assert isinstance(result, NotMeasured)
    assert "auth" in result.reason
    assert isinstance(trialled.results["scripted:m"], Measurement)


@pytest.mark.parametrize(
    ("fault", "calls"), [("auth", 1), ("unreachable", 8), ("bad request", 2), ("server error", 16)]
)
async def test_a_candidate_that_never_answers_is_given_up_early(
    book: Path, tmp_path: Path, fault: str, calls: int
) -> None:
    """At once where the message has nothing to do with it, else with the second; eight tries each if it may pass."""
    item = contender(book, "m", {"fail_every": 1, "fault": fault})
    result = (await run(tmp_path, item)).results["scripted:m"]
    assert isinstance(result, NotMeasured)
    assert result.reason.startswith(f"{fault}: call {calls} was to fail; ")


async def test_what_is_not_installed_or_set_up_ends_one_candidate_only(book: Path, tmp_path: Path) -> None:
    async def fit(pool: object, progress: object, threads: int) -> Contender:
        raise NotAvailable(Problem("local-extra-missing", "scikit-learn is not installed", next_step="pip install it"))

    wrong = contender(book, "wrong", {"acuracy": 0.5})
    unfitted = replace(contender(book, "unfitted", {}), fit=fit)
    results = (await run(tmp_path, wrong, unfitted, contender(book, "m", {}))).results
    assert [type(results[f"scripted:{name}"]) for name in ("wrong", "unfitted", "m")] == [
        NotMeasured,
        NotMeasured,
        Measurement,
    ]
    assert "scikit-learn is not installed; pip install it" in str(results["scripted:unfitted"])
    assert "acuracy" in str(results["scripted:wrong"]) or "no such option" in str(results["scripted:wrong"])


async def test_a_fixed_setting_is_named_though_nothing_was_chosen(book: Path, tmp_path: Path) -> None:
    fixed = replace(TASK, shots=(3,), calibration="none")
    result = measured(await run(tmp_path, contender(book, "m", {}), task=fixed), "scripted:m")
    assert result.dev_choices == ()
    assert result.settings == "3 shots"


async def test_data_that_may_not_leave_are_not_sent(book: Path, tmp_path: Path) -> None:
    outside = contender(book, "vendor", {})
    outside = replace(outside, target=replace(outside.target, custody="any"))
    result = (await run(tmp_path, outside)).results["scripted:vendor"]
    assert isinstance(result, NotMeasured)
    assert result.gate == "privacy"
    assert "confidential data may not leave" in result.reason


def dear(item: Contender) -> Contender:
    price = Price(
        Decimal(1000), Decimal(1000), valid_from="2026-01-01", valid_to="", source="made for a test", as_of="2026-01-01"
    )
    unknown = Unknown("made for a test")
    offer = Offer("scripted", "m", "none", "m", "", "", (price,), unknown, unknown, unknown)
    return replace(item, candidate=replace(item.candidate, way="api", offer=offer))


async def test_a_budget_is_kept_and_what_was_paid_for_is_kept_too(book: Path, tmp_path: Path) -> None:
    item = dear(contender(book, "m", {}))
    stopped = await run(tmp_path, item, contender(book, "free", {}), budget=Money.of("1"))
    assert stopped.stopped is not None
    assert "is used up" in str(stopped.stopped)
    result = stopped.results["scripted:m"]
    assert isinstance(result, NotMeasured)
    assert "larger --budget" in result.reason
    assert isinstance(stopped.results["scripted:free"], Measurement)
    journal = Journal(tmp_path / "journal.sqlite")
    costs = [trial.cost for trial in journal.trials("scripted:m")]
    journal.close()
    spent = sum(cost.usd for cost in costs if isinstance(cost, Money))
    assert 0 < spent <= 1
    everything = measured(await run(tmp_path, item), "scripted:m")
    assert isinstance(everything.spent, Money)


async def test_the_listener_hears_every_phase_to_its_end(book: Path, tmp_path: Path) -> None:
    listener = Listener()
    await run(tmp_path, contender(book, "m", {}), listener=listener)
    ends = {phase: (done, total) for _, phase, done, total in listener.phases}
    assert ends["test"] == (60, 60)
    assert ends["latency"] == (30, 30)
    assert ends["dev"][0] == ends["dev"][1]


def test_dev_messages_are_never_shown_as_examples_and_at_most_32() -> None:
    task = Classification(TASK, DataSpec("message", "intent"), DATA)
    dev = dev_messages(DATA, task.examples, seed=0)
    assert len(dev) == 32
    assert not {s.id for s in dev} & {s.id for s in task.examples}
    assert not {s.id for s in dev} & {s.id for s in DATA.test}


async def test_where_everybody_stands_is_said_again_while_a_server_is_silent(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steelyard.trials.run.REMIND_EVERY_SECONDS", 0.002)
    listener = Listener()
    await run(tmp_path, contender(book, "m", {"latency_seconds": 0.01, "sleep": True}), listener=listener)
    assert listener.phases.count(("scripted:m", "dev", 0, 64)) >= 3
