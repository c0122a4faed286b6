"""The grammar of candidate ids: `[ROUTE:]MODEL[@REVISION][#WEIGHTS][+RECIPE]`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from steelyard.errors import Problem

ROUTES: tuple[str, ...] = (
    "openai",
    "openai-responses",
    "azure",
    "anthropic",
    "gemini",
    "vertex",
    "bedrock",
    "cohere",
    "mistral",
    "foundry",
    "compatible",
    "hf",
    "llama-cpp",
    "transformers",
    "vllm",
    "ollama",
    "linear",
    "scripted",
    "recorded",
)
RECIPES: tuple[str, ...] = ("head",)
GRAMMAR = "[ROUTE:]MODEL[@REVISION][#WEIGHTS][+RECIPE]"

LONGEST = 500
_NAME = r"[^\s@#+]+"
_SHAPE = re.compile(
    rf"(?P<model>{_NAME})(?:@(?P<revision>{_NAME}))?(?:#(?P<weights>{_NAME}))?(?:\+(?P<recipe>{_NAME}))?"
)


@dataclass(frozen=True)
class CandidateId:
    """The parts of a candidate id; "" where the text leaves a part out. `str()` gives the text back."""

    route: str
    model: str
    revision: str = ""
    weights: str = ""
    recipe: str = ""

    def __str__(self) -> str:
        text = f"{self.route}:{self.model}" if self.route else self.model
        for mark, part in (("@", self.revision), ("#", self.weights), ("+", self.recipe)):
            text += f"{mark}{part}" if part else ""
        return text


def parse_id(text: str) -> CandidateId | Problem:
    """The parts of `text`, or what is wrong with it. Whether the model exists is for `resolve` to say.

    A colon separates a route; behind a route, MODEL may hold further colons (`bedrock:amazon.nova-lite-v1:0`).

    >>> parse_id("smollm2-135m-instruct#q8_0+head")
    CandidateId(route='', model='smollm2-135m-instruct', revision='', weights='q8_0', recipe='head')
    """
    head, colon, rest = text.partition(":")
    if colon and head not in ROUTES:
        return Problem(
            slug="unknown-route",
            what=f"{text[:LONGEST]!r}: no route is called {head[:LONGEST]!r}{nearest(head[:LONGEST], ROUTES)}",
            allowed=", ".join(ROUTES),
            next_step="write ROUTE:MODEL, or the model's id alone",
        )
    match = _SHAPE.fullmatch(rest if colon else text)
    if match is None or not text.isprintable() or len(text) > LONGEST:
        return Problem(
            slug="bad-candidate-id",
            what=f"{text[:LONGEST]!r} is not a candidate id",
            allowed=GRAMMAR,
            next_step="`steelyard models list` shows ids that work",
        )
    parts = match.groupdict(default="")
    if parts["recipe"] and parts["recipe"] not in RECIPES:
        return Problem(
            slug="unknown-recipe",
            what=f"{text!r}: no recipe is called {parts['recipe']!r}{nearest(parts['recipe'], RECIPES)}",
            allowed=", ".join(RECIPES),
            next_step="leave out +RECIPE, or use one that exists",
        )
    return CandidateId(head if colon else "", **parts)


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`; did you mean 'x'?` for the closest known name, or "" when none is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
