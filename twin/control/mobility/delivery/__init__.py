"""The desk of the delivery robots (F23, F24)."""
