"""The safety supervision platform (F21, F26)."""
