"""Builds the frozen view of the policy out of what the desk keeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.control.mobility.delivery.orders import ABOARD, LOADING, WAITING
from twin.control.mobility.delivery.places import DAY_S
from twin.control.mobility.delivery.ports import IDLE, View
from twin.control.mobility.delivery.steps import Steps
from twin.control.mobility.delivery.tours import MARGIN, SAME_STOP_M, closing_s, opening_s
from twin.control.mobility.delivery.units import Unit

Ints = npt.NDArray[np.int64]
DOOR_TO_DOOR_M_S = 3.0  # speed of a tour, hand-overs included: what standing costs per metre (assumed)


def build(steps: Steps, now_s: int) -> View:
    """Return the view of this moment."""
    b, depots, rules = steps.book, steps.sites.depots, steps.rules
    units = [u for u in steps.units.all if u.works]
    row_of = np.full(len(steps.units.all) + 1, -1, dtype=np.int64)  # the last: no unit
    row_of[[u.row for u in units]] = np.arange(len(units))
    rows = _orders(steps, row_of)
    rows = rows[np.argsort(b.number[rows], kind="stable")]
    stop, first = _stops(steps, rows)
    aboard = np.where(b.state[rows] == WAITING, -1, row_of[b.unit[rows]])
    closing, opening = closing_s(rules, now_s), opening_s(rules, now_s)
    if now_s >= closing:
        opening += DAY_S
        closing += DAY_S

    def free_s(u: Unit) -> int:
        group = steps.tours.group(u)
        return max(u.free_s, u.rest_until_s, opening, group.from_s) if u.doing == IDLE else max(u.free_s, now_s)

    free = np.asarray([free_s(u) for u in units], dtype=np.int64)
    back = np.asarray([max(u.back_s, now_s) for u in units], dtype=np.int64)
    until = np.asarray([min(steps.tours.group(u).until_s, closing) for u in units], dtype=np.int64)
    out = [u.doing != IDLE for u in units]
    return View(
        now_s=now_s,
        order=b.number[rows],
        size=b.size[rows],
        depot=b.depot[rows],
        ready_s=b.ready_s[rows],
        due_s=b.due_s[rows],
        stop=stop,
        aboard=aboard,
        attempts=b.attempts[rows],
        stop_road=b.to_road[first],
        stop_pos_m=b.to_pos_m[first],
        stop_x_m=b.to_x_m[first],
        stop_y_m=b.to_y_m[first],
        unit=_ints([u.number for u in units]),
        home=_ints([u.home for u in units]),
        capacity=_ints([u.capacity for u in units]),
        load=_ints([int(b.size[list(u.carried)].sum()) if u.carried else 0 for u in units]),
        charge=np.asarray([u.charge_at(now_s) for u in units]),
        range_m=np.asarray([range_m(u, now_s) for u in units]),
        doing=_ints([u.doing for u in units]),
        road=_ints([u.to_road if o and u.to_road >= 0 else u.road for u, o in zip(units, out, strict=True)]),
        pos_m=np.asarray([u.to_pos_m if o and u.to_road >= 0 else u.pos_m for u, o in zip(units, out, strict=True)]),
        free_s=free,
        back_s=np.maximum(back, free),
        until_s=until,
        group=steps.tours.licences.of[[u.row for u in units]] if units else np.empty(0, dtype=np.int64),
        depot_place=depots.place,
        depot_road=depots.road,
        depot_pos_m=depots.pos_m,
        depot_x_m=depots.x_m,
        depot_y_m=depots.y_m,
        depot_open=depots.open(now_s),
        travel=tuple(g.streets for g in steps.tours.licences.groups),
        load_s=rules.load_s,
        load_order_s=rules.load_order_s,
        hand_s=rules.hand_s,
        hand_order_s=rules.hand_order_s,
    )


def range_m(unit: Unit, now_s: int) -> float:
    """Return the metres a unit can drive above its reserve, standing at stops and a margin allowed for."""
    wh_m = MARGIN * (unit.use_wh_m + unit.idle_w / 3600.0 / DOOR_TO_DOOR_M_S)
    return max(unit.above_reserve_wh(now_s), 0.0) / max(wh_m, 1e-9)


def _orders(steps: Steps, row_of: Ints) -> Ints:
    """Rows of orders that wait, and of those that working units still have to hand over."""
    b = steps.book
    rows = b.among_open(WAITING, LOADING, ABOARD)
    out = b.state[rows] != WAITING
    on_tour = np.zeros(b.count, dtype=bool)
    for unit in steps.units.all:
        if row_of[unit.row] >= 0:
            on_tour[unit.sequence] = True
    kept: Ints = rows[~out | on_tour[rows]]
    return kept


def _stops(steps: Steps, rows: Ints) -> tuple[Ints, Ints]:
    """Return the stop of each order, and one order row of each stop."""
    b = steps.book
    place = np.rint(b.to_pos_m[rows] / SAME_STOP_M).astype(np.int64)
    key = (b.to_road[rows] * 4096 + np.minimum(place, 4095)) * 4096 + b.to_locker[rows] + 1
    _, first, stop = np.unique(key, return_index=True, return_inverse=True)
    return stop.astype(np.int64), rows[first]


def _ints(values: list[int]) -> Ints:
    return np.asarray(values, dtype=np.int64)
