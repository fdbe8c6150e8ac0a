"""SUMO's traffic lights under the twin's cabinets: each second, what SUMO shows is what the cabinets say.

The cabinets (:class:`twin.control.junctions.cabinets.Cabinets`) are control code; this adapter carries their states to
SUMO and looks at what is shown with its own :class:`~twin.control.junctions.safety.Monitor`, so that no error of
control can bring two conflicting greens on the street.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.control.junctions.cabinets import Cabinets
from twin.control.junctions.layout import Layout
from twin.control.junctions.safety import Monitor
from twin.domain.commands import Command
from twin.domain.junctions import LinkStatus, SetPlans, ShowPhases, SignalStates
from twin.world.junctions.read_map import SignalNet

Ints = npt.NDArray[np.int64]


class Signals:
    """The signals of a network in a running SUMO. ``sumo``: libsumo; call :meth:`step` before each SUMO step."""

    def __init__(self, sumo: Any, net: SignalNet, now_s: int) -> None:
        self.net = net
        self.layout = Layout.of(net.told)
        self.cabinets = Cabinets(self.layout, now_s)
        self._show = sumo.trafficlight.setRedYellowGreenState
        self._monitor = Monitor(self.layout)
        self._up = np.ones(len(net.tls), dtype=bool)
        for name, state in zip(net.tls, self.cabinets.states, strict=True):
            self._show(name, state)

    @property
    def seconds_checked(self) -> int:
        """Seconds whose states the monitor has seen."""
        return self._monitor.seconds

    def carry_out(self, now_s: int, commands: Sequence[Command]) -> None:
        """Give orders to the cabinets whose link is up; ControlError for an unsafe one."""
        for command in commands:
            if isinstance(command, ShowPhases):
                up = self._up[command.junction]
                order = command
                if not up.all():
                    order = ShowPhases(command.key, command.junction[up], command.phase[up], command.until_s)
                self.cabinets.order(now_s, order)
            elif isinstance(command, SetPlans):
                self.cabinets.plan(now_s, command)

    def set_links(self, now_s: int, junction: Ints, up: bool) -> LinkStatus:
        """Cut or mend the data links of ``junction``; return what the network tells of it."""
        self._up[junction] = up
        return LinkStatus(now_s, f"links/{now_s}/{int(up)}", junction, np.full(junction.size, int(up), dtype=np.int64))

    def step(self, now_s: int) -> list[int]:
        """Show what the second from ``now_s`` on shows; return the junctions with something new."""
        new = self.cabinets.step(now_s)
        states = self.cabinets.states
        self._monitor.look(now_s, states)
        for j in new:
            self._show(self.net.tls[j], states[j])
        return new

    def tell(self, now_s: int) -> SignalStates:
        """Return the SPAT of all junctions whose link is up."""
        return self.cabinets.tell(now_s, np.flatnonzero(self._up).astype(np.int64))
