"""Recipes that make a new candidate out of labelled data: linear and +head."""
