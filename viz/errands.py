"""What the fleets do for people: every order and every booking of a run, put together from the facts."""

from __future__ import annotations

from typing import Any

from twin.log import Facts
from twin.world.fleets.handover import SERVICES
from viz.account import Booking, Order
from viz.units import rows


def orders(facts: Facts, end_s: int) -> dict[int, Order]:
    """Return all orders by number, in the order in which they were placed."""
    out: dict[int, Order] = {}
    for r in rows(facts, "OrderPlaced"):
        out[int(r["order"])] = Order(
            int(r["order"]), int(r["customer"]), int(r["destination"]), int(r["size"]), int(r["t_s"]),
            int(r["ready_s"]), int(r["due_s"]), end_s=end_s,
        )  # fmt: skip
    if not out:
        return out
    for r in rows(facts, "OrderAnswered"):
        order = out[int(r["order"])]
        order.promised_s = int(r["promised_s"])
        if not r["accepted"]:
            order.status, order.word, order.end_s = "refused", str(r["reason"]), int(r["t_s"])
    for r in rows(facts, "OrderLoaded"):
        order = out[int(r["order"])]
        order.loads.append((int(r["t_s"]), int(r["unit"]), str(r["place"])))
        order.unit = int(r["unit"])
    for fact, how in (("OrderReturned", "returned"), ("OrderTransferred", "transferred")):
        for r in rows(facts, fact):
            out[int(r["order"])].leaves.append((int(r["t_s"]), how, str(r["place"])))
    for r in rows(facts, "HandOverFailed"):
        out[int(r["order"])].fails.append((int(r["t_s"]), int(r["unit"]), str(r["reason"])))
    for r in rows(facts, "OrderGivenUp"):
        order = out[int(r["order"])]
        order.status, order.word, order.end_s = "given up", str(r["reason"]), int(r["t_s"])
    for r in rows(facts, "OrderDelivered"):
        order = out[int(r["order"])]
        order.status, order.word, order.end_s = "delivered", str(r["to"]), int(r["t_s"])
        order.unit, order.late_s = int(r["unit"]), int(r["late_s"])
    for r in rows(facts, "OrderOpen"):
        out[int(r["order"])].word = str(r["where"])
    for order in out.values():
        order.loads.sort()
        order.leaves.sort()
        order.fails.sort()
        order.end_s = max(order.end_s, order.placed_s)
    return out


def loading_s(fleet: str, n: int) -> int:
    """Return how long loading n orders takes at a free dock, as the world has it."""
    service = SERVICES.get(fleet)
    return service.load_s + round(service.load_each_s * n) if service else 0


def loaded_together(found: dict[int, Order]) -> dict[tuple[int, int], int]:
    """Return (second, unit) → how many orders were loaded in one go."""
    out: dict[tuple[int, int], int] = {}
    for order in found.values():
        for t, unit, _ in order.loads:
            out[t, unit] = out.get((t, unit), 0) + 1
    return out


def bookings(facts: Facts, end_s: int) -> dict[int, Booking]:
    """Return all bookings by number, in the order in which they were made."""
    out: dict[int, Booking] = {}
    for r in rows(facts, "BookingMade"):
        out[int(r["booking"])] = Booking(
            int(r["booking"]), int(r["resident"]), int(r["origin"]), int(r["destination"]), int(r["party"]),
            int(r["t_s"]), int(r["wanted_s"]), end_s=end_s,
        )  # fmt: skip
    if not out:
        return out
    for r in rows(facts, "BookingAnswered"):  # the last promise is the one that holds
        b = out[int(r["booking"])]
        if r["accepted"]:
            b.status, b.place, b.to_place = "accepted", str(r["place"]), str(r["to_place"])
            b.pickup_s, b.arrive_s = int(r["promised_s"]), int(r["promised_arrival_s"])
        else:
            b.status, b.word, b.end_s = "refused", str(r["reason"]), int(r["t_s"])
    for r in rows(facts, "PassengerBoarded"):
        b = out[int(r["booking"])]
        b.unit, b.boarded_s, b.place = int(r["unit"]), int(r["t_s"]), str(r["place"])
        b.pickup_s = b.boarded_s - int(r["late_s"])
    for fact, status in (("PassengerMissed", "missed"), ("BookingWithdrawn", "withdrawn")):
        for r in rows(facts, fact):
            b = out[int(r["booking"])]
            b.status, b.word, b.end_s = status, str(r["reason"]), int(r["t_s"])
    for r in rows(facts, "PassengerAlighted"):
        b = out[int(r["booking"])]
        b.status, b.end_s, b.to_place = "served", int(r["t_s"]), str(r["place"])
        b.arrive_s = b.end_s - int(r["late_s"])
    return out


