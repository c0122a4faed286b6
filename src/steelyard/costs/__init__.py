"""What it costs: API and self-hosted, from measured usage and sourced prices."""

from steelyard.costs.estimate import Assumption, Cost, CostLine

__all__ = ["Assumption", "Cost", "CostLine"]
