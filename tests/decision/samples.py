"""A decision over eight candidates, written by hand: winner, tie, floor failed, licence refused, two not measured."""

from __future__ import annotations

from steelyard.catalogue.model import Openness
from steelyard.costs import Assumption, Cost, CostLine
from steelyard.decision import Comparison, DataSummary, Decision, Gate, Standing, WouldNeed
from steelyard.licences import Reason, Verdict
from steelyard.quantities import Money, Unknown
from steelyard.stats import Estimate, Estimated, Interval
from steelyard.trials import DevChoice

N = 240
FLOOR = 0.60


def share(value: float, low: float, high: float, n: int = N) -> Estimate:
    """A share of the test messages with its Wilson interval."""
    return Estimate(value, Interval(low, high), n, "Wilson score interval", "share")


def seconds(value: float, low: float, high: float, n: int = 30) -> Estimate:
    """A latency quantile with its order-statistic interval."""
    return Estimate(value, Interval(low, high), n, "order statistics", "seconds")


def usd(value: float) -> Estimate:
    """A projected cost: no sampling, so no interval."""
    return Estimate(value, Unknown("a projection from one measured rate"), None, "arithmetic", "USD")


def self_hosted(per_month: float, replicas: int) -> Cost:
    """A self-hosted cost at 20,000 requests a day."""
    per_1000 = usd(per_month / 608.8)
    line = CostLine("machine rent", per_1000, usd(per_month), f"{replicas} x 0.0960 USD/h x 730.5 h")
    assumptions = (
        Assumption("machine", "2 vCPU, 8 GB, 0.0960 USD/h", "on-demand list price", "2026-06-17"),
        Assumption("utilisation at the peak", "70 %", "planning headroom of this tool", "2026-11-24"),
        Assumption("not included", "staff, storage, network, monitoring", "this tool", "2026-11-24"),
    )
    return Cost("self-hosted", per_1000, usd(per_month), usd(per_month * 36 * 1.6), (line,), assumptions, replicas)


def api(per_1000: float) -> Cost:
    """An API cost at 20,000 requests a day."""
    per_month = per_1000 * 608.8
    line = CostLine("input tokens", usd(per_1000), usd(per_month), "812 tokens x 0.25 USD per million")
    assumptions = (
        Assumption("input price", "0.25 USD per million tokens", "https://openai.com/api/pricing", "2026-10-01"),
        Assumption("not included", "retries, staff, integration", "this tool", "2026-11-24"),
    )
    return Cost("api", usd(per_1000), usd(per_month), usd(per_month * 36 * 3.3), (line,), assumptions)


def apache(name: str = "Apache-2.0") -> Verdict:
    """A permissive verdict."""
    reason = Reason("allowed", "§2", "grants use, change and distribution for any purpose", "Apache-2.0")
    return Verdict("allowed", (reason,), licence_id="apache-2.0", licence_name=name, source="https://apache.org")


OWN = Verdict("allowed", (Reason("allowed", "", "your own model, fitted on your own data", "own"),), licence_name="own")
GEMMA = Verdict(
    "conditional",
    (Reason("conditional", "§3.2", "use restrictions of the prohibited-use policy pass on to you", "Gemma terms"),),
    duties=("keep to the Gemma prohibited-use policy",),
    questions=("Does anybody outside your organisation receive the weights?",),
    licence_id="gemma",
    licence_name="Gemma Terms of Use",
    revision="2025-03-24",
    source="https://ai.google.dev/gemma/terms",
    as_of="2026-10-01",
)
OPENAI = Verdict(
    "conditional",
    (Reason("conditional", "§2.3", "outputs may not train competing models", "OpenAI services agreement"),),
    duties=("do not train competing models on outputs",),
    licence_name="OpenAI services agreement",
)
NON_PRODUCTION = Verdict(
    "forbidden",
    (Reason("forbidden", "§3.2", "only for research and testing, never in production", "MNPL-0.1"),),
    licence_id="mnpl-0.1",
    licence_name="Mistral AI Non-Production License",
    source="https://mistral.ai/licenses/MNPL-0.1.md",
    as_of="2026-10-01",
)

