"""The study file as it is written: every field, its type, default and description. Nothing below this knows pydantic.

Strict: a text is never taken for a number or a boolean. Checks that need two fields stand in `checks`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    InstanceOf,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema

from steelyard.catalogue.ids import GRAMMAR, parse_id
from steelyard.catalogue.model import Way
from steelyard.providers.protocol import DataClass, MaySendTo
from steelyard.usecase import values
from steelyard.usecase.case import (
    Already,
    CorpusMetric,
    Distribute,
    OutputsTrain,
    Purpose,
    Requirement,
    Role,
)
from steelyard.usecase.cost_fields import CostPart, CurrencyPart, HostingPart
from steelyard.usecase.fields import (
    CODE,
    LIMIT_SCHEMA,
    NAME,
    PATTERNS,
    Count,
    Country,
    Day,
    Part,
    Places,
    Share,
    Shots,
    Text,
    Weights,
    Whole,
    limit,
    option,
    sound,
)


class DataPart(Part):
    """Where the labelled data are: `file` and a share for the test, or two files `train` and `test`."""

    file: Text | None = Field(default=None, description="One data file (JSONL, CSV, TSV), split by Steelyard")
    train: Text | None = Field(default=None, description="File to choose and fit on; goes with a `test` file")
    test: Annotated[str | float, WithJsonSchema({"type": ["string", "number"]})] = Field(
        description="With `file`: the share to test on, 40% or 0.4. With `train`: the test file"
    )
    input: Text = Field(description="Column that holds the input text")
    target: Text = Field(description="Column that holds the right answer")
    id: str = Field(default="", description="Column with a unique id; without it rows are called row-N")
    cluster: str = Field(
        default="", description="Column whose equal values must stay on one side of the split (a customer, say)"
    )
    language: str = Field(default="", description="Column with the input's language, one of the slices")
    slices: list[Text] = Field(default=[], description="Columns by whose values the results are broken down")
    max_test: Annotated[Whole, Field(ge=2)] | None = Field(
        default=None, description="Test at most so many, a seeded sample"
    )
    max_dev: Annotated[Whole, Field(ge=2)] | None = Field(
        default=None, description="Keep at most so many for choosing, seeded"
    )
    seed: Annotated[Whole, Field(ge=0, le=2**32 - 1)] = Field(
        default=0, description="Seed of the split and of the samples"
    )

    @field_validator("test", mode="before")
    @classmethod
    def _share_or_file(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("train") is not None:
            return (
                value if isinstance(value, str) else sound(values.bad_value(f"{value!r} is not a file", "a file name"))
            )
        found = sound(values.share(value))
        if not 0 < found < 1:
            sound(
                values.bad_value(f"{value!r} leaves nothing on one side", "a share between 0 and 1", "write 40% or 0.4")
            )
        return found


class TaskPart(Part):
    """What is asked of the model."""

    kind: Literal["classification"] = Field(description="One of a closed set of labels is right")
    prompt: Text = Field(description="The prompt with {COLUMN} where the input goes")
    metric: Literal["accuracy"] = Field(default="accuracy", description="What quality means")
    shots: Shots = Field(
        default=values.AUTO_SHOTS, description="Examples in the prompt: auto, N, or [N, ...] to choose from on dev"
    )
    calibration: Literal["auto", "none", "pmi"] = Field(
        default="auto", description="pmi takes a label's prior off; auto: chosen on dev"
    )


class OrganisationPart(Part):
    """Who uses the model. Licences ask for size, seat and kind; what is not said stays an open question."""

    kind: Literal["company", "non-profit", "academic", "government", "individual"] | None = None
    domicile: Places = Field(default=[], description="Where the organisation is established: a country, EU, or a list")
    annual_revenue_usd: Count | None = None
    monthly_revenue_usd: Count | None = None
    product_monthly_revenue_usd: Count | None = Field(default=None, description="Monthly revenue of the product alone")
    affiliates_included: bool | None = Field(
        default=None, description="Whether the revenues include affiliated companies"
    )
    qualified_non_profit: bool | None = None


class UsersPart(Part):
    """Who is served."""

    territories: list[Country] = Field(default=[])
    monthly_active: Count | None = Field(default=None, description="Monthly active users of the product, now")
    monthly_active_at_release: Count | None = Field(
        default=None, description="Of all products of the group, in the month before the model's release"
    )
    monthly_active_at: dict[Day, Count] = Field(
        default={}, description="Monthly active users on a day (tests at a release date)"
    )


class UsePart(Part):
    """The intended use that licences are judged against."""

    purpose: Purpose = Field(description="What it is for")
    commercial: bool = Field(description="Whether money is earned with it, directly or not")
    distribute: Distribute = Field(default="none", description="What is handed on to others")
    outputs_train: OutputsTrain = Field(default="none", description="Which models are trained on the outputs")
    field: str = Field(default="", description="Field of use, such as customer-support")
    role: Role = Field(default="deployer", description="deployer, or end-user of another's product")
    already: list[Already] = Field(default=[], description="What the team already has from the vendor")
    tuned: bool | None = Field(default=None, description="Whether the model will be fine-tuned")
    organisation: OrganisationPart = OrganisationPart()
    users: UsersPart = UsersPart()


class PrivacyPart(Part):
    """The data's class and how far they may go."""

    data_class: DataClass = Field(default="internal", alias="class", description="Class of the data")
    may_send_to: MaySendTo | None = Field(
        default=None,
        description="own machines, contracted processors, any. Default: public any, internal contracted, else own",
    )


