"""CPU seconds of the cost analysis: 5 candidates x 6 scenarios x 36 months x 1,000 worlds; limit 3 s."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from steelyard.costs.break_even import cheapest
from steelyard.costs.inputs import Input, default_inputs
from steelyard.costs.model import Plan
from steelyard.costs.scenarios import SCENARIOS, outcomes
from steelyard.costs.tornado import tornado
from steelyard.costs.volume import Demand, over_volume

LIMIT_SECONDS = 3.0
SIX = SCENARIOS[:6]


def five_plans() -> tuple[Plan, ...]:
    """Two APIs, rented machines around the clock and with the load, bought machines."""

    def of(name: str, **values: float) -> Plan:
        facts = [Input(key, value, value * 0.8, value * 1.25, "", "benchmark", "") for key, value in values.items()]
        return Plan(name, "api", default_inputs().with_facts(facts))

    tokens = {"fresh_tokens": 700, "cached_tokens": 100, "written_tokens": 0, "output_tokens": 150}
    api = of("api", **tokens, reasoning_tokens=50, input_rate=1, cached_rate=0.1, write_rate=1.25, output_rate=4)
    machines = of("rented", replica_rate=3, rent_usd_per_hour=1.69, purchase_usd=30_000, machine_watts=1400)
    rented = replace(machines, way="rented")
    return (
        api,
        replace(api, candidate="api 2"),
        rented,
        replace(rented, candidate="with the load", scaling="with the load"),
        replace(rented, candidate="owned", way="owned", owned=True),
    )


def main() -> int:
    """Print the figures; 1 when the limit is missed."""
    plans, demand = five_plans(), Demand(200_000, 0.06, 36)
    start = time.process_time()
    outcomes(plans, demand, "rented", SIX, worlds=1000)
    seconds = time.process_time() - start
    print(f"5 candidates x 6 scenarios x 36 months x 1,000 worlds: {seconds:.2f} s of CPU (limit {LIMIT_SECONDS:g})")
    start = time.process_time()
    spans = cheapest(over_volume(plans))
    print(f"break-even over 1 to 10^8 requests a day: {len(spans)} spans, {time.process_time() - start:.2f} s of CPU")
    start = time.process_time()
    bars = tornado(plans, demand, "rented")
    print(f"tornado over {len(bars)} inputs: {time.process_time() - start:.2f} s of CPU")
    return 0 if seconds < LIMIT_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
