"""The fleets of a run as one container of the page: units, legs, days, orders and bookings as tables of whole numbers.

A run without fleets has none: nothing is read but one empty table, and the page is as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from twin.domain.ids import FLEETS, unit_label
from twin.domain.mobility import STATES
from twin.events import Fact, bus, delivery, fleets, kinds, sanitation, supervision
from twin.log import Facts
from viz.account import LABELS, Booking, Order, Part, booking_parts, leg_parts, order_parts
from viz.errands import MARKS, bookings, loaded_together, loading_s, marks, orders
from viz.geometry import Names
from viz.pack import pack, wide, zigzag
from viz.text_fleets import said
from viz.units import Track, rows, state_code, tracks

ORDER_STATES = ("delivered", "refused", "given up", "open")
BOOKING_STATES = ("served", "refused", "missed", "withdrawn", "accepted", "open")
MARK_NAMES = tuple(what for what, *_ in MARKS.values())

#: what facts call a place, and the fact and field that do
_ROLES = (
    ("depot", "OrderLoaded", "place"), ("depot", "OrderReturned", "place"), ("depot", "DepotShut", "place"),
    ("charger", "UnitCharged", "place"), ("charger", "ChargerFailed", "place"), ("stop", "BookingAnswered", "place"),
    ("stop", "BookingAnswered", "to_place"), ("stop", "ShuttleStopped", "place"), ("tip", "HopperTipped", "place"),
    ("water", "WaterFilled", "place"),
)  # fmt: skip
ROLES = tuple(dict.fromkeys(role for role, *_ in _ROLES))


@dataclass(frozen=True)
class Fleet:
    """Everything that the facts tell of the fleets, for streams, charts and happenings."""

    facts: Facts
    units: dict[int, Track]
    orders: dict[int, Order]
    bookings: dict[int, Booking]

    @property
    def present(self) -> list[str]:
        """The fleets that have units, in their usual order."""
        have = {t.fleet for t in self.units.values()}
        return [f for f in FLEETS if f in have]

    @property
    def sweeps(self) -> bool:
        """Whether a road was swept."""
        return bool(self.facts.table("RoadSwept", ["t_s"]).num_rows)

    @property
    def states(self) -> list[str]:
        """The states that units were in, in their usual order."""
        have = {s for t in self.units.values() for s in t.state}
        return [s for s in STATES if s in have]


def facts_of(file: Path) -> Facts | None:
    """Return the facts of the fleets alone, read at once from the log ``file``; None for a run without fleets.

    Logs from before there were fleets have not even the columns. What telemetry said is left out: it is much, and the
    page does not show it.
    """
    if "unit" not in pq.read_schema(file).names or Facts(path=file).table("UnitDeployed", ["unit"]).num_rows == 0:
        return None
    names = [
        name
        for module in (bus, delivery, fleets, sanitation, supervision)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, Fact) and kind not in (Fact, supervision.TelemetryGathered)
    ]
    columns = {f for name in names for f in kinds()[name].__dataclass_fields__}  # type: ignore[attr-defined]
    return Facts(table=pq.read_table(file, columns=["t_s", "fact", *sorted(columns)], filters=[("fact", "in", names)]))


def read(facts: Facts, end_s: int) -> Fleet:
    """Return the fleets of a run from their facts."""
    return Fleet(facts, tracks(facts), orders(facts, end_s), bookings(facts, end_s))


class Tables:
    """Tables of whole numbers as streams: each column as its values or, where that is shorter, its steps."""

    def __init__(self) -> None:
        self.meta: dict[str, dict[str, int]] = {}
        self.streams: dict[str, bytes] = {}

    def put(self, name: str, fields: str, table: Sequence[Sequence[int]]) -> None:
        """Add a table; ``fields``: names of its columns, between blanks."""
        keys = fields.split()
        columns = np.array(table, dtype=np.int64).reshape(len(table), len(keys)).T
        self.meta[name] = {}
        for key, values in zip(keys, columns, strict=True):
            rising = np.diff(values, prepend=np.int64(0))
            by_steps = int(np.abs(rising).sum()) < int(np.abs(values).sum())
            self.meta[name][key] = int(by_steps)
            self.streams[f"{name}.{key}"] = wide(zigzag(rising if by_steps else values))


def container(fleet: Fleet, begin_s: int, lang: str) -> str:
    """Return the container text of the fleets; times are seconds from ``begin_s``."""
    words = Names()

    def word(text: str) -> int:
        return int(words.add([said(text, lang)])[0])

    def place(text: str) -> int:
        return int(words.add([text])[0])

    tables, parts = Tables(), _Parts(begin_s, word)
    index = {unit: i for i, unit in enumerate(fleet.units)}
    _units(tables, fleet, parts, begin_s, word)
    _days(tables, marks(fleet.facts), fleet, begin_s, word, place)
    _orders(tables, fleet, parts, index, begin_s, word, place)
    _bookings(tables, fleet, parts, index, begin_s, word, place)
    tables.put("parts", "label word t seconds", parts.rows)
    swept = sorted((int(r["t_s"]), int(r["road"])) for r in rows(fleet.facts, "RoadSwept"))
    tables.put("swept", "t road", [(t - begin_s, road) for t, road in swept])
    meta = {
        "tables": tables.meta,
        "fleets": fleet.present,
        "states": list(STATES),
        "labels": list(LABELS),
        "marks": list(MARK_NAMES),
        "order_states": list(ORDER_STATES),
        "booking_states": list(BOOKING_STATES),
        "roles": _roles(fleet.facts),
        "words": words.texts,
    }
    return pack(meta, tables.streams)


class _Parts:
    """The one table of parts; each owner remembers how many are its own."""

    def __init__(self, begin_s: int, word: Any) -> None:
        self.rows: list[tuple[int, ...]] = []
        self._begin_s, self._word = begin_s, word

    def add(self, parts: list[Part]) -> int:
        for p in parts:
            self.rows.append((LABELS.index(p.label), self._word(p.cause), p.t_s - self._begin_s, p.seconds))
        return len(parts)


def _units(tables: Tables, fleet: Fleet, parts: _Parts, begin_s: int, word: Any) -> None:
    units, changes, legs = [], [], []
    for track in fleet.units.values():
        number = int(unit_label(track.unit).rpartition("-")[2])
        units.append(
            (fleet.present.index(track.fleet), number, word(track.model), track.capacity, len(track.t_s),
             len(track.legs))
        )  # fmt: skip
        for i, t in enumerate(track.t_s):
            changes.append(
                (t - begin_s, state_code(track.state[i]), word(track.cause[i]), round(track.battery[i] * 1000),
                 track.load[i], track.road[i], round(track.pos_m[i] * 10))
            )  # fmt: skip
        for leg in track.legs:
            n = parts.add(leg_parts(track, leg))
            end = leg.end_s - begin_s if leg.end_s >= 0 else -1
            arrived = leg.late_s is not None
            legs.append(
                (leg.t_s - begin_s, end, word(leg.task), leg.to_road, round(leg.distance_m), leg.planned_s,
                 int(arrived), leg.late_s or 0, n)
            )  # fmt: skip
    tables.put("units", "fleet number model capacity changes legs", units)
    tables.put("changes", "t state cause battery load road pos", changes)
    tables.put("legs", "t end task road metres planned arrived late parts", legs)


def _days(tables: Tables, found: Any, fleet: Fleet, begin_s: int, word: Any, place: Any) -> None:
    """Put every unit's day: marks by unit, in the order of time."""
    out, counts = [], []
    places = {what for what, _, text, _ in MARKS.values() if text == "place"}
    for unit in fleet.units:
        own = found.get(unit, [])
        counts.append((len(own),))
        for t, what, ref, text, number in own:
            said_word = place(text) if what in places else word(text)
            out.append((t - begin_s, MARK_NAMES.index(what), ref, said_word, number))
    tables.put("day", "marks", counts)
    tables.put("marks", "t what ref word value", out)


