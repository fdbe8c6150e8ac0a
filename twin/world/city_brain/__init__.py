"""Hazards in truth, the sensor channels that perceive them, and the adapters of the alerting desk."""
