"""The desk of the sanitation robots (F25)."""
