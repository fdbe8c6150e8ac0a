"""The policy desk and the business climate."""
