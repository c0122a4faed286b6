"""The kinds of values that fields of a study file have, and how each is checked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from steelyard.errors import Problem
from steelyard.usecase import values
from steelyard.usecase.case import Criterion, Metric, Requirement

T = TypeVar("T")


def sound(value: T | Problem) -> T:
    """Hand a Problem through pydantic, so that it is reported together with all others."""
    if isinstance(value, Problem):
        raise PydanticCustomError("problem", "{what}", {"what": value.what, "problem": value})
    return value


def _whole(value: object) -> object:
    """1e6 is a whole number too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def limit(metric: Metric) -> Callable[[object], Requirement]:
    """A check that reads a limit on `metric`."""
    return lambda value: sound(values.requirement(metric, value))


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return sound(values.bad_value(f"{value!r} is not a date", "a day such as 2024-09-25"))


def option(value: object) -> object:
    """Options enter the journal's key: a number must have the same text everywhere."""
    fits = -(2**63) <= value < 2**63 if isinstance(value, (int, float)) else isinstance(value, str)
    return value if fits else sound(values.bad_value(f"{value!r} does not fit here", "a text, a number, true or false"))


Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[Whole, Field(ge=0, le=10**18)]
Text = Annotated[str, Field(min_length=1)]
COUNTRY = r"^[A-Z]{2}$"
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
CODE = r"^[A-Z]{3}$"
PATTERNS = {
    CODE: "an ISO 4217 code of three capital letters, such as EUR",
    COUNTRY: "an ISO 3166 code of two capital letters, such as DE, or EU",
    NAME: "up to 64 letters, digits, dots, hyphens and underscores",
}
Country = Annotated[str, Field(pattern=COUNTRY, description=PATTERNS[COUNTRY])]
Places = Annotated[
    list[Country],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": COUNTRY},
                {"type": "array", "items": {"type": "string", "pattern": COUNTRY}},
            ]
        }
    ),
]
Day = Annotated[str, BeforeValidator(_day)]
_SHARE_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\s*[-+]?[0-9._]+\s*%\s*$"}]}
Share = Annotated[float, BeforeValidator(lambda value: sound(values.share(value))), WithJsonSchema(_SHARE_SCHEMA)]
Shots = Annotated[
    tuple[int, ...],
    BeforeValidator(lambda value: sound(values.shots(value))),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "auto"},
                {"type": "integer", "minimum": 0},
                {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
            ]
        }
    ),
]
Weights = Annotated[
    dict[Criterion, float],
    BeforeValidator(lambda value: sound(values.weights(value))),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"enum": list(values.CRITERIA)}, "uniqueItems": True, "minItems": 1},
                {
                    "type": "object",
                    "propertyNames": {"enum": list(values.CRITERIA)},
                    "additionalProperties": {"type": "number", "minimum": 0},
                },
            ]
        }
    ),
]
LIMIT_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^\s*(>=|<=|>|<)\s*[0-9._]+\s*(%|ms|s|USD)?\s*$"})


class Part(BaseModel):
    """One section of the file; unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
