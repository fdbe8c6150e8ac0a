"""Signals and what is seen at them, in truth."""
