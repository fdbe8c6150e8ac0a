"""Control code with one planted bug each, for test_planted_bugs.py.

``python -m tests.verification.planted_desks`` prints a digest of what the shipped dispatch decides, and of the planted.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import numpy as np

from tests.twin.control.city_brain.incident_town import Conduct, Play, sign
from twin.control.city_brain.incidents.desk import IncidentDesk
from twin.control.city_brain.incidents.policies import SeverityFirst
from twin.control.city_brain.incidents.ports import Assignment
from twin.domain.incidents import DispatchResponder
from twin.domain.wire import encode

PATIENCE_S = 5.0


def busy_day(desk: IncidentDesk) -> Play:
    """Play a day on which several incidents wait for the same responders."""
    play = Play(seed=3, conduct=Conduct(refuse=0.3, silent=0.3, late_s=60), desk=desk)
    for k in range(10):
        play.mail(10 + 40 * k, sign(str(k), "straw", 150.0 * k, 10 + 40 * k))
    play.run(20_000)
    return play


class WhoeverIsFree:
    """Sends any free responder that suits: the first of a set of names."""

    def assign(self, view):
        free, out = {f"unit-{u}" for u in view.unit.tolist()}, []
        column = {f"unit-{u}": k for k, u in enumerate(view.unit.tolist())}
        for row in range(len(view.incident)):
            suits = [name for name in free if np.isfinite(view.travel_s[row, column[name]])]
            if suits:
                free.remove(suits[0])
                out.append(Assignment(row, int(view.unit[column[suits[0]]])))
        return out


class Impatient(IncidentDesk):
    """Sends a second ticket after five seconds – of the clock on the wall."""

    def __init__(self):
        super().__init__()
        self._sent: list[tuple[float, DispatchResponder]] = []

    def decide(self, now_s, messages):
        out, wall_s = list(super().decide(now_s, messages)), time.monotonic()
        late = [c for since_s, c in self._sent if wall_s - since_s > PATIENCE_S]
        self._sent = [(s, c) for s, c in self._sent if wall_s - s <= PATIENCE_S]
        self._sent += [(wall_s, c) for c in out if isinstance(c, DispatchResponder)]
        return [*out, *(replace(c, key=f"{c.key}/again") for c in late)]


class CutsGreen:
    """Wishes another phase at every decision, whatever was shown for how short a time."""

    def __init__(self):
        self._turn = 0

    def wish(self, view):
        self._turn += 1
        layout = view.layout
        return layout.first_phase[:-1] + self._turn % layout.phases


class TurnsInTime(CutsGreen):
    """Wishes the same, and changes where that is allowed only."""

    def wish(self, view):
        return view.or_stay(super().wish(view))


def digest(policy) -> str:
    """Return a hash of all commands of a busy day."""
    play = busy_day(IncidentDesk(policy))
    said = [encode(c) for _, _, commands in play.calls for c in commands]
    return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()


if __name__ == "__main__":
    print(digest(SeverityFirst()), digest(WhoeverIsFree()))
