"""Why was it late? Every second between promise and fulfilment, given to the cause that the facts tell.

An *account* is a list of :class:`Part` that fill a span of time without gap or overlap, so their seconds add up to it
exactly; seconds no fact explains are "unexplained". Lateness is the account less what was allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from viz.units import Leg, Track

#: what a part can be; words in viz/text_fleets.py. Append only.
LABELS = (
    "packing", "wait_unit", "wait_again", "dock", "loading", "others", "drive", "slower", "faster", "halted",
    "recipient", "hand_over", "back", "charging", "broken", "stand", "aboard", "unexplained", "bus_drive", "bus_others",
    "boarding", "early", "stops", "detour", "serving",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """``seconds`` that a cause took, beginning at ``t_s``; negative seconds were gained."""

    label: str
    cause: str
    t_s: int
    seconds: int


class Account:
    """Parts, summed by label and cause, in the order in which they first occurred."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], Part] = {}

    def add(self, label: str, t_s: int, seconds: int, cause: str = "") -> None:
        """Add seconds to a part."""
        if seconds == 0:
            return
        old = self._parts.get((label, cause))
        first, before = (old.t_s, old.seconds) if old else (t_s, 0)
        self._parts[label, cause] = Part(label, cause, first, before + seconds)

    def spend(self, track: Track | None, from_s: int, until_s: int, names: dict[str, str]) -> dict[str, int]:
        """Give [from_s, until_s) to parts by the unit's state; ``names``: state → label. Returns seconds by state.

        States that are in nobody's way are the same everywhere (halted, charging, broken). A state with the label ""
        is only counted: the caller gives its seconds away.
        """
        names = {"halted": "halted", "charging": "charging", "broken": "broken", "parked": "stand", **names}
        count: dict[str, int] = {}
        spans = track.spans(from_s, until_s) if track else [(from_s, until_s, "", "")]
        for begin, end, state, cause in spans:
            if end <= begin:
                continue
            count[state] = count.get(state, 0) + end - begin
            label = names.get(state, "unexplained")
            if label:
                self.add(label, begin, end - begin, cause if label in ("halted", "broken") else "")
        return count

    @property
    def parts(self) -> list[Part]:
        """The parts that are not empty, by time."""
        return sorted((p for p in self._parts.values() if p.seconds), key=lambda p: (p.t_s, LABELS.index(p.label)))

    @property
    def seconds(self) -> int:
        """All seconds."""
        return sum(p.seconds for p in self._parts.values())


def leg_parts(track: Track, leg: Leg) -> list[Part]:
    """Return why a leg that arrived was late: the seconds of the parts add up to ``leg.late_s``."""
    if leg.late_s is None:
        return []
    out = Account()
    took = out.spend(track, leg.t_s, leg.end_s, {"driving": "", "manual": "", "serving": "serving"})
    _drive(out, track, leg, took.get("driving", 0) + took.get("manual", 0))
    return out.parts


def _drive(out: Account, track: Track, leg: Leg, driven_s: int) -> None:
    """Tell a drive that took longer or shorter than planned; going round obstacles first."""
    rest = driven_s - leg.planned_s
    lost = round(sum(extra for t, extra in track.detours if leg.t_s <= t < leg.end_s))
    lost = min(lost, max(rest, 0))
    out.add("detour", leg.t_s, lost)
    rest -= lost
    out.add("slower" if rest > 0 else "faster", leg.t_s, rest)


# -- an order --------------------------------------------------------------------------------------------


@dataclass
class Order:
    """What happened to an order; times in seconds, units by number.

    ``end_s``: when it was delivered, refused or given up, or the run's end. ``word``: to whom, why, or where it is.
    ``loads``: (second, unit, place); ``leaves``: (second, returned or transferred, place); ``fails``: (second, unit,
    reason) of hand-overs that failed.
    """

    order: int
    customer: int
    destination: int
    size: int
    placed_s: int
    ready_s: int
    due_s: int
    promised_s: int = -1
    status: str = "open"  # delivered, refused, given up, open
    end_s: int = -1
    unit: int = -1
    word: str = ""
    late_s: int = 0  # as the fact of its delivery tells
    loads: list[tuple[int, int, str]] = field(default_factory=list)
    leaves: list[tuple[int, str, str]] = field(default_factory=list)
    fails: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def stays(self) -> list[tuple[int, int, int]]:
        """(unit, on, off): when it was aboard which unit."""
        out = []
        for t, unit, _ in self.loads:
            off = min([x[0] for x in self.leaves if x[0] >= t], default=self.end_s)
            out.append((unit, t, off))
        return out


Loading = Callable[[str, int], int]


