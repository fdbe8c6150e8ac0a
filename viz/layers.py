"""What is drawn, from bottom to top, as pydeck layers; the page attaches the data.

Each entry is a :class:`pydeck.Layer` turned into JSON: type, colours, widths, what can be pointed at. Positions are
degrees from the centre of the map (deck.gl's LNGLAT_OFFSETS), which keeps 32-bit numbers precise. Functions of the
data (a road's colour at this moment) are set by ``map_view.js`` on the layer of that id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

#: what a colour means; used by layers, charts and the legend alike
PALETTE: dict[str, Any] = {
    "ground": [9, 12, 18],
    "water": [17, 43, 66],
    "water_edge": [42, 92, 128],
    "vehicle": {
        "car": [255, 186, 84],
        "through": [255, 122, 69],
        "freight": [233, 75, 122],
        "bus": [255, 241, 150],
        "given": [255, 186, 84],
        "shuttle": [196, 160, 255],
        "robot": [64, 224, 196],
        "sweeper": [150, 226, 92],
        "courier": [255, 140, 200],
        "responder": [255, 84, 84],
        "supply": [120, 190, 255],
        "obstacle": [214, 92, 72],
    },
    "state": {
        "parked": [120, 132, 156],
        "driving": [88, 190, 150],
        "serving": [120, 176, 255],
        "charging": [236, 214, 96],
        "halted": [255, 156, 66],
        "manual": [216, 140, 255],
        "broken": [255, 84, 84],
    },
    "series": {
        "placed": [150, 190, 240],
        "delivered": [64, 224, 196],
        "aboard": [196, 160, 255],
    },
    "swept": [150, 226, 92],
    "mode": {
        "walk": [112, 196, 170],
        "ebike": [98, 170, 220],
        "car": [255, 186, 84],
        "bus": [255, 241, 150],
        "autonomous_bus": [196, 160, 255],
        "passenger": [240, 150, 110],
    },
    "road": {
        "motorway": [126, 141, 168],
        "trunk": [116, 131, 158],
        "primary": [104, 119, 146],
        "secondary": [82, 96, 122],
        "tertiary": [64, 77, 101],
        "residential": [48, 59, 80],
        "living_street": [44, 54, 74],
        "service": [38, 47, 65],
        "track": [34, 42, 58],
        "path": [30, 37, 52],
        "rail": [70, 62, 84],
    },
    "block": {
        "village": [88, 78, 62],
        "housing": [62, 76, 98],
        "mixed": [78, 78, 100],
        "commerce": [96, 72, 98],
        "industry": [70, 66, 92],
        "logistics": [92, 70, 60],
        "office": [58, 84, 104],
        "school": [60, 92, 88],
        "public": [66, 90, 96],
        "construction": [104, 88, 48],
        "farm": [22, 34, 28],
    },
    "speed": [[214, 48, 70], [240, 112, 60], [247, 190, 80], [150, 205, 120], [60, 176, 140]],
    "change": [[64, 156, 255], [120, 140, 170], [255, 128, 64]],
    "select": [120, 255, 240],
    "alarm": [255, 92, 92],
}

#: class → (width in m, least width in px); what is drawn thinner than the least is still seen
ROAD_WIDTH: dict[str, tuple[float, float]] = {
    "motorway": (22, 1.9),
    "trunk": (20, 1.8),
    "primary": (18, 1.6),
    "secondary": (14, 1.1),
    "tertiary": (10, 0.7),
    "residential": (7, 0.4),
    "living_street": (6, 0.35),
    "service": (5, 0.3),
    "track": (4, 0.25),
    "path": (3, 0.2),
    "rail": (5, 0.6),
}

#: place kind → (shape of the badge, glyph, colour); glyph names are drawn by the page
ICONS: dict[str, tuple[str, str, list[int]]] = {
    "hospital": ("cross", "cross", [255, 110, 120]),
    "clinic": ("cross", "cross", [214, 130, 136]),
    "fire_station": ("triangle", "flame", [255, 120, 66]),
    "police_station": ("shield", "star", [92, 150, 255]),
    "school": ("pentagon", "book", [108, 214, 180]),
    "kindergarten": ("pentagon", "dot", [108, 190, 170]),
    "service_hall": ("hexagon", "hall", [255, 214, 110]),
    "service_point": ("hexagon", "dot", [222, 188, 104]),
    "company_station": ("hexagon", "bars", [188, 160, 255]),
    "logistics_park": ("square", "box", [240, 160, 96]),
    "industrial_park": ("square", "factory", [176, 150, 240]),
    "depot": ("square", "bus", [230, 220, 140]),
    "charging": ("square", "bolt", [130, 220, 120]),
    "bus_stop": ("round", "dot", [200, 196, 140]),
    "shop": ("circle", "bag", [226, 140, 190]),
    "market": ("circle", "bag", [236, 150, 200]),
    "park": ("circle", "tree", [110, 190, 110]),
    "landmark": ("diamond", "star", [255, 226, 150]),
    "community_centre": ("circle", "house", [150, 190, 220]),
    "construction_site": ("triangle", "crane", [240, 196, 84]),
    "water": ("drop", "dot", [96, 176, 230]),
    "gate": ("arrow", "none", [170, 184, 210]),
}

#: switches of the page: id → (layers it shows, on at first)
SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {
    "vehicles": (("trails", "movers"), True),
    "congestion": (("congestion",), False),
    "volume": (("volume",), False),
    "incidents": (("closed", "incidents"), True),
    "roads": (("roads",), True),
    "blocks": (("blocks",), True),
    "waters": (("waters",), True),
    "outlines": (("communities", "subdistricts"), True),
    "places": (("places",), True),
    "signals": (("signals",), False),
    "names": (("names",), True),
}

#: what a unit does → (shape, glyph): told by shape, because the colour tells the fleet
UNIT_SHAPES: dict[str, tuple[str, str]] = {
    "parked": ("round", "none"),
    "driving": ("chevron", "none"),
    "serving": ("square", "box"),
    "charging": ("circle", "bolt"),
    "halted": ("octagon", "bar"),
    "manual": ("diamond", "hand"),
    "broken": ("triangle", "cross_out"),
}

#: role of a place for a fleet → (shape, glyph, colour)
ROLE_ICONS: dict[str, tuple[str, str, list[int]]] = {
    "depot": ("square", "house", [240, 226, 190]),
    "charger": ("square", "bolt", [236, 214, 96]),
    "stop": ("circle", "bus", [196, 160, 255]),
    "tip": ("square", "bars", [180, 150, 120]),
    "water": ("drop", "dot", [96, 176, 230]),
}


def switches(fleets: Sequence[str] = (), places: bool = False, swept: bool = False) -> dict[str, Any]:
    """Return the switches of a page: those of every page, and those of the fleets that are in the run."""
    out = dict(SWITCHES)
    out |= {f"fleet_{fleet}": (("units",), True) for fleet in fleets}
    if places:
        out["fleet_places"] = (("roles",), True)
    if swept:
        out["swept"] = (("swept",), False)
    return out


def specs() -> list[dict[str, Any]]:
    """Return the layers from bottom to top as JSON objects (``@@type`` names the deck.gl class)."""
    from pydeck import Layer
    from pydeck.types import String  # a bare text would be taken for an expression over the data

    pixels = String("pixels")
    # Lines and vehicles are one mesh a layer, not one instance a piece: ten times quicker where the processor draws.
    flat = {"filled": True, "extruded": False}
    badge = {"size_units": pixels, "alpha_cutoff": 0.02}
    dot = {"radius_units": pixels}
    ring = {"stroked": True, "filled": False, "line_width_units": pixels, "get_line_width": 2.2}
    letters = {"sdf": True, "fontSize": 36, "buffer": 5, "radius": 9, "cutoff": 0.2}
    trail = {"cap_rounded": True, "joint_rounded": True, "fade_trail": True, "width_units": pixels}
    outline = {"outline_width": 4, "outline_color": [*PALETTE["ground"], 235], "size_units": pixels}
    layers = [
        Layer("SolidPolygonLayer", id="waters", get_fill_color=PALETTE["water"], **flat),
        Layer("SolidPolygonLayer", id="blocks", opacity=0.85, **flat),
        Layer("SolidPolygonLayer", id="communities", **flat),
        Layer("SolidPolygonLayer", id="subdistricts", **flat),
        Layer("SolidPolygonLayer", id="roads", **flat),
        Layer("SolidPolygonLayer", id="volume", **flat),
        Layer("SolidPolygonLayer", id="congestion", **flat),
        Layer("SolidPolygonLayer", id="swept", **flat),
        Layer("ScatterplotLayer", id="signals", get_fill_color=[140, 235, 190, 210], **dot),
        Layer("IconLayer", id="places", size_min_pixels=8, **badge),
        Layer("IconLayer", id="roles", size_min_pixels=8, **badge),
        Layer("TextLayer", id="names", font_settings=letters, **outline),
        Layer("SolidPolygonLayer", id="way", **flat),
        Layer(
            "ScatterplotLayer", id="selected", get_radius=13, get_line_color=[*PALETTE["select"], 255], **ring, **dot
        ),
        Layer("TripsLayer", id="trails", **trail),
        Layer("SolidPolygonLayer", id="movers", **flat),
        Layer("IconLayer", id="units", **badge),
        Layer("SolidPolygonLayer", id="closed", **flat),
        Layer("IconLayer", id="incidents", get_size=30, **badge),
    ]
    return [json.loads(layer.to_json()) for layer in layers]
