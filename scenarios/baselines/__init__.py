"""Plain methods of others in the same scenario, to compare with: SUMO's own taxi dispatch."""
