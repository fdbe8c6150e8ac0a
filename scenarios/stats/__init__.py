"""Whether B is better than A: paired differences, looks, corrections, and their error rates."""
