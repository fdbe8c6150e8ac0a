"""Depots, chargers and lockers of a delivery service, as the desk was told of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.domain.messages import Message
from twin.domain.mobility import PlaceChanged, Places

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
DAY_S = 86_400


class Sites:
    """Places of one kind: columns by row, in the order in which they were told."""

    def __init__(self) -> None:
        self.place: tuple[str, ...] = ()
        self.road: Ints = np.empty(0, dtype=np.int64)
        self.pos_m: Floats = np.empty(0)
        self.x_m: Floats = np.empty(0)
        self.y_m: Floats = np.empty(0)
        self.size: Ints = np.empty(0, dtype=np.int64)
        self.from_s: Ints = np.empty(0, dtype=np.int64)
        self.until_s: Ints = np.empty(0, dtype=np.int64)
        self.shut: Bools = np.empty(0, dtype=bool)
        self.full_until_s: Ints = np.empty(0, dtype=np.int64)
        self._row: dict[str, int] = {}

    def learn(self, told: Places) -> None:
        """Take in places; those known already are left as they are."""
        new = [i for i, p in enumerate(told.place) if p not in self._row]
        for i in new:
            self._row[told.place[i]] = len(self._row)
        self.place += tuple(told.place[i] for i in new)
        for name in ("road", "pos_m", "x_m", "y_m", "size", "from_s", "until_s"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(told, name)[new]]))
        self.shut = np.concatenate([self.shut, np.zeros(len(new), dtype=bool)])
        self.full_until_s = np.concatenate([self.full_until_s, np.zeros(len(new), dtype=np.int64)])

    def change(self, told: PlaceChanged) -> bool:
        """Take in a change; False if the place is not one of these."""
        row = self._row.get(told.place)
        if row is None:
            return False
        self.shut[row], self.size[row] = not told.open, told.size
        if told.open:
            self.full_until_s[row] = 0
        return True

    def row(self, place: str) -> int:
        """Return the row of a place id; -1 if it is unknown."""
        return self._row.get(place, -1)

    def open(self, now_s: int) -> Bools:
        """Return which are open now."""
        tod = now_s % DAY_S
        hours = np.where(
            self.from_s < self.until_s,
            (self.from_s <= tod) & (tod < self.until_s),
            (self.from_s <= tod) | (tod < self.until_s),
        )
        return np.asarray(hours & ~self.shut)


class AllSites:
    """The places of the desk by kind."""

    def __init__(self) -> None:
        self.depots, self.chargers, self.lockers = Sites(), Sites(), Sites()
        self._kinds = {"depot": self.depots, "charger": self.chargers, "locker": self.lockers}

    def take(self, message: Message) -> bool:
        """Take in a message about places; False if it is about something else."""
        if isinstance(message, Places):
            if message.kind in self._kinds:
                self._kinds[message.kind].learn(message)
            return True
        if isinstance(message, PlaceChanged):
            kinds = [self._kinds[message.kind]] if message.kind in self._kinds else list(self._kinds.values())
            any(sites.change(message) for sites in kinds)
            return True
        return False

    def nearest_locker(self, x_m: float, y_m: float, within_m: float, now_s: int, usable: Bools | None = None) -> int:
        """Return the row of the nearest open locker with room within ``within_m``; -1 if there is none."""
        sites = self.lockers
        if not sites.place:
            return -1
        away = np.hypot(sites.x_m - x_m, sites.y_m - y_m)
        ok = sites.open(now_s) & (sites.size > 0) & (sites.full_until_s <= now_s) & (away <= within_m)
        if usable is not None:
            ok &= usable
        return int(np.argmin(np.where(ok, away, np.inf))) if ok.any() else -1
