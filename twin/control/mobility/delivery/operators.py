"""Remote operators: units that ask for help wait in a queue for one who is free (F26: each watches several units)."""

from __future__ import annotations


class Operators:
    """Who helps whom. First come, first served; the operator with the lowest number that is free goes."""

    def __init__(self) -> None:
        self.number = 0
        self.timeout_s = 0
        self._queue: dict[int, int] = {}  # unit -> asked at
        self._busy: dict[int, tuple[int, int]] = {}  # operator -> unit, since

    def ask(self, unit: int, now_s: int) -> None:
        """Put a unit into the queue, unless it is helped already."""
        if all(unit != helped for helped, _ in self._busy.values()):
            self._queue.setdefault(unit, now_s)

    def done(self, unit: int) -> None:
        """Take a unit out of the queue, or note that its operator is free again."""
        self._queue.pop(unit, None)
        self._busy = {o: at for o, at in self._busy.items() if at[0] != unit}

    def turn(self, now_s: int) -> list[tuple[int, int]]:
        """Return (unit, operator) for all that can be helped now."""
        self._busy = {o: at for o, at in self._busy.items() if now_s - at[1] < self.timeout_s}
        free = (o for o in range(1, self.number + 1) if o not in self._busy)
        out = []
        for unit, operator in zip(sorted(self._queue, key=lambda u: (self._queue[u], u)), free, strict=False):
            out.append((unit, operator))
        for unit, operator in out:
            del self._queue[unit]
            self._busy[operator] = (unit, now_s)
        return out

    @property
    def waiting(self) -> int:
        """Units that wait for an operator."""
        return len(self._queue)
