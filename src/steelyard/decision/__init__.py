"""Which one, how sure, what was ruled out and by which gate, and what would change the answer."""

from steelyard.costs.outlook import CostOutlook
from steelyard.decision.record import (
    Comparison,
    DataSummary,
    Decision,
    Evidence,
    Gate,
    Standing,
    WouldNeed,
)

__all__ = ["Comparison", "CostOutlook", "DataSummary", "Decision", "Evidence", "Gate", "Standing", "WouldNeed"]
