"""Where a model that nobody has measured would run: machine, layout, rate and rent of one replica, by sizing.

An estimate, and said to be one: the interval of 90 % is that of `steelyard.sizing.speed`. No queue is simulated here
(see `steelyard size fit`); `utilisation` leaves room for it, as it does for a measured rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from steelyard.catalogue import Candidate
from steelyard.costs.inputs import Input, default_inputs
from steelyard.costs.machines import processor
from steelyard.providers.protocol import Usage
from steelyard.quantities import Unknown
from steelyard.sizing.checkpoints import published_precision
from steelyard.sizing.hardware import Accelerator, Rent, Term
from steelyard.sizing.layout import PRECISIONS, Precision
from steelyard.sizing.memory import smallest_fit
from steelyard.sizing.objective import Objective
from steelyard.sizing.speed import Speed, speeds
from steelyard.sizing.terms import ONE, Load
from steelyard.stats import Estimate, Interval
from steelyard.usecase import Workload
from steelyard.usecase.case import Tenure

TENURES: tuple[Tenure, ...] = ("on-demand", "spot", "1-year", "3-year", "owned")
MOST_TOGETHER = 256
SAID = "estimated by sizing, not measured"


@dataclass(frozen=True)
class Asked:
    """One mean request in tokens, of which `fresh` differ from the one before (a shared beginning is kept)."""

    prompt: int
    fresh: int
    answer: int

    @classmethod
    def of(cls, usages: Mapping[Usage, int], fresh: int = 0) -> Asked:
        """The mean of the sampled requests; `fresh` 0: nothing is known to be shared."""
        total, count = Usage.total(usages), sum(usages.values())
        prompt = max(1, round(total.input_tokens / count))
        return cls(prompt, min(prompt, fresh or prompt), max(1, round(total.output_tokens / count)))


@dataclass(frozen=True)
class Placement:
    """One replica: what it runs on, how many of it, requests a second with the ends of 90 %, and at which latency."""

    candidate: str
    machine: str
    name: str
    machines: int
    rate: float
    low: float
    high: float
    seconds: float
    how: str
    rents: tuple[Rent, ...]
    purchase: Input | Unknown
    watts: Input | Unknown
    accelerated: bool = True

    def tenures(self) -> tuple[Tenure, ...]:
        """In which ways it can be had at a known price."""
        terms = {rent.term for rent in self.rents}
        bought = not isinstance(self.purchase, Unknown) and not isinstance(self.watts, Unknown)
        return tuple(one for one in TENURES if one in terms or (one == "owned" and bought))

    def rent(self, term: Term) -> Input | Unknown:
        """USD an hour of one machine: the median of what sellers ask, from the least to the most."""
        anchors = [rent for rent in self.rents if rent.term == term]
        if not anchors:
            return Unknown(f"no rent of {self.name} is known for {term}")
        usd = [float(rent.usd_per_hour.value) for rent in anchors]
        read = tuple(dict.fromkeys(rent.usd_per_hour.source for rent in anchors))
        as_of = max(rent.usd_per_hour.as_of for rent in anchors)
        source = f"{term}, median of {len(anchors)}: {'; '.join(read)}" if len(anchors) > 1 else read[0]
        return Input("rent_usd_per_hour", median(usd), min(usd), max(usd), "USD an hour", source, as_of)

    def facts(self, tenure: Tenure) -> list[Input] | Unknown:
        """The inputs of a plan on it; Unknown where it cannot be had so at a known price."""
        mine = [
            Input(
                "replica_rate", self.rate, self.low, self.high, "requests a second", self.how, "", "log-normal",
                own=self.candidate,
            ),
            Input(
                "machines_per_replica", self.machines, self.machines, self.machines, "machines", f"{SAID}: {self.name}",
                "", own=self.candidate,
            ),
        ]  # fmt: skip
        if self.accelerated:
            mine.append(accelerator_staff())
        if tenure != "owned":
            rent = self.rent(tenure)
            return rent if isinstance(rent, Unknown) else [*mine, replace(rent, own=self.machine)]
        for part in (self.purchase, self.watts):
            if isinstance(part, Unknown):
                return part
            mine.append(part)
        return mine

    def bill(self, tenure: Tenure, workload: Workload) -> float:
        """USD a month for the machines that carry today's peak, to choose by; infinite at no known price."""
        facts = self.facts(tenure)
        if isinstance(facts, Unknown):
            return math.inf
        known = {fact.name: fact.value for fact in facts}
        usable = self.rate * default_inputs().facts["utilisation"].value
        peak = workload.requests_per_day / 86_400 * workload.peak_to_mean
        count = max(1, math.ceil(peak / usable - 1e-9)) * self.machines
        if tenure != "owned":
            return count * known["rent_usd_per_hour"] * 730.5
        return count * known["purchase_usd"] / default_inputs().facts["life_months"].value


