"""Residents who notice and report, and what communities are equipped with; in truth."""
