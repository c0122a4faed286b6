"""Evidence made by hand: small studies whose answer can be seen by eye."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from steelyard.catalogue import Candidate, Model
from steelyard.costs import Cost, Machine, cost_of
from steelyard.decision import DataSummary, Decision, Evidence
from steelyard.decision.decide import decide
from steelyard.licences import Reason, Verdict
from steelyard.providers.protocol import Usage
from steelyard.quantities import Money, Sourced, Unknown
from steelyard.stats import Estimate
from steelyard.trials import Latency, Measurement, NotMeasured
from steelyard.usecase import DataSpec, Privacy, Requirement, TaskSpec, Use, UseCase, Workload

MADE_AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
NOT_READ = Unknown("not read")
ALLOWED = Verdict("allowed", (Reason("allowed", "§2", "grants any use", "Apache-2.0"),), licence_name="Apache-2.0")
FORBIDDEN = Verdict("forbidden", (Reason("forbidden", "§3.2", "research only", "MNPL"),), licence_name="MNPL")
NOT_JUDGED = Verdict("unknown", (Reason("unknown", "", "nobody has read these terms", "Obscure"),))
CONDITIONAL = Verdict(
    "conditional",
    (Reason("conditional", "§3.2", "restrictions pass on", "Gemma"),),
    duties=("pass the restrictions on",),
    questions=("Who receives the weights?",),
    licence_name="Gemma",
    revision="2025-03-24",
    as_of="2026-10-01",
)
MACHINE = Machine("m", "a machine", 2, 8, "", Sourced(Money.of("0.10"), "list", "2026-10-01"), False)
WORKLOAD = Workload(20_000, 4, 0.06, 36)


def case(**changes: Any) -> UseCase:
    """A study with a quality floor of 60 % that prefers quality, then cost, then control."""
    return UseCase(
        **{
            "name": "inbox",
            "question": "Which?",
            "file": Path("/study/study.yaml"),
            "folder": Path("/study"),
            "data": DataSpec("message", "intent"),
            "task": TaskSpec("classification", "{message}"),
            "use": Use("product", True),
            "privacy": Privacy("internal", "any"),
            "allow_ways": ("self-hosted", "api"),
            "workload": WORKLOAD,
            "require": (Requirement("accuracy", ">=", 0.6, ">= 0.60"),),
            "prefer": {"quality": 0.5, "cost": 0.3, "control": 0.2},
            "candidates": (),
        }
        | changes
    )


def candidate(id: str, **changes: Any) -> Candidate:
    openness = changes.pop("openness", "open")
    model = Model(id, id, "family", "vendor", openness, ("text",), NOT_READ, ("self-hosted",), True, *[NOT_READ] * 6)
    return Candidate(
        **{
            "id": id,
            "route": "",
            "model": model,
            "revision": "",
            "weights": None,
            "recipe": "",
            "way": "self-hosted",
            "offer": NOT_READ,
            "custody": "own",
        }
        | changes
    )


def scores(right: int, n: int, first: int = 0) -> list[float]:
    """`right` ones in a row from position `first` on (around the end), the rest zeros."""
    return [1.0 if (i - first) % n < right else 0.0 for i in range(n)]


def measured(id: str, values: Sequence[float | Unknown], **changes: Any) -> Evidence:
    """A self-hosted candidate with these scores, at `rate` requests/s."""
    rate, licence, cost = changes.pop("rate", 5.0), changes.pop("licence", ALLOWED), changes.pop("cost", None)
    run = {
        "samples": tuple(f"s{i}" for i in range(len(values))),
        "strict_rate": 1.0,
        "lenient_rate": 1.0,
        "unparseable_rate": 0.0,
        "latency": Latency(tuple(0.1 + 0.001 * i for i in range(100))),
    }
    for name in (*run, "failures"):
        if name in changes:
            run[name] = changes.pop(name)
    one = candidate(id, **changes)
    measurement = Measurement(
        candidate=id,
        scores=tuple(values),
        answers=("",) * len(values),
        usages={Usage(): 1},
        calls=len(values),
        spent=Money.of("0"),
        throughput_per_second=rate,
        **run,
    )
    if cost is None:
        cost = cost_of(
            one,
            usages={Usage(): 1},
            throughput_per_second=rate,
            workload=WORKLOAD,
            at=MADE_AT,
            machine=MACHINE,
        )
    return Evidence(one, licence, measurement, cost)


def unmeasured(id: str, reason: str = "THE_KEY is not set", gate: str = "", **changes: Any) -> Evidence:
    """A vendor's model, priced at `per_month` dollars."""
    licence, per_month = changes.pop("licence", ALLOWED), changes.pop("per_month", 300.0)
    one = candidate(id, **{"way": "api", "custody": "any", "openness": "proprietary"} | changes)
    amount = Estimate(per_month, Unknown("computed"), None, "arithmetic", "USD")
    cost = Cost("api", amount, amount, amount, (), ())
    return Evidence(one, licence, NotMeasured(id, reason, gate, 240, Money.of("0.05")), cost)


def summary(n_test: int = 240, **changes: Any) -> DataSummary:
    return DataSummary(**{
        "n_dev": 360, "n_test": n_test, "n_labels": 12, "fingerprint": "f", "exact_leaks": 0, "near_leaks": 0,
        "odd_rows": (), "peeks": 1,
    } | changes)  # fmt: skip


def decided(*evidence: Evidence, n_test: int = 240, data: DataSummary | None = None, **changes: Any) -> Decision:
    provisional = changes.pop("provisional", False)
    return decide(
        case(**changes),
        evidence,
        data or summary(n_test),
        made_at=MADE_AT,
        versions={"steelyard": "0"},
        provisional=provisional,
    )
