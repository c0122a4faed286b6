"""Measured on the team's own data."""

from steelyard.trials.measurement import DevChoice, Latency, Measurement, NotMeasured, Trial

__all__ = ["DevChoice", "Latency", "Measurement", "NotMeasured", "Trial"]
