"""A study's candidates come from the catalogue, and a model file of its own from the study's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.catalogue import Candidate
from steelyard.catalogue.load import load_catalogue
from steelyard.usecase import CandidateSpec
from steelyard.usecase.candidates import candidate_of


@pytest.mark.parametrize(("name", "found"), [("own/m.gguf", "/study/own/m.gguf"), ("/models/m.gguf", "/models/m.gguf")])
def test_a_model_file_is_looked_for_beside_the_study(name: str, found: str) -> None:
    candidate = candidate_of(CandidateSpec(f"llama-cpp:{name}"), load_catalogue(), Path("/study"))
    assert isinstance(candidate, Candidate)
    assert candidate.weights is not None
    assert candidate.weights.members == (found,)
