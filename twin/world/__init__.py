"""Simulated truth and the adapters to simulators; one folder per system, mirrored by name in control."""
