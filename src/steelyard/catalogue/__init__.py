"""What can be had: models, offers, weights, and candidates, each fact with source and date."""

from steelyard.catalogue.model import Candidate, LicenceRef, Model, Offer, Price, PublicScore, Weights

__all__ = ["Candidate", "LicenceRef", "Model", "Offer", "Price", "PublicScore", "Weights"]
