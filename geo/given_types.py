"""Vehicle types as SUMO files define them, with SUMO's own defaults for what a file leaves out."""

from __future__ import annotations

import hashlib
import re
from typing import Any

#: what SUMO 1.28 gives a type of a class: length, minGap, accel, decel, maxSpeed, sigma, speedDev (m, m/s, m/s²)
_DEFAULTS: dict[str, tuple[float, ...]] = {
    "passenger": (5.0, 2.5, 2.6, 4.5, 55.556, 0.5, 0.1),
    "private": (5.0, 2.5, 2.6, 4.5, 55.556, 0.5, 0.1),
    "taxi": (5.0, 2.5, 2.6, 4.5, 55.556, 0.5, 0.05),
    "evehicle": (5.0, 2.5, 2.6, 4.5, 55.556, 0.5, 0.1),
    "hov": (5.0, 2.5, 2.6, 4.5, 55.556, 0.5, 0.1),
    "bus": (12.0, 2.5, 1.2, 4.0, 27.778, 0.5, 0.0),
    "coach": (14.0, 2.5, 2.0, 4.0, 27.778, 0.5, 0.05),
    "delivery": (6.5, 2.5, 2.6, 4.5, 55.556, 0.5, 0.05),
    "truck": (7.1, 2.5, 1.3, 4.0, 36.111, 0.5, 0.05),
    "trailer": (16.5, 2.5, 1.1, 4.0, 36.111, 0.5, 0.05),
    "motorcycle": (2.2, 2.5, 6.0, 10.0, 55.556, 0.5, 0.1),
    "moped": (2.1, 2.5, 1.1, 7.0, 16.667, 0.5, 0.1),
    "bicycle": (1.6, 0.5, 1.2, 3.0, 13.889, 0.5, 0.1),
    "tram": (22.0, 2.5, 1.0, 3.0, 22.222, 0.0, 0.0),
    "rail_urban": (109.5, 5.0, 1.0, 3.0, 27.778, 0.0, 0.0),
    "rail": (135.0, 5.0, 0.25, 1.3, 44.444, 0.0, 0.0),
    "emergency": (6.5, 2.5, 2.6, 4.5, 55.556, 0.5, 0.0),
    "ignoring": (5.0, 2.5, 2.6, 4.5, 55.556, 0.5, 0.0),
}
_NAMES = ("length", "minGap", "accel", "decel", "maxSpeed", "sigma", "speedDev")
_NUMBERS = (*_NAMES, "tau", "speedFactor", "emergencyDecel", "apparentDecel", "personCapacity", "jmDriveAfterRedTime")
_TEXTS = ("vClass", "guiShape", "carFollowModel", "laneChangeModel")
#: the types that every SUMO simulation knows
_BUILT_IN = {
    "DEFAULT_VEHTYPE": "passenger",
    "DEFAULT_BIKETYPE": "bicycle",
    "DEFAULT_TAXITYPE": "taxi",
    "DEFAULT_RAILTYPE": "rail",
}
#: classes that travel where buses may
BUS_LIKE = ("bus", "coach")
_SPREAD = re.compile(r"norm(?:c)?\(([^)]*)\)")


class Types:
    """Vehicle types and distributions of types, filled from the elements of additional and route files."""

    def __init__(self) -> None:
        self.types = {name: _complete({"vClass": v_class}) for name, v_class in _BUILT_IN.items()}
        self._mixes: dict[str, list[tuple[str, float]]] = {}
        self._mix: str | None = None
        self._type: str | None = None

    @property
    def names(self) -> list[str]:
        """Every type and mix that a vehicle may name."""
        return sorted({*self.types, *self._mixes})

    def start(self, tag: str, a: dict[str, str]) -> bool:
        """Take an element in; return False if it is none of a type's."""
        if tag == "vTypeDistribution":
            self._mix = a["id"]
            names = a.get("vTypes", "").split()
            shares = [float(p) for p in a.get("probabilities", "").split()] or [1.0] * len(names)
            self._mixes[self._mix] = list(zip(names, shares, strict=True))
        elif tag == "vType":
            self._type = a["id"]
            self.types[a["id"]] = _complete(a)
            if self._mix is not None:
                self._mixes[self._mix].append((a["id"], float(a.get("probability", 1.0))))
        elif tag.startswith("carFollowing-") and self._type is not None:
            self.types[self._type].update(_read({**a, "carFollowModel": tag.removeprefix("carFollowing-")}))
        else:
            return False
        return True

    def end(self, tag: str) -> None:
        """Close an element."""
        if tag == "vTypeDistribution":
            self._mix = None
        elif tag == "vType":
            self._type = None

    def of(self, vehicle: str, name: str) -> str:
        """Return the type of a vehicle that names a type or a mix; from a mix by a hash of the vehicle's id."""
        if name in self._mixes:
            return choose(self._mixes[name], vehicle)
        if name not in self.types:
            known = ", ".join(n for n in self.names if not n.startswith("DEFAULT_")) or "none"
            raise ValueError(
                f"'{vehicle}' has the type '{name}', which no given file defines (defined: {known}); "
                "give the file that defines it as an additional file"
            )
        return name


def choose(options: list[tuple[str, float]], key: str) -> str:
    """Return one of (name, weight) by a hash of ``key``: always the same one for the same key."""
    if not options:
        raise ValueError("names an empty distribution")
    total = sum(weight for _, weight in options)
    at = fraction(key) * total
    for name, weight in options:
        at -= weight
        if at < 0:
            return name
    return options[-1][0]


def seed_of(key: str) -> int:
    """Return a 64-bit number made from ``key``."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def fraction(key: str) -> float:
    """Return a number in [0, 1) made from ``key``."""
    return (seed_of(key) >> 11) / 2.0**53


def _read(a: dict[str, str]) -> dict[str, Any]:
    out: dict[str, Any] = {name: a[name] for name in _TEXTS if name in a}
    for name in _NUMBERS:
        if name in a:
            spread = _SPREAD.match(a[name])
            if spread:
                mean, dev = (float(v) for v in spread.group(1).split(",")[:2])
                out.update({name: mean, "speedDev": dev})
            else:
                out[name] = float(a[name])
    return out


def _complete(a: dict[str, str]) -> dict[str, Any]:
    v_class = a.get("vClass", "passenger")
    defaults = dict(zip(_NAMES, _DEFAULTS.get(v_class, _DEFAULTS["passenger"]), strict=True))
    return {"vClass": v_class, "speedFactor": 1.0, "tau": 1.0, **defaults, **_read(a)}
