"""Those who come: bases, crews, shifts, and how incidents are handled (F1, F2, F11)."""

from __future__ import annotations

from twin.scenario.parts import Part


class Responders(Part):
    """Responders and the incident desk."""
