"""What a traffic model must know of a city's roads, as arrays; and the checks of what comes in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from geo.city import City
from twin.world.traffic.ports import Floats, Ints, NewVehicles


class Roads:
    """Roads of a city by road index: edge ids, lengths, speeds, and which road follows which."""

    def __init__(self, city: City) -> None:
        table = city.roads
        self.edges: npt.NDArray[np.object_] = table["edge"].to_numpy(dtype=object)
        self.index: dict[str, int] = city.road_index
        self.length_m: Floats = table["length_m"].to_numpy(np.float64)
        self.speed_m_s: Floats = np.maximum(table["speed_m_s"].to_numpy(np.float64), 0.1)
        self.free_s: Floats = self.length_m / self.speed_m_s
        self._next = _successors(city)

    def __len__(self) -> int:
        return len(self.edges)

    def follows(self, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Tell where one may drive from road ``first`` straight onto road ``second``."""
        return np.asarray((self._next[first] == second[:, None]).any(axis=1))

    def check_route(self, vehicle: int, roads: Ints) -> None:
        """Raise ValueError unless ``roads`` is a route: some roads, each leading to the next."""
        if len(roads) == 0:
            raise ValueError(f"vehicle {vehicle} has no route")
        if roads.min() < 0 or roads.max() >= len(self):
            raise ValueError(f"vehicle {vehicle}: its route names a road that is not there (0..{len(self) - 1})")
        bad = np.flatnonzero(~self.follows(roads[:-1], roads[1:]))
        if bad.size:
            a, b = roads[bad[0]], roads[bad[0] + 1]
            raise ValueError(
                f"vehicle {vehicle}: its route leads from road {a} ({self.edges[a]}) to road {b} ({self.edges[b]}),"
                " but there is no such turn"
            )

    def check(self, new: NewVehicles, now_s: int, known: set[int]) -> None:
        """Raise ValueError, naming the vehicle, unless all of ``new`` may be added at ``now_s``."""
        offsets, roads = new.routes.offsets, new.routes.roads
        n = len(new.vehicle)
        if not (len(new.type_index) == len(new.depart_s) == len(offsets) - 1 == n):
            raise ValueError("new vehicles: columns of different lengths")
        empty = np.flatnonzero(np.diff(offsets) == 0)
        if empty.size:
            raise ValueError(f"vehicle {new.vehicle[empty[0]]} has no route")
        late = np.flatnonzero(new.depart_s < now_s)
        if late.size:
            i = late[0]
            raise ValueError(f"vehicle {new.vehicle[i]} cannot depart at {new.depart_s[i]} s: it is already {now_s} s")
        numbers = new.vehicle.tolist()
        if not known.isdisjoint(numbers) or len(set(numbers)) < n:
            seen = set(known)
            twice = next(v for v in numbers if v in seen or seen.add(v))  # type: ignore[func-returns-value]
            raise ValueError(f"vehicle {twice} is already known: every trip has its own number")
        if roads.min() < 0 or roads.max() >= len(self):
            raise ValueError(f"a route names a road that is not there (0..{len(self) - 1})")
        ok = self.follows(roads[:-1], roads[1:])
        ok[offsets[1:-1] - 1] = True
        bad = np.flatnonzero(~ok)
        if bad.size:
            i = int(np.searchsorted(offsets, bad[0], side="right")) - 1
            self.check_route(int(new.vehicle[i]), new.routes[i].astype(np.int64))


def _successors(city: City) -> npt.NDArray[np.int32]:
    """Row per road: the roads one may turn into, padded with -1."""
    n = len(city.roads)
    a = city.turns["from_road"].to_numpy(np.int64)
    b = city.turns["to_road"].to_numpy(np.int64)
    a, b = np.divmod(np.unique(a * n + b), n)
    count = np.bincount(a, minlength=n)
    column = np.arange(len(a)) - np.repeat(np.cumsum(count) - count, count)
    out = np.full((n, max(int(count.max(initial=0)), 1)), -1, dtype=np.int32)
    out[a, column] = b
    return out
