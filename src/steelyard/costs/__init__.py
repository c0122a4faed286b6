"""What it costs: API and self-hosted, from measured usage and sourced prices."""

from steelyard.costs.cost import cost_of
from steelyard.costs.estimate import Assumption, Cost, CostLine
from steelyard.costs.machines import DEFAULT_MACHINE, Machine, machine, machines
from steelyard.costs.self_hosted import capacity_per_day, replicas_needed

__all__ = [
    "DEFAULT_MACHINE",
    "Assumption",
    "Cost",
    "CostLine",
    "Machine",
    "capacity_per_day",
    "cost_of",
    "machine",
    "machines",
    "replicas_needed",
]