def _orders(tables: Tables, fleet: Fleet, parts: _Parts, index: dict[int, int], begin_s: int, word: Any,
            place: Any) -> None:  # fmt: skip
    together = loaded_together(fleet.orders)
    out, stays, fails = [], [], []
    for order in sorted(fleet.orders.values(), key=lambda o: o.order):
        n = parts.add(order_parts(order, fleet.units, loading_s, together)) if order.status != "refused" else 0
        promised = order.promised_s - begin_s if order.promised_s >= 0 else -1
        out.append(
            (order.order, order.customer, order.destination, order.size, order.placed_s - begin_s,
             order.ready_s - begin_s, order.due_s - begin_s, promised,
             ORDER_STATES.index(order.status), order.end_s - begin_s, index.get(order.unit, -1), word(order.word), n,
             len(order.loads), len(order.fails))
        )  # fmt: skip
        for (unit, on, off), (_, _, where) in zip(order.stays, order.loads, strict=True):
            stays.append((index.get(unit, -1), on - begin_s, off - begin_s, place(where)))
        for t, unit, reason in order.fails:
            fails.append((t - begin_s, index.get(unit, -1), word(reason)))
    fields = "order customer block size placed ready due promised status end unit word parts stays fails"
    tables.put("orders", fields, out)
    tables.put("stays", "unit on off place", stays)
    tables.put("fails", "t unit word", fails)


def _bookings(tables: Tables, fleet: Fleet, parts: _Parts, index: dict[int, int], begin_s: int, word: Any,
              place: Any) -> None:  # fmt: skip
    out = []
    for b in sorted(fleet.bookings.values(), key=lambda b: b.booking):
        n = parts.add(booking_parts(b, fleet.units.get(b.unit)))

        def at(t_s: int) -> int:
            return t_s - begin_s if t_s >= 0 else -1

        out.append(
            (b.booking, b.resident, b.origin, b.destination, b.party, b.made_s - begin_s, at(b.wanted_s),
             BOOKING_STATES.index(b.status), word(b.word), index.get(b.unit, -1), place(b.place), place(b.to_place),
             at(b.pickup_s), at(b.arrive_s), at(b.boarded_s), b.end_s - begin_s, n)
        )  # fmt: skip
    fields = "booking resident origin destination party made wanted status word unit place to_place pickup arrive"
    tables.put("bookings", fields + " boarded end parts", out)


def _roles(facts: Facts) -> dict[str, list[str]]:
    """Return role → ids of the places that facts name in it."""
    out: dict[str, set[str]] = {}
    for role, fact, column in _ROLES:
        names = set(facts.table(fact, [column])[column].to_pylist()) - {None, ""}
        if names:
            out.setdefault(role, set()).update(names)
    return {role: sorted(names) for role, names in out.items()}
