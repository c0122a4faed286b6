"""Numbers in, Estimates out. This room has never heard of a model."""

from steelyard.stats.estimate import Estimate, Estimated, Interval

__all__ = ["Estimate", "Estimated", "Interval"]