class WorkloadPart(Part):
    """Expected traffic; without it monthly costs are unknown."""

    requests_per_day: Annotated[float, Field(gt=0, le=1e12)]
    peak_to_mean: Annotated[float, Field(ge=1, le=1e6)] = Field(
        default=4.0, description="Traffic at the peak over mean traffic"
    )
    growth_per_month: Share = Field(default=0.0, description="6% or 0.06")
    horizon_months: Annotated[Whole, Field(ge=1, le=120)] = 12
    hours: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=24, max_length=24)] | None = Field(
        default=None, description="Relative traffic in each hour of a day: 24 numbers"
    )

    @field_validator("hours", mode="after")
    @classmethod
    def _some(cls, hours: list[float] | None) -> list[float] | None:
        if hours is not None and not sum(hours):
            sound(values.bad_value("no hour has any traffic", "24 numbers of which one is above 0"))
        return hours

    @field_validator("growth_per_month", mode="after")
    @classmethod
    def _plausible(cls, value: float) -> float:
        if not -0.9 <= value <= 1:
            sound(values.bad_value(f"a growth of {value:.0%} a month", "-90% to 100%", "6 % is written 6% or 0.06"))
        return value


class RequirePart(Part):
    """Hard limits: a candidate that misses one is ruled out."""

    accuracy: Annotated[InstanceOf[Requirement], BeforeValidator(limit("accuracy")), LIMIT_SCHEMA] | None = None
    latency_p50: Annotated[InstanceOf[Requirement], BeforeValidator(limit("latency_p50")), LIMIT_SCHEMA] | None = None
    latency_p95: Annotated[InstanceOf[Requirement], BeforeValidator(limit("latency_p95")), LIMIT_SCHEMA] | None = None
    ttft_p95: Annotated[InstanceOf[Requirement], BeforeValidator(limit("ttft_p95")), LIMIT_SCHEMA] | None = None
    cost_per_month: (
        Annotated[InstanceOf[Requirement], BeforeValidator(limit("cost_per_month")), LIMIT_SCHEMA] | None
    ) = None
    cost_per_1000: Annotated[InstanceOf[Requirement], BeforeValidator(limit("cost_per_1000")), LIMIT_SCHEMA] | None = (
        None
    )


class DecidePart(Part):
    """What is fixed before the run about how its figures are read."""

    margin: Share | None = Field(
        default=None, description="A cheaper candidate that is less than this worse than the best is good enough: 2%"
    )

    also: list[CorpusMetric] = Field(default=[], description="Metrics of all answers together, told beside accuracy")

    @field_validator("margin", mode="after")
    @classmethod
    def _some(cls, value: float | None) -> float | None:
        if value is not None and not 0 < value < 0.5:
            sound(values.bad_value(f"a margin of {value:.0%}", "more than 0 and less than 50%", "2 points are 2%"))
        return value


