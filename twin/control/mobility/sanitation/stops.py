"""Where units tip, take water and charge: as told by Places, and what changed since."""

from __future__ import annotations

from dataclasses import dataclass

from twin.control.mobility.sanitation.hours import holds
from twin.control.mobility.streets import Streets
from twin.domain.messages import Message
from twin.domain.mobility import PlaceChanged, Places

QUEUE_S = 900.0  # expected wait for each unit before one at a place whose docks are taken (assumed)


@dataclass
class Stop:
    """A place: where, how many can be served at once, when it is open."""

    kind: str
    place: str
    road: int
    pos_m: float
    size: int
    from_s: int
    until_s: int
    open: bool = True

    def usable(self, now_s: int) -> bool:
        """Return whether it serves units now."""
        return self.open and self.size > 0 and holds(self.from_s, self.until_s, now_s)


class Stops:
    """All places by kind."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Stop] = {}

    def take(self, message: Message) -> bool:
        """Take in a message about places; False if it is about something else."""
        if isinstance(message, Places):
            rows = zip(
                message.place,
                message.road.tolist(),
                message.pos_m.tolist(),
                message.size.tolist(),
                message.from_s.tolist(),
                message.until_s.tolist(),
                strict=True,
            )
            for place, road, pos_m, size, begin, end in rows:
                self._all[message.kind, place] = Stop(message.kind, place, road, pos_m, size, begin, end)
        elif isinstance(message, PlaceChanged):
            for stop in self._all.values():
                if stop.place == message.place and message.kind in (stop.kind, "depot"):
                    stop.open = message.open
                    if message.kind == stop.kind:
                        stop.size = message.size
        else:
            return False
        return True

    def named(self, key: tuple[str, str], now_s: int) -> Stop | None:
        """Return a usable place by (kind, place)."""
        stop = self._all.get(key)
        return stop if stop is not None and stop.usable(now_s) else None

    def of(self, kind: str, now_s: int) -> list[Stop]:
        """Return the usable places of a kind."""
        return [s for s in self._all.values() if s.kind == kind and s.usable(now_s)]

    def best(
        self, kind: str, streets: Streets, from_road: int, to_road: int, now_s: int, users: dict[tuple[str, str], int]
    ) -> tuple[Stop | None, float]:
        """Return the place that costs least on the way between two roads, and the time (s) to it and on from it.

        ``users``: units that are at a place or on the way there, by (kind, place).
        """
        best: Stop | None = None
        least = float("inf")
        for stop in self.of(kind, now_s):
            there, on = streets.hop(from_road, stop.road), streets.hop(stop.road, to_road)
            wait = QUEUE_S * max(0, users.get((kind, stop.place), 0) - stop.size + 1)
            if there + on + wait < least:
                best, least = stop, there + on + wait
        return best, least