PASSED_LICENCE = Gate("licence", "passed", "this use is allowed", "allowed", "The licence allows this use.")
PASSED_PRIVACY = Gate("privacy", "passed", "any", "own", "The data stay on your own machines.")
PASSED_WAYS = Gate("ways", "passed", "self-hosted, api", "self-hosted", "Self-hosted is among the allowed ways.")


def gates(accuracy: float, p95: float, per_month: float) -> tuple[Gate, ...]:
    """All six gates of a measured candidate."""
    gap = f"{abs(accuracy - FLOOR) * 100:.1f} points"
    good = accuracy >= FLOOR
    quality = Gate(
        "quality",
        "passed" if good else "failed",
        "accuracy >= 60 %",
        f"{accuracy * 100:.1f} %",
        f"{accuracy * 100:.1f} % right, {gap} {'above' if good else 'below'} the floor of 60 %.",
    )
    latency = Gate("latency", "passed", "p95 <= 800 ms", f"{p95 * 1000:.0f} ms", f"p95 is {p95 * 1000:.0f} ms.")
    budget = Gate("budget", "passed", "<= $3,000 a month", f"${per_month:,.0f}", f"${per_month:,.0f} a month.")
    return (PASSED_LICENCE, PASSED_PRIVACY, PASSED_WAYS, quality, latency, budget)


def measured(
    candidate: str,
    name: str,
    vendor: str,
    openness: Openness,
    tier: int,
    quality: Estimate,
    latency: tuple[Estimate, Estimate],
    per_month: float,
    licence: Verdict,
    settings: str,
    throughput: float,
    parameters: str,
    dev: tuple[DevChoice, ...] = (),
) -> Standing:
    """The line of a measured, self-hosted candidate."""
    streams: Estimated = Unknown("the answer does not stream")
    return Standing(
        candidate=candidate,
        name=name,
        vendor=vendor,
        openness=openness,
        way="self-hosted",
        is_language_model=openness != "baseline",
        parameters=parameters,
        tier=tier,
        quality=quality,
        strict_rate=share(1.0, 0.984, 1.0),
        lenient_rate=share(1.0, 0.984, 1.0),
        unparseable_rate=share(0.0, 0.0, 0.016),
        latency_p50=latency[0],
        latency_p95=latency[1],
        ttft_p95=streams,
        throughput_per_second=Estimate(throughput, Unknown("one run"), N, "requests over seconds", "requests/s"),
        cost=self_hosted(per_month, round(per_month / 70.1)),
        licence=licence,
        gates=gates(quality.value, latency[1].value, per_month),
        settings=settings,
        not_measured="",
        dev_choices=dev,
        served_models=(candidate,),
    )


def unmeasured(
    candidate: str, name: str, vendor: str, openness: Openness, cost: Cost | Unknown, licence: Verdict, reason: str
) -> Standing:
    """The line of a candidate that was priced and licence-checked only."""
    nothing = Unknown(reason)
    forbidden = licence.status == "forbidden"
    licence_gate = Gate("licence", "failed", "this use is allowed", "forbidden", f"Forbidden: {licence.headline}.")
    unknown = tuple(
        Gate(which, "unknown", limit, "not measured", f"Not measured: {reason}.")
        for which, limit in (("quality", "accuracy >= 60 %"), ("latency", "p95 <= 800 ms"))
    )
    return Standing(
        candidate=candidate,
        name=name,
        vendor=vendor,
        openness=openness,
        way="api" if isinstance(cost, Cost) else "self-hosted",
        is_language_model=True,
        parameters="22.2 B" if forbidden else "not published",
        tier=None,
        quality=nothing,
        strict_rate=nothing,
        lenient_rate=nothing,
        unparseable_rate=nothing,
        latency_p50=nothing,
        latency_p95=nothing,
        ttft_p95=nothing,
        throughput_per_second=nothing,
        cost=cost,
        licence=licence,
        gates=(licence_gate if forbidden else PASSED_LICENCE, PASSED_PRIVACY, PASSED_WAYS, *unknown),
        settings="",
        not_measured=reason,
    )