def accelerator_staff() -> Input:
    """Whoever runs accelerators takes more of an engineer than whoever runs plain machines."""
    share = default_inputs().facts["platform_engineers_accelerators"]
    return replace(share, name="platform_engineers_own", own="accelerators")


def placements(
    candidate: Candidate,
    asked: Asked,
    workload: Workload,
    objectives: Sequence[Objective],
    hardware: Mapping[str, Accelerator],
) -> tuple[Placement, ...] | Unknown:
    """On every machine with a price that holds it and answers a single request in time, cheapest on demand first."""
    if not candidate.is_language_model:
        return (_linear(candidate),)
    found, why = [], []
    for machine in _priced(hardware):
        one = _on(candidate, asked, machine, objectives)
        if isinstance(one, Unknown):
            why.append(f"{machine.name}: {one.reason}")
        else:
            found.append(one)
    if not found:
        reasons = tuple(dict.fromkeys(text.partition(": ")[2] for text in why))
        told = reasons[0] if len(reasons) == 1 else "; ".join(why[:3])
        return Unknown(told or "no machine with a known price is at hand")
    return tuple(sorted(found, key=lambda one: one.bill("on-demand", workload)))


def _priced(hardware: Mapping[str, Accelerator]) -> Iterable[Accelerator]:
    """The plain machine as this computer measured itself, or as one like it was, and accelerators with a price."""
    yield processor(hardware)
    for one in hardware.values():
        if one.kind == "gpu" and (one.rents or not isinstance(one.purchase, Unknown)):
            yield one


def _on(
    candidate: Candidate, asked: Asked, machine: Accelerator, objectives: Sequence[Objective]
) -> Placement | Unknown:
    plain = machine.kind != "gpu"
    precision = _precision(candidate, plain)
    context = asked.prompt + asked.answer
    fitted = smallest_fit(candidate.model, machine, precision, context=context)
    if isinstance(fitted, Unknown):
        return fitted
    if not fitted.fits:
        return Unknown(f"{candidate.model.name} does not fit at {precision}")
    answer = 1 if candidate.recipe else asked.answer
    prompt = asked.fresh if plain else asked.prompt
    most = 1 if plain else min(MOST_TOGETHER, fitted.max_batch)
    backend = "llama.cpp" if plain else "vllm"
    together = [2**n for n in range(int(math.log2(most)) + 1)]
    parallel = ONE if plain else fitted.parallel
    loads = [Load(candidate.model, machine, precision, backend, prompt, answer, n, parallel) for n in together]
    best: Placement | Unknown = Unknown("it is too slow for the latency that is asked for, even one request at a time")
    for n, speed in zip(together, speeds(loads), strict=True):
        told = speed if isinstance(speed, Unknown) else _known(speed)
        if isinstance(told, Unknown):
            return told if n == 1 else best
        if _in_time(told, answer, objectives):
            best = _placed(candidate, machine, loads[0], n, told)
    return best


@dataclass(frozen=True)
class _Known:
    """A speed of which every part is known: seconds, and tokens a second and accelerator."""

    ttft: float
    tpot: float
    rate: float
    interval: Interval


