"""What can be had: models, offers, weights, and candidates, each fact with source and date."""

from steelyard.catalogue.model import Candidate, LicenceRef, Model, Offer, PublicScore, Weights
from steelyard.catalogue.price import Price

__all__ = ["Candidate", "LicenceRef", "Model", "Offer", "Price", "PublicScore", "Weights"]
