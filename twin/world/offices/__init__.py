"""The service hall, service points and channels: applicants, windows, officers; in truth."""