def _known(speed: Speed) -> _Known | Unknown:
    for part in (speed.ttft, speed.output_tokens_per_second_per_gpu):
        if isinstance(part, Unknown):
            return part
    assert isinstance(speed.ttft, Estimate) and isinstance(speed.output_tokens_per_second_per_gpu, Estimate)
    rate = speed.output_tokens_per_second_per_gpu
    assert isinstance(rate.interval, Interval), "the roofline gives an interval"
    return _Known(speed.ttft.value, speed.tpot.value, rate.value, rate.interval)


def _placed(candidate: Candidate, machine: Accelerator, load: Load, together: int, speed: _Known) -> Placement:
    gpus = load.parallel.gpus
    a_second = gpus / load.osl
    name = machine.name if gpus == 1 else f"{gpus} x {machine.name}"
    shared = ", the shared beginning kept" if machine.kind != "gpu" else ""
    how = (
        f"{SAID}: {name}, {load.precision}, {load.backend}, {load.isl} tokens in{shared}, {load.osl} out, "
        f"{together} at a time; range: 90 %"
    )
    return Placement(
        candidate=candidate.id,
        machine=machine.id,
        name=name if gpus == 1 else f"{name} ({load.parallel})",
        machines=gpus,
        rate=speed.rate * a_second,
        low=speed.interval.low * a_second,
        high=speed.interval.high * a_second,
        seconds=speed.ttft + (load.osl - 1) * speed.tpot,
        how=how,
        rents=machine.rents,
        purchase=_purchase(machine),
        watts=_watts(machine),
        accelerated=machine.kind == "gpu",
    )


def _in_time(speed: _Known, answer: int, objectives: Sequence[Objective]) -> bool:
    """Without any wait in line: what is later than this is too late on any number of machines."""
    seconds = {
        "ttft": speed.ttft,
        "tpot": speed.tpot,
        "latency": speed.ttft + (answer - 1) * speed.tpot,
        "wait": 0.0,
    }
    return all(seconds[one.metric] <= one.limit_seconds for one in objectives)


def _linear(candidate: Candidate) -> Placement:
    """A classifier on word counts: hundreds a second on any machine."""
    plain, rate = processor({}), default_inputs().facts["linear_rate"]
    return Placement(
        candidate.id, plain.id, plain.name, 1, rate.value, rate.low, rate.high, 1 / rate.value,
        f"not measured; {rate.source}", plain.rents, _purchase(plain), _watts(plain), accelerated=False,
    )  # fmt: skip


def _precision(candidate: Candidate, plain: bool) -> Precision:
    """That of the weights at hand on a plain machine, that of the published ones on an accelerator."""
    name = candidate.weights.name.lower() if candidate.weights else "q8_0"
    if not plain:
        return published_precision(candidate.model.id)
    return next((known for known in PRECISIONS if known == name), "q8_0")


def _purchase(machine: Accelerator) -> Input | Unknown:
    """One accelerator with its part of the server around it."""
    if isinstance(machine.purchase, Unknown):
        return machine.purchase
    around, price = default_inputs().facts["server_share"], machine.purchase
    value, low, high = (float(price.value) * (1 + share) for share in (around.value, around.low, around.high))
    source = f"{price.value.usd} USD for {machine.name} ({price.source}), and {around.value:.0%} for the server around"
    return Input("purchase_usd", value, low, high, "USD", source, price.as_of, "log-normal", own=machine.id)


def _watts(machine: Accelerator) -> Input | Unknown:
    if isinstance(machine.watts, Unknown):
        return machine.watts
    around, rated = default_inputs().facts["server_power_ratio"], machine.watts
    value, low, high = (rated.value * ratio for ratio in (around.value, around.low, around.high))
    source = f"{rated.value:g} W ({rated.source}) x {around.value:g} for the server around it"
    return Input("machine_watts", value, low, high, "W", source, rated.as_of, own=machine.id)
