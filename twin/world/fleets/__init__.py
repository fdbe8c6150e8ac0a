"""Fleets in truth: units on legs, energy, links, passengers, parcels, dirt."""
