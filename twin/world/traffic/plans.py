"""Plans of vehicles that nobody hinders: at which second how far along the route."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.world.traffic.ports import Floats, NewVehicles, Stop


@dataclass(frozen=True, eq=False)
class Plan:
    """Breakpoints ``t`` (s, rising, inf = never) and ``d`` (m along the route, from the start of its first road).

    ``entry[k]``: the breakpoint at which road ``k`` of ``roads`` is entered; ``begin_m[k]``: where it begins in
    ``d``. ``halts``: (begin, end) seconds of ``stops``, in order. It begins at ``from_m`` of its first road and ends at
    ``to_m`` of its last.
    """

    roads: npt.NDArray[np.int32]
    t: Floats
    d: Floats
    entry: npt.NDArray[np.int64]
    begin_m: Floats
    start_s: float
    factor: float
    top_m_s: float
    long_m: float
    stops: tuple[Stop, ...] = ()
    halts: tuple[tuple[float, float], ...] = ()
    from_m: float = 0.0
    to_m: float = float("inf")

    def at(self, now_s: float) -> tuple[int, float]:
        """Return (place in ``roads``, m along that road) at a second."""
        j = int(np.searchsorted(self.t, now_s, side="right")) - 1
        if j < 0:
            return 0, float(self.d[0])
        if j + 1 >= len(self.t):
            along = float(self.d[-1])
        else:
            span = self.t[j + 1] - self.t[j]
            part = 0.0 if not np.isfinite(span) else (now_s - self.t[j]) / span
            along = float(self.d[j] + part * (self.d[j + 1] - self.d[j]))
        # at a breakpoint of infinite wait the vehicle is at the end of its road, not on the next one
        k = int(np.searchsorted(self.entry, j, side="right")) - 1
        return max(k, 0), along - float(self.begin_m[max(k, 0)])

    def leaves(self, k: int) -> float:
        """Return the second at which the vehicle leaves road ``k`` of its route."""
        return float(self.t[self.entry[k + 1]] if k + 1 < len(self.entry) else self.t[-1])

    def halting(self, since_s: float, until_s: float) -> Plan:
        """Return the plan with a halt at its start that has already begun."""
        t = np.concatenate([[since_s], self.t])
        d = np.concatenate([self.d[:1], self.d])
        entry = self.entry + 1
        entry[0] = 0
        first = Stop(int(self.roads[0]), float(self.d[0]), 0)
        halts = ((since_s - 1.0, until_s), *self.halts)
        return replace(self, t=t, d=d, entry=entry, stops=(first, *self.stops), halts=halts)


def plan_batch(
    new: NewVehicles, speed_m_s: Floats, length_m: Floats, factor: Floats, top_m_s: Floats, long_m: Floats
) -> list[Plan]:
    """Plan vehicles without stops on open roads, all at once; ``speed_m_s``: limit of every road of the city."""
    roads, offsets = new.routes.roads, new.routes.offsets
    count = np.diff(offsets)
    owner = np.repeat(np.arange(len(count)), count)
    seconds = length_m[roads] / np.minimum(speed_m_s[roads] * factor[owner], top_m_s[owner])
    # breakpoints: one more than roads per vehicle, so vehicle i begins at offsets[i] + i
    first = offsets[:-1] + np.arange(len(count))
    step_s, step_m = np.zeros(len(roads) + len(count)), np.zeros(len(roads) + len(count))
    inner = np.arange(len(roads)) + owner + 1
    step_s[inner], step_m[inner] = seconds, length_m[roads]
    t, d = np.cumsum(step_s), np.cumsum(step_m)
    each = np.repeat(np.arange(len(count)), count + 1)
    t += (new.depart_s - t[first])[each]
    d -= d[first][each]
    places = np.arange(int(count.max(initial=0)), dtype=np.int64)
    plans = []
    offs, starts = offsets.tolist(), first.tolist()
    for i, (depart, f, top, long) in enumerate(
        zip(new.depart_s.tolist(), factor.tolist(), top_m_s.tolist(), long_m.tolist(), strict=True)
    ):
        a, n = starts[i], offs[i + 1] - offs[i]
        d_own = d[a : a + n + 1]
        plans.append(
            Plan(roads[offs[i] : offs[i + 1]], t[a : a + n + 1], d_own, places[:n], d_own[:n], depart, f, top, long)
        )
    return plans


def plan_one(
    old: Plan,
    roads: npt.NDArray[Any],
    speed_m_s: Floats,
    length_m: Floats,
    shut: npt.NDArray[np.bool_],
    start_s: float,
    pos_m: float,
    stops: list[Stop],
) -> Plan:
    """Plan the rest of one vehicle's way, with closed roads (``shut`` along the way) and stops."""
    t, d, entry, begin_m = [start_s], [pos_m], [], []
    ahead = list(stops)
    kept: list[Stop] = []
    halts: list[tuple[float, float]] = []
    begin = 0.0
    for k, road in enumerate(roads.tolist()):
        # a vehicle that is on a road already may leave it, one before it may not enter
        if shut[k] and (k > 0 or (pos_m == old.from_m and start_s <= old.start_s)):
            t[-1:] = [t[-1], np.inf] if k > 0 else [np.inf]
            if k > 0:
                d.append(d[-1])
        entry.append(len(t) - 1)
        begin_m.append(begin)
        while ahead and ahead[0].road == road and ahead[0].pos_m >= d[-1] - begin:
            stop = ahead.pop(0)
            here = begin + min(stop.pos_m, float(length_m[k]))
            t_stop = t[-1] + (here - d[-1]) / speed_m_s[k]
            end = max(t_stop + stop.duration_s, float(stop.until_s))
            t += [t_stop, end]
            d += [here, here]
            kept.append(stop)
            halts.append((t_stop, end))
        here = begin + (min(old.to_m, float(length_m[k])) if k == len(roads) - 1 else float(length_m[k]))
        begin += float(length_m[k])
        here = max(here, d[-1])
        t.append(t[-1] + (here - d[-1]) / float(speed_m_s[k]))
        d.append(here)
    kept += ahead
    return replace(
        old,
        roads=np.asarray(roads, dtype=np.int32),
        t=np.array(t),
        d=np.array(d),
        entry=np.array(entry, dtype=np.int64),
        begin_m=np.array(begin_m),
        start_s=start_s,
        stops=tuple(kept),
        halts=tuple(halts),
    )
