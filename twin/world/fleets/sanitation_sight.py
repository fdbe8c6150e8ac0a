"""Who sees dirt, with which errors: cameras of units on every road they come to, and citizens now and then."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.domain.sanitation import DirtReports
from twin.events import LitterSeen
from twin.log import Log
from twin.world.fleets.dirt import Dirt

Ints = npt.NDArray[np.int64]

CAMERA_LITTER, CAMERA_DUST = 0.3, 0.5  # sigma of the logarithm (assumed)
CAMERA_MISS = 0.1  # share of roads of which a camera tells nothing: parked cars, glare (assumed)
CITIZEN_LITTER = 0.7
CITIZEN_HOURS = (6, 22)
CITIZEN_PER_HOUR = 0.01  # reports an hour about a road of 100 m on which 10 g/m lie; in proportion (assumed)


class Sight:
    """Makes the reports of dirt."""

    def __init__(self, dirt: Dirt, dice: Dice, log: Log) -> None:
        self._dirt, self._log = dirt, log
        self._camera = dice.stream("fleets.dirt_camera")
        self._missed = dice.stream("fleets.dirt_camera_missed")
        self._told = dice.stream("fleets.dirt_citizen")
        self._guess = dice.stream("fleets.dirt_citizen_guess")
        self._looks: dict[int, int] = {}

    def camera(self, unit: int, roads: list[int], now_s: int) -> list[DirtReports]:
        """Return what the camera of a unit tells of roads that it has just come to."""
        out = []
        for road in roads:
            look = self._looks.get(unit, 0)
            self._looks[unit] = look + 1
            if self._missed.uniform(unit, look)[0] < CAMERA_MISS:
                continue
            error = self._camera.normal(unit, 2 * look)[0], self._camera.normal(unit, 2 * look + 1)[0]
            litter = float(self._dirt.litter_g_m[road] * np.exp(CAMERA_LITTER * error[0]))
            dust = float(self._dirt.dust_g_m[road] * np.exp(CAMERA_DUST * error[1]))
            out.append(
                DirtReports(
                    now_s, f"dirt/{unit}/{look}", np.asarray([road]), np.asarray([litter]), np.asarray([dust]), "camera"
                )
            )
            self._log.add(LitterSeen, t_s=now_s, road=road, litter_g_m=litter)
        return out

    def citizens(self, roads: Ints, now_s: int, seconds: int) -> list[DirtReports]:
        """Return what citizens told in the last ``seconds``; they judge litter, not dust."""
        if not CITIZEN_HOURS[0] <= now_s // 3600 % 24 < CITIZEN_HOURS[1]:
            return []
        lies = self._dirt.litter_g_m[roads]
        rate = CITIZEN_PER_HOUR * lies / 10.0 * self._dirt.length_m[roads] / 100.0
        step = now_s // seconds
        seen = self._told.uniform(roads, step) < -np.expm1(-rate * seconds / 3600.0)
        who = roads[seen]
        if who.size == 0:
            return []
        litter = lies[seen] * np.exp(CITIZEN_LITTER * self._guess.normal(who, step))
        self._log.add(LitterSeen, t_s=now_s, road=who, litter_g_m=litter)
        return [DirtReports(now_s, f"dirt/citizens/{now_s}", who, litter, np.full(who.size, np.nan), "citizen")]