#: fact → (mark, field that refers to an order or booking, field with a word, field with a number)
MARKS: dict[str, tuple[str, str, str, str]] = {
    "OrderLoaded": ("loaded", "order", "place", ""),
    "OrderDelivered": ("delivered", "order", "to", "late_s"),
    "HandOverFailed": ("failed", "order", "reason", "waited_s"),
    "OrderReturned": ("returned", "order", "place", ""),
    "OrderTransferred": ("transferred", "order", "place", ""),
    "PassengerBoarded": ("boarded", "booking", "place", "late_s"),
    "PassengerAlighted": ("alighted", "booking", "place", "late_s"),
    "ShuttleStopped": ("stopped", "", "place", "dwell_s"),
    "UnitCharged": ("charged", "", "place", "duration_s"),
    "HopperTipped": ("tipped", "", "place", "load"),
    "WaterFilled": ("filled", "", "place", "litres"),
    "RoadSwept": ("swept", "road", "", "litter_g"),
    "UnitHalted": ("halted", "", "cause", ""),
    "UnitResumed": ("resumed", "", "cause", "waited_s"),
    "UnitRefused": ("refused", "", "reason", ""),
    "UnitBroke": ("broke", "", "cause", ""),
    "UnitRepaired": ("repaired", "", "", "waited_s"),
    "LinkLost": ("link_lost", "", "cause", ""),
    "LinkRestored": ("link_back", "", "", ""),
    "AssistBegan": ("assist", "", "cause", "waited_s"),
    "AssistEnded": ("assisted", "", "", "duration_s"),
    "TakeOverBegan": ("takeover", "", "cause", ""),
    "TakeOverEnded": ("takeover_end", "", "cause", "duration_s"),
    "SignalMissed": ("missed_signal", "", "what", ""),
    "Overtaken": ("overtaken", "", "", "extra_s"),
    "ReserveBroken": ("reserve", "", "", ""),
    "ViolationBegan": ("violation", "", "violation", ""),
    "ViolationFound": ("found", "", "violation", ""),
    "UnitWarned": ("warned", "", "violation", ""),
    "UnitSlowed": ("slowed", "", "", "speed_m_s"),
    "UnitStoppedByPlatform": ("ordered_stop", "", "violation", ""),
    "CaseClosed": ("case_closed", "", "outcome", ""),
    "BusAdmitted": ("admitted", "", "", ""),
}


def marks(facts: Facts) -> dict[int, list[tuple[int, str, int, str, int]]]:
    """Return by unit (second, mark, order, booking or road it refers to or −1, word, number), in the order of time."""
    out: dict[int, list[tuple[int, str, int, str, int]]] = {}
    for fact, (what, ref, word, number) in MARKS.items():
        for r in rows(facts, fact):
            item = (
                int(r["t_s"]), what, int(r[ref]) if ref else -1, str(r[word]) if word else "", _whole(r, number),
            )  # fmt: skip
            out.setdefault(int(r["unit"]), []).append(item)
    for items in out.values():
        items.sort(key=lambda m: m[0])
    return out


def _whole(r: dict[str, Any], number: str) -> int:
    return round(float(r[number])) if number else 0
