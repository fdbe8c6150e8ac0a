"""The city brain: alerting, incidents, early signs (F1-F12, F43)."""
