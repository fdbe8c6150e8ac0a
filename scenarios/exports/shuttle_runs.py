"""Which run of its timetable an autonomous bus was on when it stood at a stop.

The facts say which bus stood where; they do not name the run. A stop further along the direction that the bus was on
belongs to the same run; any other stop begins the run whose planned time there is the nearest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scenarios.exports.run import RunData
from scenarios.exports.shuttle import ShuttleLine

DAY_S = 86_400
_SAME_RUN_S = 1800  # a stop so late, or so early, is that of another run (assumed)


class Call(NamedTuple):
    """A stop of a bus: times in seconds of the run; ``run`` -1 where there is no timetable."""

    arrive_s: int
    leave_s: int
    aboard: int
    day: int
    direction: int
    run: int
    stop: int
    late_s: int


def calls(run: RunData, line: ShuttleLine) -> dict[int, list[Call]]:
    """Return the stops of each bus in order of time."""
    table = run.facts.table("ShuttleStopped", ["t_s", "unit", "place", "aboard", "dwell_s"]).to_pydict()
    out: dict[int, list[Call]] = {}
    for t_s, unit, place, aboard, dwell_s in zip(*table.values(), strict=True):
        mine = out.setdefault(unit, [])
        arrive = t_s - dwell_s
        day = arrive // DAY_S
        none = Call(arrive, t_s, aboard, day, 0, -1, 0, 0)
        mine.append(_placed(none, place, mine[-1] if mine else None, line) if line.timed else none)
    return out


def _placed(call: Call, place: str, before: Call | None, line: ShuttleLine) -> Call:
    """Find the run and the stop of a call."""
    found: list[tuple[int, Call]] = []
    for k, way in enumerate(line.way):
        for stop in (i for i, p in enumerate(way) if p == place):
            planned = line.depart_s[k] + int(line.offset_s[k][stop]) + call.day * DAY_S
            if before is not None and before.run >= 0 and before.direction == k and stop > before.stop:
                late = call.arrive_s - int(planned[before.run])
                if abs(late) <= _SAME_RUN_S and before.day == call.day:
                    return call._replace(direction=k, run=before.run, stop=stop, late_s=late)
            if planned.size:
                run = int(np.abs(planned - call.arrive_s).argmin())
                late = call.arrive_s - int(planned[run])
                found.append((abs(late), call._replace(direction=k, run=run, stop=stop, late_s=late)))
    return min(found)[1] if found else call