def _dev(*rows: tuple[int, str, float]) -> tuple[DevChoice, ...]:
    best = max(row[2] for row in rows)
    return tuple(DevChoice(shots, calibration, accuracy, 48, accuracy == best) for shots, calibration, accuracy in rows)


def _standings() -> tuple[Standing, ...]:
    smol_dev = _dev((0, "none", 0.292), (0, "pmi", 0.354), (12, "pmi", 0.521), (24, "none", 0.5), (24, "pmi", 0.583))
    gemma_dev = _dev((0, "none", 0.25), (12, "pmi", 0.396), (24, "pmi", 0.458))
    no_key = "OPENAI_API_KEY is not set"
    return (
        measured(
            "linear",
            "TF-IDF + linear model",
            "your own",
            "baseline",
            1,
            share(0.7125, 0.652, 0.766),
            (seconds(0.0011, 0.001, 0.0012), seconds(0.0019, 0.0016, 0.003)),
            70.128,
            OWN,
            "fitted on 360 messages",
            710.0,
            "41,000",
        ),
        measured(
            "smollm2-135m-instruct+head",
            "SmolLM2-135M-Instruct with a fitted head",
            "Hugging Face",
            "open",
            1,
            share(0.6792, 0.6177, 0.735),
            (seconds(0.062, 0.058, 0.068), seconds(0.091, 0.082, 0.12)),
            70.128,
            apache(),
            "logistic head on own embeddings",
            15.9,
            "135 M",
        ),
        measured(
            "smollm2-135m-instruct",
            "SmolLM2-135M-Instruct",
            "Hugging Face",
            "open",
            2,
            share(0.6042, 0.541, 0.664),
            (seconds(0.21, 0.2, 0.23), seconds(0.34, 0.31, 0.41)),
            140.256,
            apache(),
            "24 shots, PMI",
            4.4,
            "135 M",
            smol_dev,
        ),
        measured(
            "gemma-3-270m",
            "Gemma 3 270M (base)",
            "Google",
            "open",
            3,
            share(0.4708, 0.408, 0.534),
            (seconds(0.32, 0.3, 0.34), seconds(0.48, 0.44, 0.61)),
            210.384,
            GEMMA,
            "24 shots, PMI",
            2.9,
            "270 M",
            gemma_dev,
        ),
        measured(
            "gemma-3-270m#q8_0",
            "Gemma 3 270M (base), 8-bit weights",
            "Google",
            "open",
            3,
            share(0.4792, 0.417, 0.542),
            (seconds(0.44, 0.41, 0.47), seconds(0.66, 0.6, 0.79)),
            280.512,
            GEMMA,
            "24 shots, PMI",
            2.1,
            "270 M",
        ),
        unmeasured("openai:gpt-5-mini", "GPT-5 mini", "OpenAI", "proprietary", api(0.223), OPENAI, no_key),
        unmeasured("openai:gpt-5-nano", "GPT-5 nano", "OpenAI", "proprietary", api(0.045), OPENAI, no_key),
        unmeasured(
            "codestral-22b",
            "Codestral 22B",
            "Mistral AI",
            "open",
            Unknown("it was not measured, so its throughput is unknown"),
            NON_PRODUCTION,
            "the licence forbids this use",
        ),
    )


def _comparison(first: str, second: str, value: float, half: float, p: float, adjusted: float) -> Comparison:
    interval = Interval(value - half, value + half)
    difference = Estimate(value, interval, N, "Tango score interval", "share")
    return Comparison(first, second, difference, p, adjusted, adjusted < 0.05)


