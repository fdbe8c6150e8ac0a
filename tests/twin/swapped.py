"""Controllers that take another's place at a branch."""

from __future__ import annotations

from twin.control.junctions.incident_traffic import IncidentTraffic


class SameAgain(IncidentTraffic):
    """The shipped code under another name."""


class Silent:
    """Never answers."""

    def decide(self, now_s, messages):
        return []


class BreaksLater:
    """Breaks after 07:25."""

    def decide(self, now_s, messages):
        if now_s > 7 * 3600 + 25 * 60:
            raise RuntimeError("I break")
        return []
