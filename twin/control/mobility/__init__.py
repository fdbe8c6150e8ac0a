"""Fleets: bus, delivery and sanitation desks, permits and safety supervision (F21-F29)."""
