"""Which targets may answer a request, and in which order. Pure: no clock, no network, no state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from steelyard.catalogue import Offer
from steelyard.providers.privacy import Allowed, DataRule, may_send
from steelyard.providers.protocol import Completion, Provider, Target
from steelyard.quantities import Unknown

TaskAnswer: TypeAlias = Callable[[Provider, str], Awaitable[Completion]]
"""Does the study's task for one input: prompt, examples and labels applied.

The completion's text is the label, "" when the model's answer named none.
"""


@dataclass(frozen=True)
class Route:
    """One candidate that passed the gates, and how to ask it.

    `passes_conversation` False: a classifier, which answers the last user message with its label whatever it is
    asked as. `offer` prices its calls, or says why nothing does.
    """

    candidate_id: str
    target: Target
    answer_task: TaskAnswer
    passes_conversation: bool
    offer: Offer | Unknown
    vendor: str


def order(asked: str, study: str, routes: Sequence[Route], rule: DataRule) -> tuple[Route, ...]:
    """The routes to try, in order, those the privacy rule forbids left out; () when none is left.

    The study's name means all routes in the decision's fallback order. A candidate's own id means that candidate
    and no other: who names a model does not want another one's answer.
    """
    named = routes if asked == study else [route for route in routes if route.candidate_id == asked]
    return tuple(route for route in named if isinstance(may_send(rule, route.target), Allowed))
