"""One candidate's cost, whichever way it runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from steelyard.catalogue import Candidate
from steelyard.costs.api import api_cost
from steelyard.costs.estimate import Cost
from steelyard.costs.machines import Machine
from steelyard.costs.self_hosted import self_hosted_cost
from steelyard.providers.protocol import Usage
from steelyard.quantities import Unknown
from steelyard.usecase import Workload


def cost_of(
    candidate: Candidate,
    *,
    usages: Mapping[Usage, int],
    throughput_per_second: float | Unknown,
    workload: Workload | Unknown,
    at: datetime,
    machine: Machine,
) -> Cost | Unknown:
    """What running `candidate` costs, or why nobody can say.

    An API needs its offer and `usages`: the usage of sampled requests, and how often each occurred; self-hosting
    needs `throughput_per_second` of one replica on `machine`, and the workload.
    """
    if candidate.way == "api":
        if isinstance(candidate.offer, Unknown):
            return candidate.offer
        if not usages:
            return Unknown("the tokens of a request are unknown: none was answered")
        return api_cost(candidate.offer, usages, workload, at)
    if candidate.way == "on-device":
        return Unknown("it runs on the users' own devices: no machine is rented, and their cost is not modelled")
    return self_hosted_cost(throughput_per_second, workload, machine)
