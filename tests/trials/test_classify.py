"""How samples become requests and answers become labels."""

from __future__ import annotations

import pytest

from steelyard.trials.classify import Classification, RunSettings, pick_examples
from steelyard.usecase import Dataset, DataSpec, Sample, TaskSpec

LABELS = ("delivery_late", "refund", "refund_status")


def sample(number: int, label: str, text: str = "") -> Sample:
    text = text or f"message {number}"
    return Sample(id=f"s{number}", input=text, target=label, sha256=text, row=number, file="data.jsonl")


DEV = tuple(sample(n, LABELS[n % 3]) for n in range(30))
TASK = TaskSpec("classification", "Message: {message}\nIntent:", shots=(0, 2, 6))
DATA = Dataset(DEV, (sample(99, "refund"),), LABELS, "f")


@pytest.fixture
def task() -> Classification:
    return Classification(TASK, DataSpec("message", "intent"), DATA)


def test_the_prefix_is_the_first_examples_with_their_labels_and_shorter_ones_begin_longer_ones(
    task: Classification,
) -> None:
    none, two, six = (task.label_request("hello", RunSettings(shots)).prefix for shots in (0, 2, 6))
    assert none == ""
    assert two.count("Message: ") == two.count("Intent: ") == 2
    assert six.startswith(two)


def test_a_message_with_braces_is_not_a_template(task: Classification) -> None:
    assert task.render("{message} {0} {intent}") == "Message: {message} {0} {intent}\nIntent:"


def test_the_labels_follow_the_prompt_as_words(task: Classification) -> None:
    request = task.label_request("hello", RunSettings(2))
    assert request.labels == (" delivery late", " refund", " refund status")
    assert request.prompt == "Message: hello\nIntent:"


def test_a_chat_model_is_told_the_labels_and_sees_the_examples_as_turns(task: Classification) -> None:
    messages = task.conversation("hello", RunSettings(2)).messages
    assert [m.role for m in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "delivery late, refund, refund status" in messages[0].content


def test_labels_with_commas_stand_one_a_line(task: Classification) -> None:
    labels = ("late, lost", "refund")
    dataset = Dataset((sample(0, "refund"),), (sample(1, "late, lost"),), labels, "f")
    (rule, *_) = Classification(TASK, DataSpec("message", "intent"), dataset).conversation("x", RunSettings()).messages
    assert rule.content.splitlines()[1:] == list(labels)


@pytest.mark.parametrize(
    ("said", "label", "strict"),
    [
        ("refund", "refund", True),
        (" refund_status\n", "refund_status", True),
        ("Refund status.", "refund_status", False),
        ("The intent is: Delivery Late!", "delivery_late", False),
        ("refund or delivery late", "", False),
        ("I cannot help with that", "", False),
        ("refunds", "", False),
        ("", "", False),
    ],
)
def test_an_answer_names_one_label_or_none(task: Classification, said: str, label: str, strict: bool) -> None:
    assert task.parse(said) == (label, strict)


def test_examples_take_one_of_each_label_in_turn_and_the_seed_decides() -> None:
    picked = pick_examples(DEV, LABELS, 6, seed=1)
    assert sorted(s.target for s in picked[:3]) == sorted(LABELS)
    assert picked == pick_examples(DEV, LABELS, 6, seed=1)
    assert picked != pick_examples(DEV, LABELS, 6, seed=2)


def test_a_label_without_dev_samples_has_no_example_and_more_than_all_is_all() -> None:
    assert len(pick_examples(DEV[:2], LABELS, 24, seed=0)) == 2


def test_the_rendered_form_changes_with_everything_that_decides_an_answer(task: Classification) -> None:
    scoring = frozenset({"score_labels"})
    forms = {
        task.rendered("a", RunSettings(0), scoring),
        task.rendered("b", RunSettings(0), scoring),
        task.rendered("a", RunSettings(2), scoring),
        task.rendered("a", RunSettings(0, (0.0, -1.0, -2.0)), scoring),
        task.rendered("a", RunSettings(0), frozenset({"complete"})),
    }
    assert len(forms) == 5
