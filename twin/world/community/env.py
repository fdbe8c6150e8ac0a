"""What the life of the community platform is made of, in a run and in months without traffic alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geo.city import City
from twin.clock import Clock, Phase
from twin.dice import Dice
from twin.domain.messages import Message
from twin.log import Log
from twin.scenario.community import Community
from twin.world.city_brain.causes import Causes
from twin.world.city_brain.hazards import Hazards
from twin.world.city_brain.sites import Places
from twin.world.community.members import Homes, Members, block_points

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400


@dataclass(frozen=True)
class Env:
    """``where()``: block of each member now, -1 on the way, below outside; ``tell(desk, message)``.

    A sign is told again until the incident desk has it, where there is one (:mod:`twin.world.responders.repeating`).
    """

    clock: Clock
    dice: Dice
    log: Log
    end_s: int
    city: City
    hazards: Hazards
    members: Members
    homes: Homes
    part: Community
    where: Callable[[], Ints]
    tell: Callable[[str, Message], None]
    places: Places | None = None
    causes: Causes | None = None

    def later(self, t_s: int, action: Callable[[], None]) -> None:
        """Call something when it is perceived, unless the run is over by then."""
        if t_s < self.end_s:
            self.clock.at(max(t_s, self.clock.now_s), Phase.PERCEIVE, action)


class Blocks:
    """Middles of the blocks, and which lie near a point."""

    def __init__(self, city: City) -> None:
        self.x_m, self.y_m = block_points(city)
        self._tree = cKDTree(np.column_stack([self.x_m, self.y_m])) if len(self.x_m) else None

    def near(self, x_m: float, y_m: float, radius_m: float) -> Ints:
        """Return the blocks whose middle lies within a radius, in order of their rows."""
        if self._tree is None or radius_m <= 0:
            return np.empty(0, dtype=np.int64)
        return np.asarray(sorted(self._tree.query_ball_point([x_m, y_m], radius_m)), dtype=np.int64)


def waking_s(t_s: int, u: float) -> int:
    """Return the second itself by day, 7:00 to 22:30; at night one in the two hours from 7:00 (u in 0..1)."""
    day, second = divmod(t_s, DAY_S)
    if 7 * 3600 <= second < 22.5 * 3600:
        return t_s
    return (day + (second >= 12 * 3600)) * DAY_S + 7 * 3600 + int(u * 7200)
