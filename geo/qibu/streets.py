"""Streets as drawn: main roads from the table, bent superblocks in the new towns, streets of the old towns.

Each setting has its own way of growing, which is what makes a village look unlike a new town: new towns are
lines of constant (s, t) at 350-500 m with gaps; villages are small skewed lattices of short lanes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString

from geo.qibu.country import country_roads, village_lanes
from geo.qibu.interchanges import ramps
from geo.qibu.land import Land
from geo.qibu.tables import Floats, anchors, metres, rng, roads_table, smooth
from geo.qibu.ways import Way, clear_of, cut_by, runs
from geo.qibu.zones import ZONES, Spine, town_zone

_AVENUES_S = (3300.0, 6800.0, 11200.0, 16400.0)  # the main roads that cross Huanghe Avenue (arterials.json)


def draw_ways(land: Land) -> list[Way]:
    """Return every street of the district as drawn, in a fixed order."""
    main = arterials(land)
    slip = ramps(main)
    taken = [w.line for w in main]
    lakes = land.still_water.buffer(25.0)
    new_town = cut_by(clear_of(new_town_streets(land.spine), taken, 90.0), lakes)
    taken += [w.line for w in new_town]
    towns = [w for s in ("sungeng", "taiping") for w in clear_of(town_streets(s), taken, 60.0)]
    taken += [w.line for w in towns]
    lanes, doors = village_lanes(land, [*taken, *(w.line for w in slip)])
    country = country_roads(land, main, new_town + towns, doors)
    surface = [w.line for w in [*main, *new_town, *towns] if not w.deck]  # expressways are passed under
    country = cut_by(clear_of(country, surface, 70.0), lakes)
    return [*main, *slip, *new_town, *towns, *country, *lanes]


def arterials(land: Land) -> list[Way]:
    """Return the hand-set main roads and the levee road."""
    out = []
    for row in roads_table()["roads"]:
        if row["points"] == "spine":
            line = land.spine.line
        else:
            line = smooth(np.vstack([_point(p, land.spine) for p in row["points"]]), 80.0)
        out.append(Way(row["class"], line, "arterial", row["lanes"], row["km_h"], row["name"], row["name_en"]))
    levee = roads_table()["levee"]
    river = smooth(metres(anchors()["river"]), 120.0)
    bank = river.simplify(25.0).offset_curve(levee["offset_m"])  # left of the flow = the northern bank
    bank = max(shapely.get_parts(bank.intersection(land.outline.buffer(-60.0))), key=lambda p: p.length)
    bank = smooth(shapely.get_coordinates(shapely.segmentize(bank.simplify(40.0), 900.0)), 80.0)
    out.append(Way(levee["class"], bank, "arterial", levee["lanes"], levee["km_h"], levee["name"], levee["name_en"]))
    return out


def _point(p: Any, spine: Spine) -> Floats:
    if isinstance(p, dict):
        s, t = metres(p["st"])
        return spine.to_xy(np.array([s]), np.array([t]))
    return metres(p)[None, :]


# -- new towns -------------------------------------------------------------------------------------------


def _ruler(stops: tuple[float, ...], spacing: tuple[float, float], purpose: str) -> Floats:
    """Positions from the first to the last of ``stops``, all of them included, unevenly spaced between."""
    draw = rng("ruler", purpose)
    out = [stops[0]]
    for a, b in pairwise(stops):
        n = max(round((b - a) / np.mean(spacing)), 1)
        step = draw.uniform(0.82, 1.18, n)
        out += list(a + np.cumsum(step) / step.sum() * (b - a))
    return np.asarray(out)


def new_town_streets(spine: Spine) -> list[Way]:
    """Streets along and across the avenue, in each zone, with cells left out so that blocks differ."""
    s_all = _ruler((1500.0, *_AVENUES_S), (360.0, 410.0), "s")
    t_all = np.unique(
        np.concatenate(
            [
                _ruler((-1700.0, 0.0), (350.0, 400.0), "t-"),
                _ruler((0.0, 1250.0, 2100.0, 2900.0, 4000.0, 4700.0), (350.0, 400.0), "t+"),
            ]
        )
    )
    out: list[Way] = []
    for zone in ZONES:
        draw = rng("new_town", zone.name)
        coarse = zone.use in ("logistics", "industry", "office")
        s = s_all[(s_all >= zone.s_m[0] - 1) & (s_all <= zone.s_m[1] + 1)]
        t = t_all[(t_all >= zone.t_m[0] - 1) & (t_all <= zone.t_m[1] + 1)]
        for lines, cross, along in ((s, t, False), (t, s, True)):
            for k, at in enumerate(lines):
                if along and k == 0 and zone.t_m[0] > 0.0:
                    continue  # the zone towards the avenue has drawn the street between the two
                if (along and abs(at) < 1.0) or (not along and any(abs(at - a) < 1.0 for a in _AVENUES_S)):
                    continue  # the avenue and the main roads are in the table
                edge = k in (0, len(lines) - 1)
                big = k % 3 == 0 or (edge and not coarse)
                keep = (
                    np.ones(len(cross) - 1, bool)
                    if big or edge
                    else draw.random(len(cross) - 1) > (0.3 if coarse else 0.17)
                )
                for a, b in runs(keep):
                    where = np.linspace(cross[a], cross[b], max(int((cross[b] - cross[a]) / 60.0), 2))
                    xy = (
                        spine.to_xy(where, np.full(where.size, at))
                        if along
                        else spine.to_xy(np.full(where.size, at), where)
                    )
                    road_class = "secondary" if big else "tertiary"
                    out.append(
                        Way(
                            road_class,
                            LineString(np.round(xy, 2)),
                            "new_town",
                            2 if big else 1,
                            50.0 if big else 40.0,
                            *_street_name(zone.name, k, along),
                        )
                    )
    return out


_NUMERAL = "零一二三四五六七八九十"
_ZONE_NAMES = {
    "daqiao": ("大桥", "Daqiao"),
    "balcony": ("黄河", "Huanghe"),
    "cuizhai": ("崔寨", "Cuizhai"),
    "zhongke": ("中科", "Zhongke"),
    "logistics": ("物流", "Logistics"),
    "standard": ("招商", "Investment"),
}


def _street_name(zone: str, k: int, along: bool) -> tuple[str, str]:
    cn, en = _ZONE_NAMES[zone]
    number = _NUMERAL[k] if k <= 10 else ("十" if k < 20 else "二十") + (_NUMERAL[k % 10] if k % 10 else "")
    return f"{cn}{number}{'街' if along else '路'}", f"{en} {'Street' if along else 'Road'} {k}"


# -- old towns -------------------------------------------------------------------------------------------


def town_streets(subdistrict: str) -> list[Way]:
    """Streets of an old town: an uneven, turned lattice inside the town's outline."""
    zone = town_zone(subdistrict)
    centre = metres(anchors()["centres"][subdistrict])
    draw = rng("town streets", subdistrict)
    turn = draw.uniform(-0.16, 0.16)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    cn, en = {"sungeng": ("孙耿", "Sungeng"), "taiping": ("太平", "Taiping")}[subdistrict]
    out = []
    for k, (axis, across) in enumerate(((axes[0], axes[1]), (axes[1], axes[0]))):
        offsets = np.concatenate([-np.cumsum(draw.uniform(170, 300, 4))[::-1], np.cumsum(draw.uniform(170, 300, 4))])
        for j, off in enumerate(offsets):
            at = np.linspace(-1300, 1300, 14)
            bend = draw.normal(0, 22.0, at.size)
            line = smooth(centre + at[:, None] * axis + (off + bend)[:, None] * across, 50.0)
            main = j in (2, 5)
            parts = [p for p in shapely.get_parts(line.intersection(zone)) if p.length > 350.0]
            name = f"{cn}{_NUMERAL[j + 1]}{'街路'[k]}", f"{en} {('Street', 'Road')[k]} {j + 1}"
            look = ("tertiary", 40.0) if main else ("residential", 30.0)
            out += [Way(look[0], part, "town", 1, look[1], *name) for part in parts]
    return out
