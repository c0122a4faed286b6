"""The verdict's sentences beyond who wins: language models that are absent, and how many answers are wrong."""

from __future__ import annotations

import pytest
from tests.decision.evidence import decided, measured, scores, unmeasured

LINEAR = measured("linear", scores(240, 240), openness="baseline")


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([], "The study names no language model."),
        (
            [unmeasured("api", "every call failed: auth")],
            "No language model was measured: api (every call failed: auth).",
        ),
        ([measured("poor", scores(90, 240))], "No language model passed every gate."),
        (
            [measured("poor", scores(90, 240)), unmeasured("api")],
            "No language model passed every gate; not measured: api (THE_KEY is not set).",
        ),
    ],
)
def test_why_there_is_no_language_model_to_name(others, said):
    assert decided(LINEAR, *others).verdict.endswith(said)


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (155, "About 1 in 3 requests would be answered wrongly."),
        (171, "About 3 in 10 requests would be answered wrongly."),
        (212, "About 1 in 9 requests would be answered wrongly."),
    ],
)
def test_more_than_one_error_in_ten_is_said_in_plain_numbers(right, said):
    assert said in decided(measured("m", scores(right, 240))).verdict


def test_fewer_errors_are_not_said_again():
    assert "wrongly" not in decided(measured("m", scores(216, 240))).verdict
