"""THE REAL LOGIC: what a city would deploy. It sees messages only and answers with commands."""
