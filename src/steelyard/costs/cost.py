"""One candidate's cost, whichever way it runs."""

from __future__ import annotations

from collections.abc import Sequence
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
    usage_per_request: Usage | Unknown,
    throughput_per_second: float | Unknown,
    workload: Workload | Unknown,
    at: datetime,
    machine: Machine,
    usages: Sequence[Usage] = (),
) -> Cost | Unknown:
    """What running `candidate` costs, or why nobody can say.

    An API needs its offer and `usage_per_request` (or `usages`, one a sampled request, which give an interval);
    self-hosting needs `throughput_per_second` of one replica on `machine`, and the workload.
    """
    if candidate.way == "api":
        if isinstance(candidate.offer, Unknown):
            return candidate.offer
        if isinstance(usage_per_request, Unknown) and not usages:
            return Unknown(f"the tokens of a request are unknown: {usage_per_request.reason}")
        usage = Usage() if isinstance(usage_per_request, Unknown) else usage_per_request
        return api_cost(candidate.offer, usage, workload, at, usages)
    if candidate.way == "on-device":
        return Unknown("it runs on the users' own devices: no machine is rented, and their cost is not modelled")
    return self_hosted_cost(throughput_per_second, workload, machine)