class CandidatePart(Part):
    """A candidate: its id alone, or a mapping with more detail."""

    id: Text = Field(description=f"{GRAMMAR}")
    base_url: str = Field(default="", description="Where the endpoint is, for your own or another server")
    key_env: str = Field(default="", description="Environment variable that holds the key; never the key itself")
    contracted: bool = Field(default=False, description="Whether a data-processing agreement exists with who runs it")
    options: dict[str, Annotated[str | int | float | bool, BeforeValidator(option)]] = Field(
        default={}, description="Options of the route, such as threads"
    )

    @model_validator(mode="before")
    @classmethod
    def _id_alone(cls, value: object) -> object:
        if isinstance(value, (str, dict)):
            return {"id": value} if isinstance(value, str) else value
        return sound(values.bad_value(f"{value!r} is not a candidate", f"{GRAMMAR}, or a section with `id`"))

    @field_validator("id", mode="after")
    @classmethod
    def _grammar(cls, value: str) -> str:
        return str(sound(parse_id(value)))

    @field_validator("base_url", mode="after")
    @classmethod
    def _http(cls, value: str) -> str:
        """What stands in an address may be a secret: no message repeats it."""
        if not value:
            return value
        allowed = "http://HOST/... or https://HOST/..., nothing behind the path"
        try:
            parts = urlsplit(value)
            plain = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:
            plain = False
        if not plain or not value.isprintable() or " " in value:
            return sound(values.bad_value("this is not an address", allowed))
        if "@" in parts.netloc:
            what = "a user name or a password may not stand in an address"
            return sound(values.bad_value(what, allowed, "put the key into an environment variable, named in key_env"))
        if "?" in value or "#" in value:
            what = "an address ends with its path: ? and # may not stand in it"
            return sound(values.bad_value(what, allowed, "put a key into an environment variable, named in key_env"))
        return value

    @field_validator("key_env", mode="after")
    @classmethod
    def _name_of_a_variable(cls, value: str) -> str:
        """A pasted key must not be repeated in the message."""
        if value and not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
            what = "this is not the name of an environment variable"
            sound(values.bad_value(what, "a name such as OPENAI_API_KEY", "keep the key itself out of the file"))
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "description": GRAMMAR}, handler.resolve_ref_schema(handler(schema))]}


class StudyPart(Part):
    """A study: one question, its data, what is needed, and the candidates for the answer."""

    name: Annotated[str, Field(pattern=NAME)] = Field(description=f"The endpoint answers to it: {PATTERNS[NAME]}")
    question: str = Field(default="", description="The question in one sentence, for the report")
    data: DataPart
    task: TaskPart
    use: UsePart
    privacy: PrivacyPart = PrivacyPart()
    allow_ways: Annotated[list[Way], Field(min_length=1)] = Field(default=["api", "self-hosted", "on-device"])
    workload: WorkloadPart | None = None
    require: RequirePart = RequirePart()
    decide: DecidePart = DecidePart()
    prefer: Weights = Field(default={"quality": 0.75, "cost": 0.25}, description="Order of importance, or weights")
    candidates: Annotated[list[CandidatePart], Field(min_length=1)]
    currency: dict[Annotated[str, Field(pattern=CODE)], CurrencyPart] = Field(
        default={}, description="Rates of other currencies that `costs` are stated in"
    )
    costs: dict[str, CostPart] = Field(default={}, description="Inputs of the cost model by name, in place of ours")
    hosting: HostingPart = HostingPart()

    @field_validator("costs", mode="after")
    @classmethod
    def _dated(cls, costs: dict[str, CostPart], info: ValidationInfo) -> dict[str, CostPart]:
        rates = {"USD", *info.data.get("currency", {})}
        for name, cost in costs.items():
            if cost.currency not in rates:
                what = f"{name} is stated in {cost.currency}, and no rate says what that is in USD"
                allowed = "a dated rate under `currency`"
                rate = f"currency: {{{cost.currency}: {{usd: ..., as_of: ..., source: ...}}}}"
                sound(values.bad_value(what, allowed, f"add `{rate}`"))
        return costs


def study_json_schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of a study file. `load_study` checks more: units, pairs of fields, files."""
    schema = StudyPart.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Steelyard study file",
    }
