"""What a team wants: the study as frozen values, after all checks. Built by `load_study` only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from steelyard.catalogue.model import Way
from steelyard.providers.protocol import DataClass, MaySendTo, Option
from steelyard.quantities import Unknown

Purpose: TypeAlias = Literal["evaluate", "research", "internal", "product", "hosted-service"]
Distribute: TypeAlias = Literal["none", "weights", "derivative", "application"]
OutputsTrain: TypeAlias = Literal["none", "same-family", "other-models", "competing"]
Role: TypeAlias = Literal["deployer", "end-user"]
Already: TypeAlias = Literal["registered", "subscription", "commercial-agreement"]
Metric: TypeAlias = Literal["accuracy", "latency_p50", "latency_p95", "ttft_p95", "cost_per_month", "cost_per_1000"]
Tenure: TypeAlias = Literal["on-demand", "spot", "1-year", "3-year", "owned"]
CorpusMetric: TypeAlias = Literal["macro_f1", "micro_f1", "balanced_accuracy"]
Criterion: TypeAlias = Literal["quality", "cost", "speed", "control", "independence", "time_to_market"]


@dataclass(frozen=True)
class DataSpec:
    """Where the samples are. Either `file` with `test_share`, or `train` and `test` files. Paths are absolute."""

    input: str
    target: str
    file: Path | None = None
    train: Path | None = None
    test: Path | None = None
    test_share: float | None = None
    id: str = ""
    cluster: str = ""
    language: str = ""
    slices: tuple[str, ...] = ()
    max_test: int | None = None
    max_dev: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class TaskSpec:
    """What is asked. `prompt` has one `{field}` per placeholder; {INPUT-COLUMN} is the sample's input.

    `shots`: the numbers to choose from on dev (one number = fixed). `calibration`: "auto" | "none" | "pmi".
    `labels`: the closed set of targets in a fixed order, () until the data are read.
    """

    kind: Literal["classification"]
    prompt: str
    metric: str = "accuracy"
    shots: tuple[int, ...] = (0, 12, 24)
    calibration: Literal["auto", "none", "pmi"] = "auto"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Organisation:
    """Who uses the model. Money in US dollars; None and () mean that the study file does not say.

    `domicile`: every place of establishment, a country's code or "EU".
    """

    kind: Literal["company", "non-profit", "academic", "government", "individual"] | None = None
    domicile: tuple[str, ...] = ()
    annual_revenue_usd: int | None = None
    monthly_revenue_usd: int | None = None
    product_monthly_revenue_usd: int | None = None
    affiliates_included: bool | None = None
    qualified_non_profit: bool | None = None


@dataclass(frozen=True)
class Users:
    """Who is served. `monthly_active` are the product's, now; the others those of all products of the group.

    `monthly_active_at` maps ISO dates to the users on that day; `monthly_active_at_release` is the number in the
    month before the release of whichever model is judged, for a group that stays on one side of every limit.
    """

    territories: tuple[str, ...] = ()
    monthly_active: int | None = None
    monthly_active_at_release: int | None = None
    monthly_active_at: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Use:
    """The intended use that licences are judged against. None: not stated, which may make a verdict a question.

    `tuned`: whether the model will be fine-tuned; None leaves it to the candidate's own recipe.
    """

    purpose: Purpose
    commercial: bool
    distribute: Distribute = "none"
    outputs_train: OutputsTrain = "none"
    field: str = ""
    role: Role = "deployer"
    already: tuple[Already, ...] = ()
    tuned: bool | None = None
    organisation: Organisation = Organisation()
    users: Users = Users()


@dataclass(frozen=True)
class Privacy:
    """The data's class and how far it may go: own machines, contracted processors, any."""

    data_class: DataClass = "internal"
    may_send_to: MaySendTo = "contracted"


@dataclass(frozen=True)
class Workload:
    """Expected traffic. `growth_per_month` 0.06 is 6 %. `hours`: relative traffic in each hour of a day, () unknown."""

    requests_per_day: float
    peak_to_mean: float = 4.0
    growth_per_month: float = 0.0
    horizon_months: int = 12
    hours: tuple[float, ...] = ()


@dataclass(frozen=True)
class Hosting:
    """How own machines are had: on which ("" = the cheapest that fits), on which terms; what must not leave them."""

    on: str = ""
    term: Tenure = "on-demand"
    must_stay: float = 0.0


@dataclass(frozen=True)
class Requirement:
    """A hard limit: `metric` `op` `limit` (share, seconds or USD; the unit follows from the metric).

    `text` is what the user wrote, for messages.
    """

    metric: str
    op: Literal[">=", "<=", ">", "<"]
    limit: float
    text: str

    def passes(self, value: float) -> bool:
        """Whether a value meets the limit."""
        return {
            ">=": value >= self.limit,
            "<=": value <= self.limit,
            ">": value > self.limit,
            "<": value < self.limit,
        }[self.op]


@dataclass(frozen=True)
class CandidateSpec:
    """A candidate as written: an id string, or a mapping with more detail.

    `id` follows `[ROUTE:]MODEL[@REVISION][#WEIGHTS][+RECIPE]`. `where` is "line 12" for messages.
    """

    id: str
    where: str = ""
    base_url: str = ""
    key_env: str = ""
    contracted: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True)
class StatedCost:
    """An input of the cost model as the team states it, in US dollars where it is money."""

    value: float
    low: float
    high: float
    source: str = ""
    as_of: str = ""


@dataclass(frozen=True)
class UseCase:
    """One study: task, workload, requirements, preference and intended use of one team.

    `folder` is the study's folder; all output goes to `folder / ".steelyard"`. `prefer` maps criteria to weights
    that sum to 1, in the order of importance. `margin`: how much worse than the best counts as good enough, fixed
    before the run; None if the study states none. `also`: metrics that are told beside the task's own. `costs` replace
    inputs of the cost model by name. `workload` may be Unknown: then monthly costs are unknown.
    """

    name: str
    question: str
    file: Path
    folder: Path
    data: DataSpec
    task: TaskSpec
    use: Use
    privacy: Privacy
    allow_ways: tuple[Way, ...]
    workload: Workload | Unknown
    require: tuple[Requirement, ...]
    prefer: Mapping[Criterion, float]
    candidates: tuple[CandidateSpec, ...]
    costs: Mapping[str, StatedCost] = field(default_factory=dict)
    margin: float | None = None
    also: tuple[CorpusMetric, ...] = ()
    hosting: Hosting = Hosting()

    @property
    def output(self) -> Path:
        """The study's own output folder."""
        return self.folder / ".steelyard"
