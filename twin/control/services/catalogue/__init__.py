"""The catalogue of service items: one source for directory, implementation list and guide (F34, F35, F39, F41)."""
