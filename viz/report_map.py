"""The map of differences of a comparison: vehicles, speed, delay by road, with a switch that needs no script.

On paper all of them are printed, one after the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from geo.city import City
from viz.report_html import Child, Markup, join, tag
from viz.report_parts import number
from viz.report_roads import LEAST, Change, Pairs, changes
from viz.report_svg import Box, classes, frame, roads_map

WORSE = {"vehicles": 1, "speed": -1, "delay": 1}  # the sign drawn in red


def difference_map(pairs: Pairs, city: City, w: Mapping[str, str], what: str) -> list[Markup]:
    """Return the section; nothing where nothing is known. ``what`` tells sections of one page apart."""
    found = changes(pairs, city)
    if not found:
        return []
    if not any(c.clear.any() for c in found.values()):
        return [tag("h2", w["map"]), tag("p", w["map_nothing"])]
    box = frame(city, [c.shown for c in found.values()])
    group = "map-" + hashlib.blake2b(what.encode(), digest_size=6).hexdigest()
    first = next(name for name, c in found.items() if c.clear.any())
    picks: list[Child] = []
    for name in found:
        checked = "" if name == first else None
        picks.append(
            tag("input", type="radio", name_=group, id=f"{group}-{name}", class_=f"pick {name}", checked=checked)
        )
        picks.append(tag("label", w[f"map_{name}"], for_=f"{group}-{name}"))
    panes = [_pane(name, c, city, box, w) for name, c in found.items()]
    return [tag("h2", w["map"]), tag("div", *picks, *panes, class_="maps")]


def _pane(name: str, c: Change, city: City, box: Box, w: Mapping[str, str]) -> Markup:
    label = f"{w['map']}: {w[f'map_{name}']} ({w[f'unit_{name}']})"
    chart = roads_map(city, c.difference, c.shown, c.known, box, label, WORSE[name])
    source = w["map_recorded"] if c.recorded else w["map_detected"].format(roads=int(c.known.sum()))
    note = w[f"map_{name}_note"].format(
        n=c.pairs,
        more=int((c.clear & (c.difference > 0)).sum()),
        fewer=int((c.clear & (c.difference < 0)).sum()),
        source=source,
        clear=w["map_clear"] if c.pairs > 2 else w["map_few"].format(least=LEAST, unit=w[f"unit_{name}"]),
        what=w["map_schematic"] if city.schematic else "",
    )
    head = tag("p", f"{w[f'map_{name}']} ({w[f'unit_{name}']})", class_="pane-title small")
    return tag("figure", head, chart, _legend(name, c, w), tag("figcaption", note), class_=f"pane {name}")


def _legend(name: str, c: Change, w: Mapping[str, str]) -> Markup:
    """Return a swatch a class, in the unit: what more is, what less is, what is not clear, what is not known."""
    _, middle, high = classes(c.shown)
    digits = 0 if high >= 10 else 1
    a, b = number(middle, digits), number(high, digits)
    rows = []
    for sign in (1, -1):
        colour = "u" if sign == WORSE[name] else "d"
        mark = "+" if sign > 0 else "−"
        swatches = (
            tag("span", _swatch(f"{colour}{level}"), said)
            for level, said in ((1, f"{mark} ≤ {a}"), (2, f"{mark} {a}…{b}"), (3, f"{mark} > {b}"))
        )
        said = w[f"map_{name}_{'more' if sign > 0 else 'less'}"]
        rows.append(tag("div", tag("b", said), *swatches, w[f"unit_{name}"]))
    unknown = [] if c.known.all() else [tag("span", _swatch("r0"), w["map_unknown"])]
    rows.append(tag("div", tag("span", _swatch("rk"), w["map_pale"]), *unknown))
    return tag("div", join(rows), class_="legend small")


def _swatch(kind: str) -> Markup:
    line = tag("line", x1=1, x2=21, y1=4, y2=4, class_=f"road {kind}")
    return tag("svg", line, viewbox="0 0 22 8", width=22, height=8, class_="swatch", aria_hidden="true")
