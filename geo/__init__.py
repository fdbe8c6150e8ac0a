"""The city without time: districts, roads, places, waters, and the ways between them."""
