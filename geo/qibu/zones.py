"""Where towns are: the new towns in coordinates along and across Huanghe Avenue, the old towns around a centre.

``s`` runs along the avenue from its western end, ``t`` across it (positive to the north-west, away from the
river). Streets of the new towns are lines of constant ``s`` or ``t``, so they bend with the avenue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from geo.qibu.tables import Floats, anchors, metres, read_csv, rng, smooth


@dataclass(frozen=True)
class Zone:
    """A part of the new town: a rectangle in (s, t), metres, with its typical street spacing."""

    name: str
    s_m: tuple[float, float]
    t_m: tuple[float, float]
    spacing_m: tuple[float, float]
    use: str


# The share of each use is set in blocks.py. Zones touch, so that streets run on from one to the next.
ZONES = (
    Zone("daqiao", (1500.0, 6800.0), (-1700.0, 2100.0), (340.0, 400.0), "centre"),
    Zone("balcony", (6800.0, 11200.0), (-1700.0, 1250.0), (370.0, 430.0), "cbd"),
    Zone("cuizhai", (11200.0, 16400.0), (-1700.0, 2100.0), (340.0, 400.0), "centre"),
    Zone("zhongke", (8000.0, 11200.0), (1250.0, 2900.0), (420.0, 480.0), "office"),
    Zone("logistics", (12600.0, 15400.0), (2100.0, 4700.0), (470.0, 540.0), "logistics"),
    Zone("standard", (3300.0, 6800.0), (2100.0, 4000.0), (460.0, 520.0), "industry"),
)


@dataclass(frozen=True)
class Spine:
    """Huanghe Avenue as a curve with coordinates along (s) and across (t) it."""

    line: LineString
    xy: Floats
    normal: Floats
    along_m: Floats

    @classmethod
    def from_anchors(cls) -> Spine:
        """Read the curve from the anchors."""
        line = smooth(metres(anchors()["spine"]), 50.0)
        xy = shapely.get_coordinates(line)
        tangent = np.gradient(xy, axis=0)
        # one direction over about a kilometre, else streets far from the avenue would fan and cross
        wide = np.column_stack(
            [np.convolve(np.pad(tangent[:, k], 12, "edge"), np.ones(25) / 25, "valid") for k in (0, 1)]
        )
        normal = np.column_stack([-wide[:, 1], wide[:, 0]]) / np.hypot(wide[:, 0], wide[:, 1])[:, None]
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        return cls(line, xy, normal, along)

    def to_xy(self, s_m: Floats, t_m: Floats) -> Floats:
        """(s, t) → metres, array (n, 2); beyond the ends the avenue goes straight on."""
        s, t = np.broadcast_arrays(np.asarray(s_m, float), np.asarray(t_m, float))
        inside = np.clip(s, 0.0, self.along_m[-1])
        p = np.column_stack([np.interp(inside, self.along_m, self.xy[:, k]) for k in (0, 1)])
        n = np.column_stack([np.interp(inside, self.along_m, self.normal[:, k]) for k in (0, 1)])
        n /= np.hypot(n[:, 0], n[:, 1])[:, None]
        along = np.column_stack([n[:, 1], -n[:, 0]])
        p = p + n * t[:, None] + along * (s - inside)[:, None]
        out: Floats = p + _warp(p) * np.clip(np.abs(t) / 600.0, 0.0, 1.0)[:, None]  # the avenue itself stays
        return out

    def new_town(self) -> BaseGeometry:
        """Return the area of all new-town zones."""
        return shapely.union_all([self.area(z) for z in ZONES]).buffer(30.0).buffer(-30.0)

    def area(self, zone: Zone) -> Polygon:
        """Return the area of one zone."""
        s = np.linspace(*zone.s_m, 40)
        t = np.linspace(*zone.t_m, 20)
        ring = [
            self.to_xy(s, np.full(40, zone.t_m[0])),
            self.to_xy(np.full(20, zone.s_m[1]), t),
            self.to_xy(s[::-1], np.full(40, zone.t_m[1])),
            self.to_xy(np.full(20, zone.s_m[0]), t[::-1]),
        ]
        return Polygon(np.vstack(ring)).buffer(0)


def _warp(p: Floats) -> Floats:
    """Return a gentle, smooth shift of up to about 90 m that takes the ruler out of the new towns."""
    draw = rng("warp")
    out = np.zeros_like(p)
    for wave_m, size_m in ((5200.0, 70.0), (2900.0, 38.0), (1700.0, 16.0)):
        for k in (0, 1):
            a, b = draw.uniform(0, 2 * np.pi, 2)
            angle = draw.uniform(0, np.pi)
            along = p @ np.array([np.cos(angle), np.sin(angle)])
            out[:, k] += (
                size_m * np.sin(2 * np.pi * along / wave_m + a) * np.cos(2 * np.pi * along / (wave_m * 2.3) + b)
            )
    return out


def town_zone(subdistrict: str) -> Polygon:
    """Return the old town of Sungeng or Taiping (an uneven disc of about 1.1 km radius around its centre)."""
    centre = metres(anchors()["centres"][subdistrict])
    draw = rng("town", subdistrict)
    a = np.linspace(0.0, 2 * np.pi, 36, endpoint=False)
    r = 1150.0 * (1.0 + 0.12 * np.sin(2 * a + draw.uniform(0, 6)) + 0.08 * np.sin(3 * a + draw.uniform(0, 6)))
    return Polygon(centre + r[:, None] * np.column_stack([np.cos(a), np.sin(a)]))


def named_places(spine: Spine) -> list[tuple[str, str, str, float, float]]:
    """Return kind, name, name_en, x_m, y_m of ``places.csv`` (given in km, or in km along and across the avenue)."""
    t = read_csv("places.csv")
    at = t[["a", "b"]].to_numpy(np.float64) * 1000.0
    bent = (t["frame"] == "st").to_numpy()
    at[bent] = spine.to_xy(at[bent, 0], at[bent, 1])
    at = np.round(at, 1)
    return list(zip(t["kind"], t["name"], t["name_en"], at[:, 0].tolist(), at[:, 1].tolist(), strict=True))
