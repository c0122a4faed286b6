"""A Target is all a provider needs; where there is none, the reason says what would help."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steelyard.catalogue import Candidate
from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.resolve import resolve
from steelyard.catalogue.target import target, why_not_runnable
from steelyard.errors import NotAvailable, Problem

LOCAL = "http://127.0.0.1:8000/v1"


@pytest.fixture(autouse=True)
def built_in_providers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wires = ("linear", "llama-cpp", "openai", "recorded", "scripted")
    monkeypatch.setattr("steelyard.plugins.names", lambda kind: wires if kind == "providers" else ())
    monkeypatch.setenv("STEELYARD_WEIGHTS", str(tmp_path / "weights"))


def candidate(text: str, **rest: Any) -> Candidate:
    found = resolve(load_catalogue(), text, **rest)
    assert not isinstance(found, Problem), str(found)
    return found


@pytest.mark.parametrize(
    "text",
    ["linear", "smollm2-135m-instruct", "smollm2-135m-instruct+head", "gpt-5-mini", "mistral-small", "scripted:x"],
)
def test_what_a_provider_exists_for_is_runnable(text: str) -> None:
    assert why_not_runnable(candidate(text)) == ""


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("codestral-22b", "base_url"),
        ("hf:someone/model", "base_url"),
        ("azure:deployment", "needs a base_url"),
        ("claude-haiku-4-5", "no provider speaks anthropic"),
        ("all-minilm-l6-v2", "no provider speaks transformers"),
    ],
)
def test_what_cannot_run_here_says_what_would_help(text: str, hint: str) -> None:
    assert hint in why_not_runnable(candidate(text))


def test_an_api_candidate_is_called_by_the_name_its_vendor_serves() -> None:
    found = target(candidate("mistral-small", options={"retries": 2}))
    assert (found.wire, found.model, found.key_env) == ("openai", "mistral-small-2603", "MISTRAL_API_KEY")
    assert (found.custody, dict(found.options)) == ("any", {"retries": 2})


def test_a_compatible_server_is_called_by_the_name_the_user_wrote() -> None:
    found = target(candidate("compatible:Org/Mine", base_url=LOCAL))
    assert (found.wire, found.model, found.base_url, found.custody) == ("openai", "Org/Mine", LOCAL, "own")


def test_a_known_model_at_a_given_address_is_called_by_the_name_the_user_wrote() -> None:
    assert target(candidate("compatible:openai/gpt-oss-20b", base_url=LOCAL)).model == "openai/gpt-oss-20b"


def test_missing_weights_name_the_command_that_gets_them() -> None:
    with pytest.raises(NotAvailable, match="steelyard models get gemma-3-270m"):
        target(candidate("gemma-3-270m"))


def test_local_weights_bring_their_hash(tmp_path: Path) -> None:
    gguf = tmp_path / "weights/gemma-3-270m/gemma-3-270m-q4_k_m.gguf"
    gguf.parent.mkdir(parents=True)
    gguf.write_bytes(b"x")
    found = target(candidate("gemma-3-270m"))
    assert (found.wire, found.weights) == ("llama-cpp", gguf)
    assert found.weights_sha256.startswith("a5fd3b62")


def test_a_head_stands_on_its_base_weights_and_a_linear_model_is_its_own(tmp_path: Path) -> None:
    base, artefact = tmp_path / "base.gguf", tmp_path / "head.bin"
    fitted = replace(candidate("gemma-3-270m+head"), artefact=artefact, artefact_sha256="abc")
    head = target(fitted, base)
    assert (head.wire, head.weights, head.adapter, head.adapter_sha256) == ("linear", base, artefact, "abc")
    linear = target(replace(candidate("linear"), artefact=artefact, artefact_sha256="abc"))
    assert (linear.wire, linear.weights, linear.weights_sha256, linear.adapter) == ("linear", artefact, "abc", None)


@pytest.mark.parametrize("text", ["linear", "gemma-3-270m+head"])
def test_what_is_not_fitted_yet_has_no_target(text: str) -> None:
    with pytest.raises(NotAvailable, match="not been fitted"):
        target(candidate(text))
