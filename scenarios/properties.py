"""Properties that every run must have, checked on its facts: each function returns what is wrong, in sentences.

``ALL`` lists them by name; an empty answer of all is a sound run. They hold under every fault that a scenario can
bring: what goes wrong in the city must be *accounted for*, never lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from scenarios.permits_kept import permits_are_kept
from twin.domain.ids import unit_label
from twin.log import Facts

#: facts that explain why a unit's charge may have fallen below its reserve: its own, if not long before …
_OWN_FAULTS = ("UnitBroke", "UnitHalted", "LinkLost")
_LONG_S = 4 * 3600
#: … or those of a place, where they may last
_PLACE_FAULTS = ("ChargerFailed", "DepotShut")
_SHOWN = 5


def _list(items: Iterable[object]) -> str:
    shown = list(items)
    return ", ".join(map(str, shown[:_SHOWN])) + (" …" if len(shown) > _SHOWN else "")


def parcels_are_conserved(facts: Facts) -> list[str]:
    """Every order ends exactly once – delivered, refused, given up, or open at the end – and only known ones do."""
    placed = set(facts.frame("OrderPlaced")["order"].tolist())
    delivered = facts.frame("OrderDelivered")["order"].tolist()
    answered = facts.frame("OrderAnswered")
    refused = answered.loc[~answered["accepted"].astype(bool), "order"].tolist()
    given_up = facts.frame("OrderGivenUp")["order"].tolist()
    open_ = facts.frame("OrderOpen")["order"].tolist()
    ends = Counter([*delivered, *refused, *given_up, *open_])
    out = []
    if twice := sorted(o for o, n in Counter(delivered).items() if n > 1):
        out.append(f"orders delivered twice: {_list(twice)}")
    if many := sorted(o for o, n in ends.items() if n > 1 and o not in set(twice)):
        out.append(f"orders with two ends: {_list(many)}")
    if lost := sorted(placed - set(ends)):
        out.append(f"orders lost without an end: {_list(lost)}")
    if unknown := sorted(set(ends) - placed):
        out.append(f"orders that nobody placed: {_list(unknown)}")
    if twice := sorted(o for o, n in Counter(answered["order"].tolist()).items() if n > 1):
        out.append(f"orders answered twice: {_list(twice)}")
    return out


def parcels_travel_in_one_unit(facts: Facts) -> list[str]:
    """Hand-overs, returns and transfers are of the unit that an order was last loaded into."""
    steps = []
    for kind in ("OrderLoaded", "OrderReturned", "OrderTransferred", "OrderDelivered"):
        frame = facts.frame(kind)[["t_s", "order", "unit"]]
        steps.append(frame.assign(kind=kind))
    story = pd.concat(steps).sort_values(["order", "t_s"], kind="stable")
    out: list[str] = []
    holder: dict[int, int] = {}
    for order, unit, kind in zip(story["order"].tolist(), story["unit"].tolist(), story["kind"].tolist(), strict=True):
        inside = holder.get(order)
        if kind == "OrderLoaded":
            if inside is not None:
                out.append(f"order {order} was loaded into {unit_label(unit)} while in {unit_label(inside)}")
            holder[order] = unit
        else:
            if inside != unit:
                was = unit_label(inside) if inside is not None else "no unit"
                out.append(f"order {order} left {unit_label(unit)} but was in {was}")
            holder.pop(order, None)
    return out[:_SHOWN]


def loads_fit(facts: Facts) -> list[str]:
    """No unit ever carries more than its capacity, nor less than nothing."""
    capacity = facts.frame("UnitDeployed").set_index("unit")["capacity"]
    told = facts.frame("UnitChanged")
    if told.empty:
        return []
    wrong = told[(told["load"] < 0) | (told["load"] > told["unit"].map(capacity))]
    return [f"{unit_label(r.unit)} carried {r.load} at {r.t_s} s" for r in wrong.head(_SHOWN).itertuples()]


def reserves_are_kept(facts: Facts) -> list[str]:
    """No unit's charge falls below its reserve unless a fault explains it.

    One of its own within ``_LONG_S`` before, or of a charger or depot at any time before.
    """
    low = facts.frame("ReserveBroken")
    if low.empty:
        return []
    own = pd.concat([facts.frame(kind)[["t_s", "unit"]] for kind in _OWN_FAULTS])
    place_s = min((facts.frame(kind)["t_s"].min() for kind in _PLACE_FAULTS if len(facts.frame(kind))), default=None)
    out = []
    for row in low.itertuples():
        before = own.loc[own["unit"] == row.unit, "t_s"]
        explained = before.between(row.t_s - _LONG_S, row.t_s).any() or (place_s is not None and place_s <= row.t_s)
        if not explained:
            out.append(f"{unit_label(row.unit)} was below its reserve at {row.t_s} s without a fault before")
    return out[:_SHOWN]


def passengers_are_conserved(facts: Facts) -> list[str]:
    """Every booking ends exactly once; nobody boards twice, or is left in a vehicle."""
    made = facts.frame("BookingMade")["booking"].tolist()
    answered = facts.frame("BookingAnswered")
    refused = answered.loc[~answered["accepted"].astype(bool), "booking"].tolist()
    boarded = Counter(facts.frame("PassengerBoarded")["booking"].tolist())
    alighted = facts.frame("PassengerAlighted")["booking"].tolist()
    missed = facts.frame("PassengerMissed")["booking"].tolist()
    withdrawn = facts.frame("BookingWithdrawn")["booking"].tolist()
    ends = Counter([*refused, *alighted, *missed, *withdrawn])
    out = []
    if twice := sorted(b for b, n in boarded.items() if n > 1):
        out.append(f"bookings that boarded twice: {_list(twice)}")
    if many := sorted(b for b, n in ends.items() if n > 1):
        out.append(f"bookings with two ends: {_list(many)}")
    if lost := sorted(set(made) - set(ends)):
        out.append(f"bookings without an end: {_list(lost)}")
    if inside := sorted(set(boarded) - set(alighted) - set(missed)):
        out.append(f"passengers left in a vehicle: {_list(inside)}")
    if not_in := sorted(set(alighted) - set(boarded)):
        out.append(f"passengers who got off without having boarded: {_list(not_in)}")
    if again := sorted(b for b, n in Counter(made).items() if n > 1):
        out.append(f"bookings made twice: {_list(again)}")
    return out


def units_are_in_one_place(facts: Facts) -> list[str]:
    """Legs of a unit do not overlap, and each ends at most once."""
    went = facts.frame("UnitDeparted")[["t_s", "unit", "vehicle"]].drop_duplicates("vehicle", keep="last")
    came = facts.frame("UnitArrived")[["t_s", "unit", "vehicle"]]
    out = []
    if twice := [v for v, n in Counter(came["vehicle"][came["vehicle"] > 0].tolist()).items() if n > 1]:
        out.append(f"vehicles that arrived twice: {_list(twice)}")
    on = came[came["vehicle"] > 0].merge(went, on=["unit", "vehicle"], suffixes=("", "_went"))
    late = on[on["t_s"] < on["t_s_went"]]
    out += [f"{unit_label(r.unit)} arrived before it departed, at {r.t_s} s" for r in late.head(_SHOWN).itertuples()]
    on = on.sort_values(["unit", "t_s_went"])
    before = on.groupby("unit")["t_s"].shift()
    overlap = on[before > on["t_s_went"]]
    out += [f"{unit_label(r.unit)} was on two legs at {r.t_s_went} s" for r in overlap.head(_SHOWN).itertuples()]
    return out


ALL: Mapping[str, Callable[[Facts], list[str]]] = {
    "parcels_are_conserved": parcels_are_conserved,
    "parcels_travel_in_one_unit": parcels_travel_in_one_unit,
    "loads_fit": loads_fit,
    "reserves_are_kept": reserves_are_kept,
    "passengers_are_conserved": passengers_are_conserved,
    "units_are_in_one_place": units_are_in_one_place,
    "permits_are_kept": permits_are_kept,
}


def broken(facts: Facts) -> dict[str, list[str]]:
    """Return what is wrong with a run, by property; empty for a sound one."""
    return {name: wrong for name, holds in ALL.items() if (wrong := holds(facts))}
