"""The Target a provider needs for a Candidate, or why there is none here."""

from __future__ import annotations

from pathlib import Path

from steelyard import plugins
from steelyard.catalogue.ids import CandidateId, parse_id
from steelyard.catalogue.model import Candidate, Weights
from steelyard.catalogue.weights import find_weights, weights_sha256
from steelyard.errors import NotAvailable, Problem
from steelyard.providers.protocol import Target
from steelyard.quantities import Unknown

WIRES = {"compatible": "openai", "vllm": "openai", "ollama": "openai", "mistral": "openai", "gemini": "openai"}
"""Routes that speak another route's wire format; every other route is its own wire."""

_ADDRESSED = frozenset({"azure", "compatible", "foundry", "vllm"})
"""Routes whose address only the user knows."""


def wire_of(candidate: Candidate) -> str:
    """The provider plug-in that runs the candidate. A head is read by `linear`, on top of its base's embeddings."""
    if candidate.recipe == "head":
        return "linear"
    return WIRES.get(candidate.route, candidate.route)


def why_not_runnable(candidate: Candidate) -> str:
    """Why nothing on this machine can run the candidate, and what would; "" when something can.

    Says nothing of keys, nor of weights that a recipe can fetch.
    """
    name = candidate.model.name
    if candidate.route == "hf" or (candidate.route in ("llama-cpp", "transformers") and candidate.weights is None):
        return (
            f"no weights recipe is known for {name}: serve it yourself (vLLM, llama.cpp, Ollama) and write the "
            f"candidate as {{id: {candidate.model.id}, base_url: http://HOST/v1}}, or llama-cpp:FILE.gguf"
        )
    if candidate.route in _ADDRESSED and not candidate.base_url:
        return f"the route {candidate.route} needs a base_url"
    wire = wire_of(candidate)
    if wire not in plugins.names("providers"):
        return (
            f"no provider speaks {wire} yet: put an OpenAI-compatible gateway in front of {name} and give its base_url"
        )
    return ""


def target(candidate: Candidate, weights: Path | None = None) -> Target:
    """What a provider needs to call the candidate.

    `weights` is where its weights lie; without it they are looked for. Raises NotAvailable when they are not at
    hand, or when a candidate that has to be fitted first has no artefact yet.
    """
    wire = wire_of(candidate)
    if wire == "linear" and candidate.artefact is None:
        raise NotAvailable(
            Problem(
                slug="not-fitted",
                what=f"{candidate.id} has not been fitted yet",
                next_step="`steelyard run STUDY` fits it on the dev samples",
            )
        )
    path, digest = (None, "") if candidate.weights is None else _at_hand(candidate, candidate.weights, weights)
    adapter, adapter_digest = candidate.artefact, candidate.artefact_sha256
    if wire == "linear" and not candidate.recipe:
        path, digest, adapter, adapter_digest = adapter, adapter_digest, None, ""
    return Target(
        wire=wire,
        model=_name_at_server(candidate),
        base_url=candidate.base_url,
        key_env=candidate.key_env,
        weights=path,
        weights_sha256=digest,
        adapter=adapter,
        adapter_sha256=adapter_digest,
        custody=candidate.custody,
        options=candidate.options,
    )


def _name_at_server(candidate: Candidate) -> str:
    """The offer's name; at an address that the user gave, the name that the user wrote."""
    if not isinstance(candidate.offer, Unknown):
        return candidate.offer.served_as
    parts = parse_id(candidate.id)
    return parts.model if candidate.base_url and isinstance(parts, CandidateId) else candidate.model.id


def _at_hand(candidate: Candidate, weights: Weights, path: Path | None) -> tuple[Path, str]:
    found = path or find_weights(candidate.model, weights)
    if found is None:
        raise NotAvailable(
            Problem(
                slug="weights-missing",
                what=f"the weights of {candidate.model.id} are not on this machine",
                next_step=f"steelyard models get {candidate.model.id}",
            )
        )
    return found, weights_sha256(weights, found)
