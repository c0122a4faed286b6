"""A candidate id becomes a model run in one definite way, or a problem with the way out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.catalogue import Candidate
from steelyard.catalogue.ids import RECIPES, ROUTES, CandidateId
from steelyard.catalogue.load import load_catalogue
from steelyard.catalogue.resolve import is_loopback, resolve
from steelyard.catalogue.target import target, why_not_runnable
from steelyard.errors import NotAvailable, Problem
from steelyard.quantities import Unknown


def candidate(text: str, **rest: Any) -> Candidate:
    found = resolve(load_catalogue(), text, **rest)
    assert not isinstance(found, Problem), str(found)
    return found


def problem(text: str, **rest: Any) -> Problem:
    found = resolve(load_catalogue(), text, **rest)
    assert isinstance(found, Problem)
    return found


LOCAL = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("text", "rest", "route", "way", "custody"),
    [
        ("smollm2-135m-instruct", {}, "llama-cpp", "self-hosted", "own"),
        ("smollm2-135m-instruct+head", {}, "llama-cpp", "self-hosted", "own"),
        ("linear", {}, "linear", "self-hosted", "own"),
        ("all-minilm-l6-v2", {}, "transformers", "self-hosted", "own"),
        ("gpt-5-mini", {}, "openai", "api", "any"),
        ("openai:gpt-5-mini", {"contracted": True}, "openai", "api", "contracted"),
        ("mistral:mistral-small-2603", {}, "mistral", "api", "any"),
        ("gpt-oss-20b", {}, "hf", "self-hosted", "own"),
        ("hf:openai/gpt-oss-20b", {}, "hf", "self-hosted", "own"),
        ("hf:openai/gpt-oss-20b", {"base_url": "https://host.example/v1"}, "compatible", "api", "any"),
        ("scripted:echo", {"base_url": "https://host.example/v1"}, "scripted", "api", "any"),
        ("gpt-oss-20b", {"base_url": LOCAL}, "compatible", "self-hosted", "own"),
        ("compatible:mine", {"base_url": LOCAL}, "compatible", "self-hosted", "own"),
        ("compatible:mine", {"base_url": "https://models.example/v1"}, "compatible", "api", "any"),
        ("vllm:mine", {"base_url": "http://gpu-7:8000/v1"}, "vllm", "self-hosted", "any"),
        ("ollama:qwen2.5:3b", {}, "ollama", "self-hosted", "own"),
        ("ollama:never-heard-of", {}, "ollama", "self-hosted", "own"),
        ("ollama:gpt-oss:120b-cloud", {}, "ollama", "api", "any"),
        ("ollama:qwen2.5:3b", {"base_url": "http://gpu-7:11434/v1"}, "ollama", "api", "any"),
        ("scripted:echo", {}, "scripted", "self-hosted", "own"),
        ("recorded:a", {}, "recorded", "self-hosted", "own"),
        ("llama-cpp:/models/mine.gguf", {}, "llama-cpp", "self-hosted", "own"),
    ],
)
def test_route_way_and_custody(text: str, rest: dict[str, Any], route: str, way: str, custody: str) -> None:
    found = candidate(text, **rest)
    assert (found.route, found.way, found.custody, found.id) == (route, way, custody, text)


def test_an_offer_brings_address_key_and_name() -> None:
    found = candidate("mistral-small")
    assert not isinstance(found.offer, Unknown)
    assert (found.base_url, found.key_env) == ("https://api.mistral.ai/v1", "MISTRAL_API_KEY")
    assert candidate("mistral-small", key_env="MY_KEY").key_env == "MY_KEY"


def test_weights_default_to_what_runs_best_and_can_be_named() -> None:
    default = candidate("smollm2-135m-instruct").weights
    assert default is not None
    assert default == candidate("smollm2-135m-instruct#q8_0").weights
    raw = candidate("smollm2-135m-instruct#q4_1").weights
    assert raw is not None
    assert (default.requantise, raw.requantise) == ("q8_0", "")


def test_a_stranger_has_no_known_licence_and_no_price() -> None:
    found = candidate("compatible:mine", base_url=LOCAL)
    assert isinstance(found.model.licence, Unknown)
    assert isinstance(found.offer, Unknown)


@pytest.mark.parametrize(
    ("text", "slug", "hint"),
    [
        ("gemma-3-270", "unknown-model", "did you mean 'gemma-3-270m'?"),
        ("smollm2-135m-instruct#q8", "unknown-weights", "q8_0"),
        ("gpt-5-mini#q8_0", "unknown-weights", "none are known"),
        ("gpt-5-mini+head", "recipe-needs-local-weights", "smollm2-135m-instruct+head"),
        ("linear+head", "recipe-needs-local-weights", "leave out"),
        ("compatible:mine", "base-url-missing", "base_url"),
        ("opnai:x", "unknown-route", "did you mean"),
    ],
)
def test_what_cannot_be_is_a_problem_with_the_way_out(text: str, slug: str, hint: str) -> None:
    found = problem(text)
    assert found.slug == slug
    assert hint in str(found)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1/v1", True),
        ("http://[::1]:1", True),
        ("http://127.8.9.1", True),
        ("http://10.0.0.5:8000", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def test_a_vendors_model_behind_a_server_on_this_machine_is_still_the_vendors() -> None:
    """A local gateway passes the data on and the bill back: privacy, price and budget stay those of the vendor."""
    direct = resolve(load_catalogue(), "openai:gpt-5-mini")
    local = resolve(load_catalogue(), "openai:gpt-5-mini", base_url=LOCAL, key_env="MY_KEY")
    assert isinstance(direct, Candidate)
    assert isinstance(local, Candidate)
    assert (local.way, local.custody, local.offer) == (direct.way, direct.custody, direct.offer)
    trusted = resolve(load_catalogue(), "openai:gpt-5-mini", base_url=LOCAL, contracted=True)
    assert isinstance(trusted, Candidate)
    assert trusted.custody == "contracted"


KNOWN = st.sampled_from(sorted(load_catalogue().models))
NAMES = (
    KNOWN
    | st.text("ab/.:-", min_size=1, max_size=8)
    | st.sampled_from(["x" * 400 + ".gguf", "a.gguf", "/dev/zero.gguf"])
)
IDS = st.builds(
    CandidateId,
    st.sampled_from(("", *ROUTES)),
    NAMES,
    st.sampled_from(["", "main"]),
    st.sampled_from(["", "q8_0", "file", "x"]),
    st.sampled_from(["", *RECIPES]),
).map(str)
ADDRESSES = st.sampled_from(["", LOCAL, "https://host.example/v1", "http://[::1]:1/v1"])


@given(IDS | st.text(max_size=12), ADDRESSES, st.booleans())
def test_whatever_an_id_says_it_is_a_candidate_or_a_problem_and_has_a_target_or_a_reason(
    text: str, base_url: str, contracted: bool
) -> None:
    found = resolve(load_catalogue(), text, base_url=base_url, contracted=contracted)
    if isinstance(found, Problem):
        assert found.what
        return
    assert found.id == text
    assert isinstance(why_not_runnable(found), str)
    try:
        target(replace(found, weights=None) if found.weights and found.weights.sha256 else found)
    except NotAvailable as error:
        assert error.problems[0].next_step


@pytest.mark.parametrize("text", ["compatible:\x1b[31m", "a\u202eb", "x" * 501, "llama-cpp:a\0b.gguf", "a\u200b"])
def test_what_cannot_be_seen_or_has_no_end_is_no_id(text: str) -> None:
    assert problem(text, base_url=LOCAL).slug == "bad-candidate-id"


def test_a_name_of_ollama_is_the_model_it_stands_for_under_the_name_that_its_server_knows() -> None:
    found = candidate("ollama:qwen2.5:3b-instruct-q4_K_M")
    assert found.model.id == "qwen2.5-3b-instruct"
    assert target(found).model == "qwen2.5:3b-instruct-q4_K_M"
    assert target(found).base_url == "http://127.0.0.1:11434/v1"
    assert isinstance(candidate("ollama:never-heard-of").model.licence, Unknown)
