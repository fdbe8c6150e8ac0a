"""What holds for many units at once: their permits turned into columns, for those who compare driving with permits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.control.mobility.permits import FOREVER_S, Permits
from twin.domain.ids import unit_fleet

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: fleets that drive by themselves and so need a permit; couriers are people with a licence
AUTOMATED = ("shuttle", "robot", "sweeper")
#: what a fleet's vehicles are for; without a permit for it they may only test, with nobody and nothing aboard
USE_OF = {"shuttle": "passengers", "robot": "goods", "sweeper": "cleaning", "courier": "goods"}

#: values of :attr:`Standings.why`
HOLDS, OUT_OF_HOURS, NO_PERMIT = range(3)
_AGAIN_S = 3600  # test kilometres grow while a unit drives


@dataclass(frozen=True)
class Standings:
    """What holds for units in [from_s, until_s), one row per unit in the order of ``unit``.

    ``why``: a permit HOLDS, holds only at other times of the day, or there is none; ``use``: the unit may carry
    what it is for; ``speed_m_s``: the fastest it may drive (inf where nothing limits it); ``group``: row of
    ``masks``, which says for every road whether it may be driven on.
    """

    unit: Ints
    why: Ints
    use: Bools
    speed_m_s: Floats
    group: Ints
    masks: Bools
    version: int
    from_s: int
    until_s: int

    @classmethod
    def of(cls, permits: Permits, unit: Ints, test_h: Floats, test_km: Floats, now_s: int, roads: int) -> Standings:
        """Look up what holds for units with so much test driving; ``roads``: number of roads of the map."""
        n = unit.size
        why, group = np.full(n, HOLDS), np.zeros(n, dtype=np.int64)
        use, speed = np.ones(n, dtype=bool), np.full(n, np.inf)
        masks: list[Bools] = [np.zeros(roads, dtype=bool), np.ones(roads, dtype=bool)]  # nowhere, everywhere
        group_of: dict[tuple[str, ...], int] = {}
        until = FOREVER_S
        for i, (number, hours, km) in enumerate(zip(unit.tolist(), test_h.tolist(), test_km.tolist(), strict=True)):
            fleet = unit_fleet(number)
            if fleet not in AUTOMATED:
                group[i] = 1
                continue
            until = min(until, permits.changes_s(fleet, number, now_s))
            grant = permits.grant(fleet, number, "", now_s, roads, hours, km)
            if grant.roads is None:
                reason = permits.why_not(fleet, number, "", now_s, hours, km)
                why[i] = OUT_OF_HOURS if reason.startswith("out of hours") else NO_PERMIT
                continue
            if grant.permits not in group_of:
                group_of[grant.permits] = len(masks)
                masks.append(grant.roads)
            group[i], speed[i] = group_of[grant.permits], grant.speed_m_s
            use[i] = permits.grant(fleet, number, USE_OF[fleet], now_s, roads, hours, km).roads is not None
        if not use.all() or (why == NO_PERMIT).any():
            until = min(until, now_s + _AGAIN_S)
        return cls(unit.copy(), why, use, speed, group, np.stack(masks), permits.version, now_s, until)

    def current(self, permits: Permits, unit: Ints, now_s: int) -> bool:
        """Say whether this still holds for these units at ``now_s``."""
        return self.version == permits.version and now_s < self.until_s and np.array_equal(unit, self.unit)

    def inside(self, row: Ints, road: Ints) -> Bools:
        """Say where a permit allows the road, pair by pair; False where none holds, or for a road off the map."""
        on_map = (road >= 0) & (road < self.masks.shape[1])
        return np.asarray(self.masks[self.group[row], np.where(on_map, road, 0)] & on_map)
