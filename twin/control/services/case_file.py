"""The file of an open case, as the desk keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from twin.control.services import cases
from twin.control.services.catalogue.items import ELSEWHERE
from twin.control.services.plans import Plan
from twin.domain.services import CasesFiled

NEVER_S = 1 << 60


@dataclass(slots=True)
class CaseFile:
    """What the desk knows of a case.

    ``done``/``begun``: bits of steps; ``asks``: step → (what, since, until); ``running``: step → (officer, since).
    ``since_s``: when its result was given out; ``reminded``: 0 no, 1 the limit is near, 2 it has passed; ``asked_s``:
    when it was last asked about. ``places``: other places that take part; ``elsewhere``: step → since they were asked.
    """

    number: int
    plan: Plan
    office: int
    state: int = cases.APPLIED
    done: int = 0
    begun: int = 0
    due_s: int = NEVER_S
    accepted_s: int = -1
    since_s: int = 0
    reminded: int = 0
    refused_by: int = -1
    asks: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    running: dict[int, tuple[int, int]] = field(default_factory=dict)
    asked_s: int = 0
    places: tuple[int, ...] = ()
    elsewhere: dict[int, int] = field(default_factory=dict)

    def place_of(self, step: int) -> int:
        """Return the place that does a step of the kind "elsewhere": they come in the order of the plan."""
        before = sum(s.kind == ELSEWHERE for s in self.plan.steps[:step])
        return self.places[before]

    def overslept(self, now_s: int) -> bool:
        """Whether the applicant did not come with a correction in the time given."""
        return any(until and until < now_s for _, _, until in self.asks.values())

    def quiet(self, old_s: int) -> list[tuple[int, int]]:
        """Return (step, officer) of what nothing was heard of since ``old_s``; officer -1: the applicant's turn.

        Step -1: whether the result arrived. Nothing while the last question is younger.
        """
        if self.asked_s > old_s:
            return []
        out = [(step, officer) for step, (officer, since) in self.running.items() if since < old_s]
        out += [(step, -1) for step, (_, since, _) in self.asks.items() if since < old_s]
        out += [(step, -1) for step, since in self.elsewhere.items() if since < old_s]
        if self.state == cases.DELIVERING and self.since_s < old_s:
            out.append((-1, -1))
        return out

    def urgency(self, now_s: int, share: float) -> int:
        """Return 2 when the limit has passed, 1 when ``share`` of it has, else 0; 0 while the clock stands."""
        if self.accepted_s < 0 or self.state in (cases.DELIVERING, cases.SUPPLEMENTING, cases.APPEALING):
            return 0
        if now_s > self.due_s:
            return 2
        return int(now_s >= self.accepted_s + share * (self.due_s - self.accepted_s))


#: number of a case, office, items, pairs of needs, other places
Applied = tuple[int, int, list[int], list[tuple[int, int]], list[int]]


def applications(told: CasesFiled) -> Iterator[Applied]:
    """Yield the applications of a message, row by row."""
    items: dict[int, list[int]] = {c: [] for c in told.case}
    needs: dict[int, list[tuple[int, int]]] = {c: [] for c in told.case}
    places: dict[int, list[int]] = {c: [] for c in told.case}
    for number, item in zip(told.item_case, told.item, strict=True):
        items[number].append(item)
    for number, i, j in zip(told.need_case, told.need, told.needed, strict=True):
        needs[number].append((i, j))
    for number, place in zip(told.place_case, told.place, strict=True):
        places[number].append(place)
    for number, office in zip(told.case, told.office, strict=True):
        yield number, office, items[number], needs[number], places[number]
