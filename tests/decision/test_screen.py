"""Who will not be called, and which reason is said first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.decision.evidence import MADE_AT, case

from steelyard.catalogue import Candidate
from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.resolve import resolve
from steelyard.decision.screen import screen
from steelyard.providers.protocol import Usage
from steelyard.quantities import ZERO_USD
from steelyard.trials import NotMeasured
from steelyard.trials.plan import Plan
from steelyard.usecase import Privacy, Use, UseCase

PLAN = Plan(240, Usage(), ZERO_USD)


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights and no keys."""
    monkeypatch.setenv("STEELYARD_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def screened(id: str, study: UseCase | None = None) -> NotMeasured | None:
    found = resolve(load_catalogue(), id)
    assert isinstance(found, Candidate)
    return screen(found, study or case(), PLAN, MADE_AT)


def test_what_can_be_called_is_not_screened_out():
    assert screened("linear") is None


def test_weights_that_are_missing_are_named_with_the_command_that_gets_them():
    got = screened("smollm2-135m-instruct")
    assert got == NotMeasured("smollm2-135m-instruct", got.reason, "", 240, ZERO_USD)
    assert "steelyard models get smollm2-135m-instruct" in got.reason


def test_a_weights_file_that_is_not_there_is_not_said_to_be_for_download():
    assert screened("llama-cpp:/nonexist.gguf").reason == "there is no file /nonexist.gguf: correct the path"


def test_a_key_that_is_not_set_is_named():
    assert screened("openai:gpt-5-mini").reason == "OPENAI_API_KEY is not set"


def test_data_that_may_not_leave_are_said_before_a_missing_key():
    got = screened("openai:gpt-5-mini", case(privacy=Privacy("restricted", "own")))
    assert got.gate == "privacy"
    assert got.reason.startswith("restricted data may not leave own machines")


def test_a_way_that_the_study_does_not_allow_is_said_before_a_missing_key():
    assert screened("openai:gpt-5-mini", case(allow_ways=("self-hosted",))).gate == "ways"


def test_of_a_model_that_may_not_be_used_and_cannot_run_here_the_licence_is_said_first():
    got = screened("codestral-22b")
    assert got.gate == "licence"
    assert got.reason.startswith("its licence forbids the intended use: ")
    assert "(Mistral AI Non-Production Licen" in got.reason
    assert "no weights recipe is known" in got.reason


def test_where_the_use_is_allowed_only_what_is_missing_is_said():
    research = replace(case(), use=Use("research", commercial=False))
    got = screened("codestral-22b", research)
    assert got.gate == ""
    assert got.reason.startswith("no weights recipe is known")