def order_parts(
    order: Order, units: dict[int, Track], loading_s: Loading, loaded: dict[tuple[int, int], int]
) -> list[Part]:
    """Return where the time of an order went, from being placed to its end: the seconds add up to exactly that.

    ``loading_s(fleet, n)``: how long loading n orders takes at a free dock; ``loaded``: (second, unit) → orders
    loaded together.
    """
    out = Account()
    end = order.end_s
    first_load = order.loads[0][0] if order.loads else end
    now = min(max(order.ready_s, order.placed_s), first_load, end)
    out.add("packing", order.placed_s, now - order.placed_s)
    for k, (unit, on, off) in enumerate(order.stays):
        track = units.get(unit)
        begun = min(max(track.serving_before(on) if track else on, now), on)
        out.add("wait_again" if k else "wait_unit", now, begun - now)
        work = loading_s(track.fleet, loaded.get((on, unit), 1)) if track else 0
        dock_s = max(on - begun - work, 0)
        out.add("dock", begun, dock_s)
        out.add("loading", begun + dock_s, on - begun - dock_s)
        now = _aboard(out, order, track, on, min(off, end))
    out.add("wait_again" if order.loads else "wait_unit", now, end - now)
    return out.parts


def _aboard(out: Account, order: Order, track: Track | None, on: int, off: int) -> int:
    """Give the time in a unit away; return its end."""
    tries = [(t, reason) for t, _, reason in order.fails if on < t <= off]
    delivered = order.status == "delivered" and off == order.end_s
    if delivered:
        tries.append((off, ""))
    now = on
    for t, reason in tries:
        begun = min(max(track.serving_before(t) if track else t, now), t)
        own = _own_legs(track, now, begun)
        set_out = own[0].t_s if own else begun
        out.spend(track, now, set_out, {"driving": "others", "manual": "others", "serving": "others"})
        for leg in own:
            _own_drive(out, track, leg, begun)
        here = own[-1].end_s if own else set_out
        out.spend(track, here, begun, {"driving": "others", "manual": "others", "serving": "others"})
        out.add("recipient" if reason else "hand_over", begun, t - begun, reason)
        now = t
    rest = "back" if order.leaves and off != order.end_s else "aboard"
    if off > now:
        out.spend(track, now, off, {"driving": rest, "manual": rest, "serving": rest})
    return off


def _own_legs(track: Track | None, from_s: int, until_s: int) -> list[Leg]:
    """Return the leg that ended last before ``until_s``, and those before it that led to no stop (it was diverted)."""
    if track is None:
        return []
    out: list[Leg] = []
    for leg in reversed(track.legs):
        if leg.t_s >= until_s or leg.end_s < 0 or leg.end_s > until_s:
            continue
        if leg.t_s < from_s or (out and leg.late_s is not None) or (not out and leg.late_s is None):
            break
        out.insert(0, leg)
    return out


def _own_drive(out: Account, track: Track | None, leg: Leg, until_s: int) -> None:
    end = min(leg.end_s, until_s)
    took = out.spend(track, leg.t_s, end, {"driving": "", "manual": "", "serving": "others"})
    driven = took.get("driving", 0) + took.get("manual", 0)
    planned = driven if leg.late_s is None else max(min(driven, leg.planned_s), 0)
    out.add("drive", leg.t_s, planned)
    out.add("slower", leg.t_s, driven - planned)


# -- a booking -------------------------------------------------------------------------------------------


@dataclass
class Booking:
    """What happened to a booking; ``pickup_s``/``arrive_s`` are the promises that held when they came due."""

    booking: int
    resident: int
    origin: int
    destination: int
    party: int
    made_s: int
    wanted_s: int
    status: str = "open"  # served, refused, missed, withdrawn, open
    word: str = ""
    unit: int = -1
    place: str = ""
    to_place: str = ""
    pickup_s: int = -1
    arrive_s: int = -1
    boarded_s: int = -1
    end_s: int = -1


def booking_parts(booking: Booking, track: Track | None) -> list[Part]:
    """Return where the time between the promised pick-up and the arrival of a passenger went.

    The seconds add up to arrival − promised pick-up; less the promised time of the ride they are the lateness.
    """
    if booking.status != "served":
        return []
    out = Account()
    on, off, promised = booking.boarded_s, booking.end_s, booking.pickup_s
    if on < promised:
        out.add("early", on, on - promised)
    else:
        doors = min(max(_doors_at(track, on), promised), on)
        out.spend(track, promised, doors, {"driving": "bus_drive", "manual": "bus_drive", "serving": "bus_others"})
        out.add("boarding", doors, on - doors)
    took = out.spend(track, on, off, {"driving": "", "manual": "", "serving": "stops"})
    driven = took.get("driving", 0) + took.get("manual", 0)
    legs = [leg for leg in (track.legs if track else []) if on <= leg.t_s < off and leg.late_s is not None]
    planned = min(sum(leg.planned_s for leg in legs), driven) if legs else driven
    out.add("drive", on, max(planned, 0))
    out.add("slower", on, driven - max(planned, 0))
    return out.parts


def _doors_at(track: Track | None, t_s: int) -> int:
    """Return when the stop began at which somebody boarded at ``t_s``."""
    return track.serving_before(t_s + 1) if track and _state_at(track, t_s) == "serving" else t_s


def _state_at(track: Track, t_s: int) -> str:
    spans = track.spans(t_s, t_s + 1)
    return spans[0][2] if spans else ""


def total(parts: Iterable[Part]) -> int:
    """Return the seconds of all parts."""
    return sum(p.seconds for p in parts)
