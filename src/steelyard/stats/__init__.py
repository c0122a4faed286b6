"""Numbers in, Estimates out. This room has never heard of a model."""

from steelyard.stats.estimate import Estimate, Estimated, Interval
from steelyard.stats.means import mean
from steelyard.stats.multiple import holm, not_beaten
from steelyard.stats.noninferiority import NonInferiority, noninferiority
from steelyard.stats.paired import PairedDifference, paired_difference
from steelyard.stats.proportion import wilson
from steelyard.stats.quantiles import needed_for, quantile
from steelyard.stats.tiers import tiers

__all__ = [
    "Estimate",
    "Estimated",
    "Interval",
    "NonInferiority",
    "PairedDifference",
    "holm",
    "mean",
    "needed_for",
    "noninferiority",
    "not_beaten",
    "paired_difference",
    "quantile",
    "tiers",
    "wilson",
]
