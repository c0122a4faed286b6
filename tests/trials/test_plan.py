"""What a run would take, told before anything is spent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from steelyard.catalogue import Candidate
from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.resolve import resolve
from steelyard.quantities import Money, Unknown
from steelyard.trials.classify import Classification
from steelyard.trials.plan import THINKING_TOKENS, plan
from steelyard.usecase import Dataset, DataSpec, Sample, TaskSpec

AT = datetime(2026, 11, 1, tzinfo=UTC)
LABELS = ("cancel", "refund")


def sample(number: int) -> Sample:
    return Sample(f"s{number}", "where is my money " * 5, LABELS[number % 2], f"sha{number}", number, "data.jsonl")


DATA = Dataset(tuple(sample(n) for n in range(100, 120)), tuple(sample(n) for n in range(30)), LABELS, "print")
TASK = TaskSpec("classification", "Message: {message}\nIntent:", shots=(0, 4))


def candidate(text: str) -> Candidate:
    found = resolve(load_catalogue(), text)
    assert isinstance(found, Candidate)
    return found


@pytest.fixture
def task() -> Classification:
    return Classification(TASK, DataSpec("message", "intent"), DATA)


def test_choosing_takes_every_setting_on_every_dev_message_and_measuring_the_test_set(task: Classification) -> None:
    assert plan(task, candidate("openai:gpt-4.1-mini"), (0, 4), DATA.dev[:10], DATA.test, AT).calls == 2 * 10 + 30
    assert plan(task, candidate("openai:gpt-4.1-mini"), (4,), DATA.dev[:10], DATA.test, AT).calls == 30


def test_more_examples_cost_more(task: Classification) -> None:
    few, many = (plan(task, candidate("openai:gpt-4.1-mini"), shots, (), DATA.test, AT).cost for shots in ((0,), (4,)))
    assert isinstance(few, Money)
    assert isinstance(many, Money)
    assert few < many


def test_a_reasoning_model_is_expected_to_bill_tokens_nobody_sees(task: Classification) -> None:
    thinks = plan(task, candidate("openai:gpt-5-mini"), (0,), (), DATA.test, AT).per_request
    answers = plan(task, candidate("openai:gpt-4.1-mini"), (0,), (), DATA.test, AT).per_request
    assert thinks.reasoning_tokens == THINKING_TOKENS
    assert thinks.output_tokens - answers.output_tokens == THINKING_TOKENS
    assert thinks.estimated


def test_own_machines_are_not_paid_by_the_call_and_an_unpriced_vendor_is_not_free(task: Classification) -> None:
    own = plan(task, candidate("smollm2-135m-instruct"), (0,), (), DATA.test, AT).cost
    assert own == Money(Decimal(0))
    stranger = replace(candidate("openai:gpt-5-mini"), offer=Unknown("nobody has told"))
    assert plan(task, stranger, (0,), (), DATA.test, AT).cost == Unknown("nobody has told")