def sample_decision() -> Decision:
    """What a whole run leaves behind; figures are invented but consistent with each other."""
    margin = _comparison("linear", "smollm2-135m-instruct+head", 0.0333, 0.055, 0.24, 0.48)
    verdict = (
        "Take linear (TF-IDF + linear model): 71.2 % right on your 240 test messages (65.2 to 76.6 %), "
        "about $70 a month at 20,000 requests a day. The best language model is SmolLM2-135M-Instruct with a fitted "
        "head at 67.9 %; the two cannot be told apart on these messages."
    )
    return Decision(
        study="support-inbox",
        question="Which model should sort our support inbox?",
        made_at="2026-11-24T15:00:00+00:00",
        metric="accuracy",
        verdict=verdict,
        winner="linear",
        best_language_model="smollm2-135m-instruct+head",
        ties=("smollm2-135m-instruct+head",),
        margin=margin,
        standings=_standings(),
        comparisons=(
            margin,
            _comparison("linear", "smollm2-135m-instruct", 0.1083, 0.07, 0.003, 0.012),
            _comparison("linear", "gemma-3-270m", 0.2417, 0.075, 1e-8, 1e-7),
            _comparison("linear", "gemma-3-270m#q8_0", 0.2333, 0.075, 2e-8, 1.6e-7),
            _comparison("smollm2-135m-instruct+head", "smollm2-135m-instruct", 0.075, 0.062, 0.018, 0.054),
            _comparison("gemma-3-270m#q8_0", "gemma-3-270m", 0.0083, 0.03, 0.6, 0.6),
        ),
        would_need=(
            WouldNeed(
                "openai:gpt-5-mini",
                "OPENAI_API_KEY is not set",
                share(0.8, 0.8, 0.8),
                240,
                Money.of("0.054"),
                "GPT-5 mini would have to get 192 of 240 right (80.0 %) to be clearly better than linear; "
                "finding out takes 240 calls and about $0.05.",
            ),
            WouldNeed(
                "openai:gpt-5-nano",
                "OPENAI_API_KEY is not set",
                share(0.8, 0.8, 0.8),
                240,
                Money.of("0.011"),
                "GPT-5 nano would have to get 192 of 240 right (80.0 %) to be clearly better than linear; "
                "finding out takes 240 calls and about $0.01.",
            ),
        ),
        reasons=(
            "Quality first: linear and SmolLM2-135M-Instruct with a fitted head lead and cannot be told apart.",
            "Cost next: both cost $70 a month; linear has the higher accuracy.",
        ),
        doubts=(
            "Too close to call: linear is 3.3 points above SmolLM2-135M-Instruct with a fitted head, "
            "95 % interval of the difference -2.2 to +8.8.",
            "The floor of 60 % lies inside the interval of SmolLM2-135M-Instruct (54.1 to 66.4 %).",
            "Throughput was measured on this machine, not on the machine that is priced.",
        ),
        recheck_when=(
            "The price of the 2-vCPU machine was read on 2026-06-17: look again after 2026-12-17.",
            "Above 34 million requests a day one machine is no longer enough for linear.",
        ),
        duties=(),
        questions=(),
        requirements=("accuracy >= 0.60", "latency_p95 <= 800 ms", "cost_per_month <= 3000 USD"),
        preference={"quality": 0.5, "cost": 0.3, "control": 0.2},
        workload="20,000 requests a day, peak 4 times the mean, growing 6 % a month, over 36 months",
        privacy="internal data; may be sent to any provider",
        intended_use="product, commercial, in customer-support",
        data=DataSummary(
            n_dev=360,
            n_test=N,
            n_labels=12,
            fingerprint="9f2c1d7e5a40b8836c1f0e7d2b94a6c35e8f7a1b0c9d8e7f6a5b4c3d2e1f0a9b",
            exact_leaks=0,
            near_leaks=2,
            odd_rows=("inbox.jsonl row 212: empty message, not used",),
            peeks=2,
        ),
        fallback_order=("linear", "smollm2-135m-instruct+head", "smollm2-135m-instruct"),
        versions={"steelyard": "0.1.0", "xllamacpp": "2026.10.11549", "scikit-learn": "1.7.2"},
    )
