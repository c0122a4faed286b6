"""Prices, limits and dates of thousands of models: three packages read once, by us, and kept as one file of facts."""
