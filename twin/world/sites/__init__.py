"""Construction projects in truth: progress, trucks, dust, hazards."""
