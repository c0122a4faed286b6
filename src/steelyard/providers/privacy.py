"""Which data may go to which machines: one pure rule, asked before every call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from steelyard.providers.protocol import DataClass, MaySendTo, Target

DEFAULT_REACH: Mapping[DataClass, MaySendTo] = {
    "public": "any",
    "internal": "contracted",
    "confidential": "own",
    "restricted": "own",
}
"""How far data of a class may go where nobody says otherwise."""

_DISTANCE: Mapping[MaySendTo, int] = {"own": 0, "contracted": 1, "any": 2}
_MACHINES: Mapping[MaySendTo, str] = {
    "own": "own machines",
    "contracted": "a contracted processor's machines",
    "any": "a third party's machines",
}


@dataclass(frozen=True)
class DataRule:
    """The class of the data and how far it may go, as the user said it."""

    data_class: DataClass
    may_send_to: MaySendTo

    @classmethod
    def default(cls, data_class: DataClass) -> DataRule:
        """The rule for a class about which nothing more was said."""
        return cls(data_class, DEFAULT_REACH[data_class])


@dataclass(frozen=True)
class Allowed:
    """The data may be sent."""


@dataclass(frozen=True)
class Withheld:
    """The data may not be sent, and why."""

    reason: str


SendVerdict: TypeAlias = Allowed | Withheld


def may_send(rule: DataRule, target: Target) -> SendVerdict:
    """Whether data under the rule may reach the machines that run the target.

    >>> rule = DataRule.default("confidential")
    >>> may_send(rule, Target(wire="openai", model="gpt-5-mini"))
    Withheld(reason="confidential data may not leave own machines; gpt-5-mini runs on a third party's machines")
    >>> may_send(rule, Target(wire="llama-cpp", model="gemma-3-270m", custody="own"))
    Allowed()
    """
    if _DISTANCE[target.custody] <= _DISTANCE[rule.may_send_to]:
        return Allowed()
    limit = "own machines" if rule.may_send_to == "own" else "own and contracted machines"
    return Withheld(f"{rule.data_class} data may not leave {limit}; {target.model} runs on {_MACHINES[target.custody]}")
