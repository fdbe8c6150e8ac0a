"""Incident desks with one planted bug each, for test_check_planted.py."""

from __future__ import annotations

from dataclasses import replace

from twin.control.city_brain.incidents.desk import IncidentDesk
from twin.domain.incidents import CloseIncident, DispatchResponder, ResponderReport, Sign


class ClosesUnverified(IncidentDesk):
    """Takes the crew's word: what is said to be handled is closed at once."""

    def __init__(self, policy):
        super().__init__(policy)
        self._of: dict[str, str] = {}

    def decide(self, now_s, messages):
        out = list(super().decide(now_s, messages))
        self._of |= {c.key: c.incident for c in out if isinstance(c, DispatchResponder) and c.purpose == "handle"}
        done = [m for m in messages if isinstance(m, ResponderReport) and m.what == "handled" and m.ticket in self._of]
        out += [CloseIncident(f"hasty/{m.key}", self._of[m.ticket], "handled", "") for m in done]
        return out


class DispatchesTwice(IncidentDesk):
    """Sends the same responder on a second ticket for the same incident."""

    def decide(self, now_s, messages):
        out = list(super().decide(now_s, messages))
        return out + [replace(c, key=f"{c.key}/again") for c in out if isinstance(c, DispatchResponder)]


class ForgetsOnRestart(IncidentDesk):
    """Drops signs while its journal is replayed: what was open before a crash is forgotten after it."""

    made = 0

    def __init__(self, policy):
        super().__init__(policy)
        ForgetsOnRestart.made += 1
        self._again = ForgetsOnRestart.made > 1

    def decide(self, now_s, messages):
        if self._again:
            messages = [m for m in messages if not isinstance(m, Sign)]
        return super().decide(now_s, messages)


class HearsNoCalls(IncidentDesk):
    """Takes what devices say and lets the telephone ring: all is well until the cameras are silent."""

    def decide(self, now_s, messages):
        return super().decide(now_s, [m for m in messages if not (isinstance(m, Sign) and m.source == "call")])
