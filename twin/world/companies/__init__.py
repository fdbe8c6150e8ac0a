"""Companies over their life, and what the policies do to them; in truth."""
