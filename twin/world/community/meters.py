"""Measuring devices of communities and building sites: readings that early signs are sought in (F12, F33, F43).

Beside what they report as devices, the scenes of a community measure: how full its bins and car parks are, how high
the water stands under its covers, whether its charging sheds draw current; a building site measures dust (as rules for
dust at sites ask for). A value goes with the hour as usual, is noisy, moves while a common cause brings a hazard near,
and is far off while the hazard is there. Figures are assumed. All meters speak at once, every ``PERIOD_S``, as columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.dice import Dice
from twin.domain.community import EarlyChannels, EarlyReadings
from twin.domain.messages import Message
from twin.world.city_brain.causes import CAUSES, Causes
from twin.world.city_brain.hazards import Hazards
from twin.world.city_brain.kinds import KINDS
from twin.world.city_brain.sites import Places
from twin.world.community.env import DAY_S

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PERIOD_S = 300
HISTORY_S = 7 * DAY_S  # the desk is told what was measured so long before the run, each hour
SOURCE = "meters"
LOST = 0.01  # share of readings that never come (assumed)


@dataclass(frozen=True)
class MeterKind:
    """One kind: measures before and during hazards of ``hazard``; ``scene``: communities that have it, "": all sites.

    ``usual`` and its spread from device to device; ``swing``: by the hour; ``noise``; ``full``: while the hazard is
    there (added to the usual where ``adds``, in sizes of the hazard).
    """

    hazard: str
    scene: str
    unit: str
    usual: float
    spread: float
    swing: float
    noise: float
    full: float
    adds: bool = False


METERS: dict[str, MeterKind] = {
    "bin": MeterKind("garbage", "garbage", "% full", 45.0, 8.0, 15.0, 4.0, 104.0),
    "car_park": MeterKind("fire_lane", "fire_lane", "% taken", 62.0, 8.0, 18.0, 4.0, 103.0),
    "shed": MeterKind("ebike", "ebike_shed", "A", 60.0, 12.0, 20.0, 5.0, 2.0),
    "cover": MeterKind("manhole", "manhole", "cm water", 22.0, 6.0, 3.0, 2.0, 95.0),
    "dust": MeterKind("site_dust", "", "ug/m3", 100.0, 15.0, 35.0, 9.0, 1.0, adds=True),
}


class Meters:
    """All meters of a run; ``has(community, scene)``: devices of a scene that a community owns."""

    def __init__(
        self, dice: Dice, places: Places, hazards: Hazards, causes: Causes, has: Callable[[str, str], int]
    ) -> None:
        self._hazards, self._causes = hazards, causes
        parts = [_placed(kind, places, has) for kind in METERS.values()]
        names = list(METERS)
        self.kind: Ints = np.repeat(np.arange(len(parts)), [p.size for p in parts])
        self.site: Ints = np.concatenate(parts).astype(np.int64)
        lists = [places[KINDS[m.hazard].sites] for m in METERS.values()]
        self.x_m: Floats = np.concatenate([s.x_m[p] for s, p in zip(lists, parts, strict=True)])
        self.y_m: Floats = np.concatenate([s.y_m[p] for s, p in zip(lists, parts, strict=True)])
        self.theme = tuple(KINDS[METERS[names[k]].hazard].theme for k in self.kind.tolist())
        self._row = {(names[k], int(s)): i for i, (k, s) in enumerate(zip(self.kind.tolist(), self.site, strict=True))}
        self._by_hazard = {m.hazard: name for name, m in METERS.items()}
        stream = dice.stream
        self._number = self.kind * 10**7 + self.site  # stable: a function of the site alone
        spread = stream("community.meter_usual").normal(self._number) if len(self) else np.empty(0)
        self._usual = self._of("usual") + self._of("spread") * spread
        self._noise, self._lost = stream("community.meter_noise"), stream("community.meter_lost")

    def __len__(self) -> int:
        """Return how many there are."""
        return self.kind.size

    def _of(self, name: str) -> Floats:
        values = np.asarray([float(getattr(m, name)) for m in METERS.values()])
        return np.asarray(values[self.kind], dtype=np.float64)

    def channels(self, now_s: int) -> EarlyChannels:
        """Return what the desk is told once."""
        n = np.arange(len(self), dtype=np.int64)
        return EarlyChannels(
            now_s, f"early/channels/{SOURCE}", SOURCE, n, self.theme, self.x_m, self.y_m, np.full(len(self), PERIOD_S)
        )

    def history(self, now_s: int) -> list[Message]:
        """Return what was measured before the run, an hour at a time: nothing unusual happened."""
        return [self._told(now_s, t_s, self._calm(t_s)) for t_s in range(now_s - HISTORY_S, now_s, 3600)]

    def read(self, now_s: int) -> EarlyReadings:
        """Return the readings of this moment."""
        value = self._calm(now_s)
        names = list(METERS)
        h = self._hazards
        for row in h.open_rows().tolist():
            name = self._by_hazard.get(str(h.kind[row]), "")
            i = self._row.get((name, int(h.site[row])), -1)
            if i >= 0:
                m = METERS[name]
                value[i] = value[i] + float(h.size[row]) if m.adds else value[i] + m.full - self._usual[i]
        for (kind, site), p in self._causes.pending.items():
            name = self._by_hazard.get(kind, "")
            i = self._row.get((name, site), -1)
            if i >= 0 and kind in CAUSES[p.cause].builds_up:
                near = 1.0 if CAUSES[p.cause].at_once else (now_s - p.begun_s) / max(1, p.at_s - p.begun_s)
                m = METERS[names[int(self.kind[i])]]
                value[i] += near * (100.0 if m.adds else m.full - self._usual[i])
        return self._told(now_s, now_s, value)

    def _calm(self, t_s: int) -> Floats:
        """Return noisy readings of a moment at which nothing is wrong."""
        hour = t_s % DAY_S / 3600.0
        day = np.sin(2 * np.pi * (hour - 9.0) / 24.0)
        noise = self._noise.normal(self._number, t_s // 60 + (1 << 24)) if len(self) else np.empty(0)
        return np.asarray(self._usual + self._of("swing") * day + self._of("noise") * noise)

    def _told(self, now_s: int, t_s: int, value: Floats) -> EarlyReadings:
        kept = np.arange(len(self))
        if len(self):
            kept = np.flatnonzero(self._lost.uniform(self._number, t_s // 60 + (1 << 24)) >= LOST)
        return EarlyReadings(
            now_s, f"early/readings/{SOURCE}/{t_s}", SOURCE, kept.astype(np.int64), np.full(kept.size, t_s),
            np.round(value[kept], 1),
        )  # fmt: skip


def _placed(kind: MeterKind, places: Places, has: Callable[[str, str], int]) -> Ints:
    """Return the sites that have a meter: in each community as many as it owns devices, the heaviest first."""
    sites = places[KINDS[kind.hazard].sites]
    if not kind.scene:
        return np.arange(len(sites), dtype=np.int64)
    order = np.lexsort((np.arange(len(sites)), -sites.weight))
    left: dict[str, int] = {}
    rows = []
    for row in order.tolist():
        community = str(sites.community[row])
        n = left.setdefault(community, has(community, kind.scene) if community else 0)
        if n > 0:
            left[community] = n - 1
            rows.append(row)
    return np.asarray(sorted(rows), dtype=np.int64)
