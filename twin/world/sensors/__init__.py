"""What the city can perceive: truth becomes readings and reports, late and incomplete."""
