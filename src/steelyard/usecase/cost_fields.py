"""The sections `costs`, `currency` and `hosting` of a study file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from steelyard.usecase import values
from steelyard.usecase.case import Tenure
from steelyard.usecase.fields import Day, Part, Share, Text, sound


class CostPart(Part):
    """An input of the cost model: a number, a range [low, high], or a section with more."""

    value: float
    low: float | None = Field(default=None, description="The least it may be")
    high: float | None = Field(default=None, description="The most it may be")
    source: str = Field(default="", description="Where the number comes from")
    as_of: Day | Literal[""] = Field(default="", description="The day of the number")
    currency: str = Field(default="USD", description="Another currency needs a rate under `currency`")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if isinstance(value, dict):
            return value
        plain = [isinstance(one, (int, float)) and not isinstance(one, bool) for one in _listed(value)]
        if plain == [True]:
            return {"value": value}
        if plain == [True, True] and isinstance(value, list) and value[0] <= value[1]:
            return {"value": (value[0] + value[1]) / 2, "low": value[0], "high": value[1]}
        return sound(values.bad_value(f"{value!r} is no number", "a number, [low, high], or a section with `value`"))

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = (self.value if end is None else end for end in (self.low, self.high))
        if not low <= self.value <= high:
            sound(values.bad_value(f"{self.value:g} does not lie between {low:g} and {high:g}", "low <= value <= high"))
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        pair = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
        return {"anyOf": [{"type": "number"}, pair, handler.resolve_ref_schema(handler(schema))]}


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


class CurrencyPart(Part):
    """What one unit of another currency was worth, on which day, and who says so."""

    usd: Annotated[float, Field(gt=0)] = Field(description="US dollars for one unit")
    as_of: Day = Field(description="The day of the rate")
    source: Text = Field(description="Who published it")


class HostingPart(Part):
    """How own machines are had; without it they are rented on demand, on what is cheapest."""

    on: str = Field(default="", description="An accelerator (h100), or cpu-2; else the cheapest that fits")
    term: Tenure = Field(default="on-demand", description="How it is paid for")
    must_stay: Annotated[Share, Field(ge=0, le=1)] = Field(
        default=0.0, description="Part of the requests that may not go to an API when both share the load"
    )
