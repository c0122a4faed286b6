"""What a run would take, before anything is spent: calls, tokens, dollars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from steelyard.catalogue import Candidate, Model
from steelyard.providers.protocol import Usage
from steelyard.quantities import Money, Tokens, Unknown
from steelyard.trials.classify import Classification, RunSettings
from steelyard.trials.outcome import price_of
from steelyard.usecase import Sample

CHARACTERS_PER_TOKEN = 3.5
"""A cautious round number for mixed European languages; real usage replaces it as soon as there is any."""
LABEL_TOKENS = 8
THINKING_TOKENS = 512
"""Assumed hidden tokens of a reasoning model for a short message, until a run has counted them."""


@dataclass(frozen=True)
class Plan:
    """Calls and cost of measuring one candidate; `per_request` is the mean test request, estimated from text.

    `fresh_tokens` of its input differ from request to request; the rest, examples and all, is the same in each.
    """

    calls: int
    per_request: Usage
    cost: Money | Unknown
    fresh_tokens: int = 0


def expected_usage(task: Classification, model: Model, text: str, shots: int) -> Usage:
    """Tokens of one chat request, estimated from its characters."""
    turns = task.conversation(text, RunSettings(shots)).messages
    characters = sum(len(turn.content) for turn in turns)
    tokens = math.ceil(characters / CHARACTERS_PER_TOKEN) + 4 * len(turns)
    return _usage(tokens, model)


def _usage(input_tokens: int, model: Model, calls: int = 1) -> Usage:
    hidden = THINKING_TOKENS * calls if model.reasoning else 0
    said = Tokens(LABEL_TOKENS * calls + hidden)
    return Usage(Tokens(input_tokens), said, reasoning_tokens=Tokens(hidden), estimated=True)


def plan(
    task: Classification,
    candidate: Candidate,
    shots: Sequence[int],
    dev: Sequence[Sample],
    test: Sequence[Sample],
    at: datetime,
) -> Plan:
    """Choosing among `shots` on dev, then the test set with the most examples: the dearest way it can go."""
    choosing = [(n, sample) for n in shots for sample in dev] if len(shots) > 1 else []
    most = max(shots, default=0)
    chosen = sum(expected_usage(task, candidate.model, sample.input, n).input_tokens for n, sample in choosing)
    tested = sum(expected_usage(task, candidate.model, sample.input, most).input_tokens for sample in test)
    mean = _usage(round(tested / max(1, len(test))), candidate.model)
    calls = len(choosing) + len(test)
    fresh = sum(math.ceil(len(sample.input) / CHARACTERS_PER_TOKEN) for sample in test) / max(1, len(test))
    price = price_of(candidate, _usage(chosen + tested, candidate.model, calls), at)
    return Plan(calls, mean, price, round(fresh) + LABEL_TOKENS)
