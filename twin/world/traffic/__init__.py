"""Vehicles on roads: SUMO, its stand-in, routes, drivers, buses, background traffic, zoom."""
