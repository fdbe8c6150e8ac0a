"""The desk of the autonomous buses (F22)."""
