"""Pictures of runs: reads logs and cities, never a live world."""
