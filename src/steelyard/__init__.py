"""Steelyard: which model should a team choose, open or proprietary, with evidence from its own data."""

__version__ = "0.1.0"
__all__ = ["__version__"]
