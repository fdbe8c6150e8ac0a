"""Alerting: from readings to alerts that can be trusted, by rules a city owns."""
