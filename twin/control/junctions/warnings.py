"""Warnings from the roadside about what a vehicle cannot see: a person, a stopped car, hidden by a corner or a vehicle.

The roadside unit looks from above, so it sees both. It warns a vehicle (DENM, RSI) when an object will be in its way
and the straight line between them is blocked: by walls and corners, or by vehicles that stand or drive between. Use
cases: T/CSAE 53-2020 "vulnerable road user collision warning", T/CSAE 157-2020 "sensor sharing"; geometry only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.control.junctions.layout import Floats, Ints
from twin.control.junctions.ports import Bools
from twin.domain.v2x import PERSON

VEHICLE_WIDTH_M = 1.8


@dataclass(frozen=True)
class HazardView:
    """What a roadside unit knows at one moment. Do not write.

    Vehicles (V): front ``x_m, y_m``, ``heading_deg``, ``speed_m_s``. Objects (H): place, heading, speed, ``kind``.
    Blockers (B): segments from ``block_from`` to ``block_to`` (B, 2). ``own``: (B,) row of the vehicle that a blocker
    belongs to (-1: none), which does not block its own sight; ``own_object``: the object it belongs to (-1: none).
    """

    x_m: Floats
    y_m: Floats
    heading_deg: Floats
    speed_m_s: Floats
    object_x_m: Floats
    object_y_m: Floats
    object_heading_deg: Floats
    object_speed_m_s: Floats
    kind: Ints
    block_from: Floats
    block_to: Floats
    own: Ints
    own_object: Ints


class HazardPolicy(Protocol):
    """Chooses whom to warn of what."""

    def warn(self, view: HazardView) -> tuple[Ints, Ints]:
        """Return (vehicle rows, object rows) of the warnings, pairwise."""


def towards(heading_deg: Floats) -> tuple[Floats, Floats]:
    """Return unit vectors of headings (degrees from north, clockwise)."""
    a = np.deg2rad(heading_deg)
    return np.sin(a), np.cos(a)


def diagonals(x_m: Floats, y_m: Floats, heading_deg: Floats, length_m: Floats) -> tuple[Floats, Floats]:
    """Return begins and ends (2 B, 2) of the diagonals of vehicles by their fronts: whatever crosses one crosses them.

    First all of one diagonal, then all of the other.
    """
    ux, uy = towards(heading_deg)
    half = VEHICLE_WIDTH_M / 2.0
    front = np.stack([x_m, y_m], axis=1)
    back = front - np.stack([ux, uy], axis=1) * length_m[:, None]
    side = np.stack([-uy, ux], axis=1) * half
    return np.concatenate([front + side, front - side]), np.concatenate([back - side, back + side])


def ahead(view: HazardView) -> tuple[Floats, Floats]:
    """Return (V, H): metres along each vehicle's heading to each object, and metres to its left (negative: right)."""
    dx = view.object_x_m[None, :] - view.x_m[:, None]
    dy = view.object_y_m[None, :] - view.y_m[:, None]
    ux, uy = towards(view.heading_deg)
    return dx * ux[:, None] + dy * uy[:, None], -dx * uy[:, None] + dy * ux[:, None]


def needed_m_s2(speed_m_s: Floats, distance_m: Floats, reaction_s: float = 1.0, gap_m: float = 1.0) -> Floats:
    """Return the deceleration that stops a vehicle ``gap_m`` short of something ``distance_m`` ahead.

    v² / (2 (d − v t_r − gap)), the deceleration rate to avoid a crash (DRAC, Archer 2005); inf where no way is left.
    """
    room = distance_m - gap_m - speed_m_s * reaction_s
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(room > 0, speed_m_s**2 / (2.0 * room), np.where(speed_m_s > 0, np.inf, 0.0))
    return np.asarray(needed)


def blocked(view: HazardView, vehicle: Ints, thing: Ints) -> Bools:
    """Return for pairs (vehicle row, object row) whether anything stands in the line between them."""
    if view.block_from.size == 0 or vehicle.size == 0:
        return np.zeros(vehicle.size, dtype=bool)
    px, py = view.x_m[vehicle], view.y_m[vehicle]
    qx, qy = view.object_x_m[thing], view.object_y_m[thing]
    hit = crosses(px, py, qx, qy, view.block_from, view.block_to)
    hit &= view.own[None, :] != vehicle[:, None]
    hit &= view.own_object[None, :] != thing[:, None]
    return np.asarray(hit.any(axis=1))


def crosses(px: Floats, py: Floats, qx: Floats, qy: Floats, a: Floats, b: Floats) -> Bools:
    """Return (N, B): whether segment p–q crosses segment a–b (touching ends count)."""

    def side(ox: Floats, oy: Floats, tx: Floats, ty: Floats, sx: Floats, sy: Floats) -> Floats:
        return np.asarray((tx - ox) * (sy - oy) - (ty - oy) * (sx - ox))

    px, py, qx, qy = (v[:, None] for v in (px, py, qx, qy))
    ax, ay, bx, by = a[None, :, 0], a[None, :, 1], b[None, :, 0], b[None, :, 1]
    one = side(px, py, qx, qy, ax, ay) * side(px, py, qx, qy, bx, by)
    two = side(ax, ay, bx, by, px, py) * side(ax, ay, bx, by, qx, qy)
    return np.asarray((one <= 0) & (two <= 0))


@dataclass(frozen=True)
class BlindSpots:
    """See the module's text. ``reach_m``: how far ahead; ``half_m``: half width of the way (vehicle and margin).

    ``person_step_m``: how far to the side of the way a person may be and still count; those who walk towards it count
    when they would be there by the time the vehicle comes.
    """

    reach_m: float = 150.0
    half_m: float = 1.75
    person_step_m: float = 3.0
    least_m_s: float = 2.0

    def warn(self, view: HazardView) -> tuple[Ints, Ints]:
        """See the Protocol."""
        if view.x_m.size == 0 or view.object_x_m.size == 0:
            none = np.empty(0, dtype=np.int64)
            return none, none
        along, left = ahead(view)
        in_way = self.in_way(view, along, left)
        vehicle, thing = np.nonzero(in_way)
        hidden = blocked(view, vehicle, thing)
        return vehicle[hidden].astype(np.int64), thing[hidden].astype(np.int64)

    def in_way(self, view: HazardView, along: Floats, left: Floats) -> npt.NDArray[np.bool_]:
        """Return (V, H): whether an object is or will be in the way of a vehicle when it comes there."""
        speed = view.speed_m_s[:, None]
        eta_s = along / np.maximum(speed, 0.1)
        ux, uy = towards(view.heading_deg)
        ox, oy = towards(view.object_heading_deg)
        drift = view.object_speed_m_s[None, :] * (-ox[None, :] * uy[:, None] + oy[None, :] * ux[:, None])
        side = np.where(view.kind == PERSON, self.person_step_m, self.half_m)[None, :]
        later = left + drift * np.minimum(eta_s, 10.0)
        in_way = (np.abs(left) <= side) | (np.abs(later) <= self.half_m) | (left * later < 0)
        return np.asarray(in_way & (along > 0) & (along <= self.reach_m) & (speed >= self.least_m_s))
