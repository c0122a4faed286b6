"""Queues in closed form: a first answer, and the oracle that the simulation must agree with where it holds.

M/M/c: the Erlang C formula (octave.sourceforge.io/queueing/function/erlangc.html). M/G/c: the approximation of Allen
and Cunneen, the wait of M/M/c times (1 + squared variation) / 2; for one server it is the exact formula of Pollaczek
and Khinchine. Tests hold both against the simulation and against values computed from the plain sums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


def erlang_c(servers: int, load: float) -> float:
    """The share of arrivals that must wait; `load` is arrivals a second x seconds of service. 1 when overloaded.

    By the recursion of Erlang B, B(n) = a B(n-1) / (n + a B(n-1)), which never overflows.
    """
    if load >= servers:
        return 1.0
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


@dataclass(frozen=True)
class Queue:
    """One waiting line, first come first served, before `servers` equal servers with Poisson arrivals.

    `variation` is the squared coefficient of variation of the service: 1 = exponential (M/M/c, all of it exact),
    0 = constant. Means are infinite when `utilisation` is 1 or more.
    """

    servers: int
    arrivals_per_second: float
    service_seconds: float
    variation: float = 1.0

    @property
    def utilisation(self) -> float:
        """Of every server; 1 and above grows without end."""
        return self.arrivals_per_second * self.service_seconds / self.servers

    @property
    def waiting_share(self) -> float:
        """The share of requests that wait at all: exact for exponential service, used for every other one."""
        return erlang_c(self.servers, self.arrivals_per_second * self.service_seconds)

    @property
    def mean_wait(self) -> float:
        """Seconds in line, over all requests."""
        if self.utilisation >= 1:
            return math.inf
        exponential = self.waiting_share * self.service_seconds / (self.servers * (1 - self.utilisation))
        return exponential * (1 + self.variation) / 2

    @property
    def mean_latency(self) -> float:
        """Seconds in line and in service."""
        return self.mean_wait + self.service_seconds

    def wait_quantile(self, q: float) -> float:
        """Seconds in line that a share `q` does not exceed.

        Those who wait are taken to wait exponentially long: exact for exponential service; for others a tail that is
        right in its mean.
        """
        if self.utilisation >= 1:
            return math.inf
        waiting = self.waiting_share
        if q <= 1 - waiting:
            return 0.0
        return self.mean_wait / waiting * math.log(waiting / (1 - q))
