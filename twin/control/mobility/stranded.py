"""Units that are out when no permit holds: after a while the recovery crew brings them home (F26).

Nothing permits such a unit to drive, not even home; its computers would drain its battery until the next permitted
hour, and what it carries would be late by a day. So its desk waits for what may end by itself – a link that comes
back, somebody at the door – and then calls the crew, who carry it: nobody drives it.
"""

from __future__ import annotations

from twin.domain.mobility import FetchUnit

WAIT_S = 600  # as long as a unit may stand out without a permit before the crew is called (assumed)
SOON_S = 1_800  # unless its permit holds again so soon (assumed)
AGAIN_S = 3_600  # the crew is called again, if the unit was not reported taken
REASON = "no permit holds"


class Stranded:
    """Remembers since when each unit is out without a permit, and when the crew was called for it."""

    def __init__(self) -> None:
        self._since_s: dict[int, int] = {}
        self._called_s: dict[int, int] = {}

    def look(self, unit: int, barred: bool, again_s: int, now_s: int) -> list[FetchUnit]:
        """Return the call for the crew, if it is time.

        ``barred``: the unit is out and nothing permits it to drive; ``again_s``: when it may drive next.
        """
        if not barred:
            self._since_s.pop(unit, None)
            self._called_s.pop(unit, None)
            return []
        since_s = self._since_s.setdefault(unit, now_s)
        called_s = self._called_s.get(unit, now_s - AGAIN_S)
        if now_s < since_s + WAIT_S or again_s <= now_s + SOON_S or now_s < called_s + AGAIN_S:
            return []
        self._called_s[unit] = now_s
        return [FetchUnit(f"fetch/{unit}/{now_s}", unit, REASON)]
