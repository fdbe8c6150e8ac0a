"""What signals showed, as facts: one row per junction and quarter of an hour, with all its phases in a line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.control.junctions.cabinets import Cabinets, Change
from twin.events import ApproachDelayed, PhasesShown
from twin.log import Log
from twin.world.junctions.delays import ApproachDelays

PERIOD_S = 900


class Record:
    """Collects changes of phases and delays, and writes them every ``PERIOD_S``.

    What is green at the start counts as having turned so then, or a green that never ends would never be told of.
    """

    def __init__(self, log: Log, cabinets: Cabinets, delays: ApproachDelays, start_s: int) -> None:
        self._log, self._layout, self._delays = log, cabinets.layout, delays
        self._from_s = start_s
        self._shown: dict[int, list[tuple[int, int]]] = {}
        begun = {change.junction for change in cabinets.begun}  # these are told of when they are taken
        stages = cabinets.stages
        for j, (phase, to) in enumerate(zip(stages.phase.tolist(), stages.to.tolist(), strict=True)):
            if j not in begun:
                takes = int(self._layout.change_s[phase, to - int(self._layout.first_phase[j])])
                self._shown[j] = [(start_s if phase == to else int(stages.since_s[j]) + takes, to)]

    def changed(self, changes: Sequence[Change]) -> None:
        """Note that junctions change to phases."""
        for c in changes:
            self._shown.setdefault(c.junction, []).append((c.green_s, c.to))

    def write(self, now_s: int) -> None:
        """Write what happened since the last time."""
        period, begin = now_s - self._from_s, self._from_s
        if period <= 0:
            return
        first = self._layout.first_phase
        rows, lines, late = [], [], {}
        for j in sorted(self._shown):
            theirs = self._shown[j]
            now = [f"{p - int(first[j])}@{t - begin}" for t, p in theirs if t < now_s]
            if rest := [(t, p) for t, p in theirs if t >= now_s]:
                late[j] = rest
            if now:
                rows.append(j)
                lines.append(" ".join(now))
        if rows:
            self._log.add(
                PhasesShown, t_s=np.full(len(rows), now_s), junction=np.array(rows, dtype=np.int64),
                period_s=period, shown=np.array(lines, dtype=object),
            )  # fmt: skip
        junction, road, lost, passed = self._delays.take()
        if junction.size:
            self._log.add(
                ApproachDelayed, t_s=np.full(junction.size, now_s), junction=junction, road=road, period_s=period,
                delay_veh_s=np.round(lost, 1), passed_veh=np.round(passed, 2),
            )  # fmt: skip
        self._shown, self._from_s = late, now_s
