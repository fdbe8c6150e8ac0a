"""SUMO's traffic lights under the twin's cabinets: each second, what SUMO shows is what the cabinets say.

The cabinets (:class:`twin.control.junctions.cabinets.Cabinets`) are control code. Every traffic light gets a program of
the twin's: one endless state per phase, and the steps of every change from phase to phase, which SUMO walks through by
itself; so a change costs one call. Before it goes out, its steps are looked at by a
:class:`~twin.control.junctions.safety.Monitor` that knows nothing of policies, so that no error of control can bring
two conflicting greens on the street; and :meth:`Signals.compare` reads back what SUMO shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.control.junctions.cabinets import Cabinets, Change
from twin.control.junctions.layout import Layout
from twin.control.junctions.safety import Monitor, Steps
from twin.domain.commands import Command
from twin.domain.junctions import LinkStatus, SetPlans, ShowPhases, SignalStates
from twin.errors import AdapterError
from twin.world.junctions.read_map import SignalNet

Ints = npt.NDArray[np.int64]
PROGRAM = "twin"
ENDLESS_S = 1e8
STATIC = 0  # SUMO's type of program


class Signals:
    """The signals of a network in a running SUMO. ``sumo``: libsumo; call :meth:`step` before each SUMO step.

    Between two steps nothing is to be done before :attr:`next_s`.
    """

    def __init__(self, sumo: Any, net: SignalNet, now_s: int) -> None:
        self.net = net
        self.layout = Layout.of(net.told)
        self.cabinets = Cabinets(self.layout, now_s)
        self._tl = sumo.trafficlight
        self._monitor = Monitor(self.layout)
        self._up = np.ones(len(net.tls), dtype=bool)
        self._begin_s = self._seen_s = now_s
        self._row: list[dict[tuple[int, int], int]] = []
        self._coming: dict[tuple[int, int], Steps] = {}  # what a change shows
        self._stands = False  # programs go to SUMO at the first step, where its warnings about them are caught

    def _install(self, j: int, now_s: int) -> None:
        """Give SUMO the twin's program of a junction, and let it show what the cabinet says."""
        layout, tl = self.layout, self._tl
        first, n = int(layout.first_phase[j]), int(layout.phases[j])
        steps_rows: list[Any] = []
        row_of: dict[tuple[int, int], int] = {}
        for p in range(first, first + n):
            for q in range(first, first + n):
                steps = layout.steps.get((p, q))
                if steps is None:
                    continue
                row_of[p, q] = n + len(steps_rows) if steps else q - first
                for i, (state, seconds) in enumerate(steps):
                    after = n + len(steps_rows) + 1 if i + 1 < len(steps) else q - first
                    steps_rows.append(tl.Phase(seconds, state, -1, -1, (after,)))
        rows = []
        for k in range(n):
            # SUMO warns of endless phases that lead nowhere, or straight to another green
            onward = next((row for (p, _), row in row_of.items() if p == first + k and row >= n), k)
            rows.append(tl.Phase(ENDLESS_S, layout.told.phase_state[first + k], -1, -1, (onward,)))
        rows += steps_rows
        self._row.append(row_of)
        stages, name = self.cabinets.stages, self.net.tls[j]
        tl.setProgramLogic(name, tl.Logic(PROGRAM, STATIC, 0, rows))
        phase, to, since = int(stages.phase[j]), int(stages.to[j]), int(stages.since_s[j])
        if phase == to:
            tl.setPhase(name, phase - first)
            self._monitor.follow(j, ((now_s, layout.told.phase_state[phase]),))
            return
        t_s, coming = since, []
        for i, (state, seconds) in enumerate(layout.steps[phase, to]):
            if t_s <= now_s < t_s + seconds:
                tl.setPhase(name, row_of[phase, to] + i)
                tl.setPhaseDuration(name, t_s + seconds - now_s)
            if now_s < t_s + seconds:
                coming.append((max(t_s, now_s), state))
            t_s += seconds
        self._monitor.follow(j, (*coming, (t_s, layout.told.phase_state[to])))

    @property
    def next_s(self) -> int:
        """The second at which :meth:`step` must be called next."""
        return self.cabinets.next_s

    @property
    def seconds_checked(self) -> int:
        """Seconds whose states the monitor has seen."""
        return self._seen_s - self._begin_s

    @property
    def turns_checked(self) -> int:
        """How often what a junction shows changed under the monitor's eyes."""
        return self._monitor.turns

    @property
    def up(self) -> npt.NDArray[np.bool_]:
        """Which junctions' data links are there."""
        return self._up

    def carry_out(self, now_s: int, commands: Sequence[Command]) -> list[Change]:
        """Give orders to the cabinets whose link is up; ControlError for an unsafe one. Return what changes."""
        for command in commands:
            if isinstance(command, ShowPhases):
                up = self._up[command.junction]
                order = command
                if not up.all():
                    order = ShowPhases(command.key, command.junction[up], command.phase[up], command.until_s)
                self.cabinets.order(now_s, order)
            elif isinstance(command, SetPlans):
                self.cabinets.plan(now_s, command)
        return self._show()

    def set_links(self, now_s: int, junction: Ints, up: bool) -> LinkStatus:
        """Cut or mend the data links of ``junction``; return what the network tells of it."""
        self._up[junction] = up
        return LinkStatus(now_s, f"links/{now_s}/{int(up)}", junction, np.full(junction.size, int(up), dtype=np.int64))

    def step(self, now_s: int) -> list[Change]:
        """Let the second from ``now_s`` on show what the cabinets say; return the changes that begin."""
        self.cabinets.step(now_s)
        self._seen_s = now_s + 1
        begun = self._show()
        if not self._stands:
            self._stands = True
            for j in range(len(self.net.tls)):
                self._install(j, now_s)
        return begun

    def until(self, end_s: int) -> None:
        """Take note that nothing changed until ``end_s``: what does not change cannot become unsafe."""
        self._seen_s = max(self._seen_s, end_s)

    def _show(self) -> list[Change]:
        begun = self.cabinets.take()
        if not self._stands:  # what they show is installed with the programs
            return begun
        set_phase, follow, coming = self._tl.setPhase, self._monitor.follow, self._coming
        names, row = self.net.tls, self._row
        for change in begun:
            j, pair = change.junction, (change.phase, change.to)
            if pair not in coming:
                coming[pair] = self._steps(*pair)
            follow(j, coming[pair], change.begin_s)
            set_phase(names[j], row[j][pair])
        return begun

    def _steps(self, phase: int, to: int) -> Steps:
        """Return what is shown from the beginning of a change on: (second, state)."""
        t_s, out = 0, []
        for state, seconds in self.layout.steps[phase, to]:
            out.append((t_s, state))
            t_s += seconds
        return (*out, (t_s, self.layout.told.phase_state[to]))

    def compare(self, now_s: int, part: int = 0, parts: int = 1) -> None:
        """Raise AdapterError where SUMO did not show in second ``now_s`` − 1 what the cabinets said.

        To be called before :meth:`step`; junctions that began a change at ``now_s`` are left out, and all but those of
        one ``part`` of ``parts``.
        """
        if not self._stands:
            return
        stages, shown = self.cabinets.stages, self._tl.getRedYellowGreenState
        for j in range(part, len(self.net.tls), parts):
            name = self.net.tls[j]
            if int(stages.since_s[j]) >= now_s:
                continue
            said = stages.state(j, now_s - 1)[0]
            if shown(name) != said:
                raise AdapterError(f"SUMO shows '{shown(name)}' at junction '{name}' at {now_s - 1} s, not '{said}'")

    def tell(self, now_s: int) -> SignalStates:
        """Return the SPAT of all junctions whose link is up."""
        return self.cabinets.tell(now_s, None if self._up.all() else np.flatnonzero(self._up).astype(np.int64))
