"""Names as launchers and benchmarks write them find the network behind them, or say why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from steelyard.catalogue.architecture import Architecture
from steelyard.catalogue.paths import model_of_path
from steelyard.quantities import Sourced, Unknown


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("meta-llama/Llama-3.1-70B", "llama-3.1-70b"),
        ("meta-llama/Meta-Llama-3.1-405B", "llama-3.1-405b"),
        ("meta-llama/Meta-Llama-3-8B", "llama-3-8b"),
        ("nvidia/Llama-3.1-70B-Instruct-FP8", "llama-3.1-70b-instruct"),
        ("Qwen/Qwen3-235B-A22B-FP8", "qwen3-235b-a22b"),
        ("Qwen/Qwen3-32B-FP8-Static-PerTensor", "qwen3-32b"),
        ("nvidia/Kimi-K2.5-NVFP4", "kimi-k2.5"),
        ("zai-org/GLM-5-FP8", "glm-5"),
        ("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8", "nemotron-3-super-120b-a12b"),
        ("/models/phi-4-Q4_K_M.gguf", "phi-4"),
        ("bartowski/google_gemma-3-4b-it-GGUF", "gemma-3-4b-it"),
        ("gpt-oss-20b", "gpt-oss-20b"),
    ],
)
def test_a_name_with_a_format_or_a_former_owner_is_the_model_itself(text: str, model: str) -> None:
    found = model_of_path(text)
    assert not isinstance(found, Unknown)
    assert found.id == model


@pytest.mark.parametrize("text", ["meta-llama/Llama-3.1-70", "nobody/gpt-oss-20b-abliterated", "", "/", "fp8", "-fp8"])
def test_a_name_that_is_only_alike_is_unknown_and_says_so(text: str) -> None:
    found = model_of_path(text)
    assert isinstance(found, Unknown)
    assert repr(text) in found.reason


def test_a_base_and_its_tuned_sibling_are_never_taken_for_each_other() -> None:
    base, tuned = model_of_path("x/Llama-3.1-8B-AWQ"), model_of_path("x/Llama-3.1-8B-Instruct-AWQ")
    assert not isinstance(base, Unknown) and not isinstance(tuned, Unknown)
    assert (base.id, tuned.id) == ("llama-3.1-8b", "llama-3.1-8b-instruct")


CONFIGS = os.environ.get("STEELYARD_MODEL_CONFIGS", "")


@pytest.mark.skipif(not CONFIGS, reason="STEELYARD_MODEL_CONFIGS names no folder of configuration files")
@pytest.mark.parametrize("path", sorted(Path(CONFIGS or "nowhere").glob("*_config.json")), ids=lambda path: path.name)
def test_the_name_of_a_configuration_file_finds_a_network(path: Path) -> None:
    found = model_of_path(path.name)
    assert not isinstance(found, Unknown), found
    assert isinstance(found.architecture, Sourced), found.id
    assert isinstance(found.architecture.value, Architecture)
