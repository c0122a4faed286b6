"""Scores that others published: rumours with a source and a date, never mixed with what was measured here."""
