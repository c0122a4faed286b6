"""Serving: the decision becomes an endpoint on this machine."""
