"""People and companies: who lives here, what they plan, and how they react; all state in arrays."""
