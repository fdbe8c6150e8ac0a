"""What OpenStreetMap tags mean for a city: kinds of buildings, land, waters, places and settlements.

Tags as documented in the OpenStreetMap wiki (Key:building, Key:landuse, Key:amenity, Key:place).
"""

from __future__ import annotations

from collections.abc import Mapping

Tags = Mapping[str, str]


def _each(values: str, kind: str) -> dict[str, str]:
    """Give the same kind to each of several values of a tag."""
    return dict.fromkeys(values.split(), kind)


_HOMES = (
    "house detached residential apartments terrace semidetached_house semi bungalow dormitory farm cabin ger "
    "static_caravan houseboat stilt_house allotment_house"
)
_BUILDINGS = {
    **_each(_HOMES, "housing"),
    **_each(
        "commercial office bank",
        "office",
    ),
    **_each(
        "retail supermarket kiosk shop hotel mall",
        "commerce",
    ),
    **_each(
        "industrial manufacture factory",
        "industry",
    ),
    **_each(
        "warehouse storage",
        "logistics",
    ),
    **_each(
        "school kindergarten college university",
        "school",
    ),
    **_each(
        "hospital public civic government train_station fire_station transportation church mosque temple "
        "cathedral chapel synagogue shrine museum townhall sports_hall sports_centre stadium clinic "
        "police library",
        "public",
    ),
    **_each(
        "garage garages carport shed hut roof greenhouse ruins service barn cowshed stable sty "
        "farm_auxiliary transformer_tower construction toilets bunker container tent tower silo "
        "storage_tank pavilion no",
        "-",
    ),
}
_AMENITY_BUILDINGS = {
    **_each(
        "school kindergarten college university",
        "school",
    ),
    **_each(
        "hospital clinic townhall fire_station police community_centre library place_of_worship theatre "
        "public_building social_facility courthouse",
        "public",
    ),
    **_each(
        "restaurant fast_food cafe bar pub bank pharmacy",
        "mixed",
    ),
    "marketplace": "commerce",
}
_USES = {
    "residential": "housing",
    "commercial": "office",
    "industrial": "industry",
    "retail": "commerce",
    "construction": "construction",
    "farmyard": "farm",
    "education": "school",
    "institutional": "public",
}
_PLACES = {
    "school": "school",
    "kindergarten": "kindergarten",
    "hospital": "hospital",
    "clinic": "clinic",
    "doctors": "clinic",
    "marketplace": "market",
    "townhall": "service_hall",
    "community_centre": "community_centre",
    "fire_station": "fire_station",
    "police": "police_station",
    "charging_station": "charging",
}
_WATERS = {"river": "river", "stream": "river", "reservoir": "reservoir", "canal": "canal", "pond": "pond"}
#: rivers drawn as lines are this wide unless they say so, m
_WIDTH_M = {"river": 15.0, "canal": 10.0}
_SETTLEMENTS = {
    "village": "village",
    "hamlet": "village",
    "town": "town",
    "suburb": "town",
    "quarter": "town",
    "neighbourhood": "town",
}
#: values of highway that cars drive on
CAR_ROADS = frozenset(
    f"{kind}{link}" for kind in ("motorway", "trunk", "primary", "secondary", "tertiary") for link in ("", "_link")
) | {"unclassified", "residential", "living_street", "service", "road"}


def building(tags: Tags) -> tuple[str, int, int, int] | None:
    """Return kind, storeys, shops and school places of a building (as in ``Land.buildings``), None if it is none."""
    value = tags.get("building")
    if value is None or value == "no":
        return None
    kind = _BUILDINGS.get(value, "")
    shop = "shop" in tags and tags["shop"] not in ("no", "vacant")
    if kind in ("", "public"):
        kind = _AMENITY_BUILDINGS.get(tags.get("amenity", ""), kind)
    if kind == "" and shop:
        kind = "commerce" if tags["shop"] in ("supermarket", "mall", "department_store", "doityourself") else "mixed"
    if kind == "" and "office" in tags:
        kind = "office"
    return kind, _number(tags.get("building:levels", "")), int(shop), _number(tags.get("capacity:pupils", ""), -1)


def _number(text: str, otherwise: int = 0) -> int:
    try:
        return max(0, round(float(text.replace(",", ".").split(";")[0])))
    except ValueError:
        return otherwise


def use(tags: Tags) -> str | None:
    """Return the kind of block that an area of land is used for, None if nobody lives or works there."""
    if tags.get("landuse") in _USES:
        return _USES[tags["landuse"]]
    if "building" in tags:
        return None
    return {"school": "school", "college": "school", "university": "school", "hospital": "public"}.get(
        tags.get("amenity", "")
    )


def water(tags: Tags) -> str | None:
    """Return the kind of a water area."""
    if tags.get("natural") == "water":
        return _WATERS.get(tags.get("water", ""), "lake")
    if tags.get("waterway") == "riverbank":
        return "river"
    if tags.get("landuse") in ("reservoir", "basin"):
        return "reservoir" if tags["landuse"] == "reservoir" else "pond"
    return None


def stream(tags: Tags) -> tuple[str, float] | None:
    """Return kind and width in metres of a river or canal drawn as a line."""
    kind = tags.get("waterway", "")
    if kind not in _WIDTH_M or tags.get("tunnel", "no") != "no":
        return None
    return kind, float(_number(tags.get("width", ""))) or _WIDTH_M[kind]


def place(tags: Tags) -> str | None:
    """Return the kind of place (one of PLACE_KINDS) that a thing is."""
    named = "name" in tags
    sight = tags.get("tourism") in ("attraction", "museum")
    sight |= tags.get("historic") in ("castle", "monument", "monastery") or tags.get("railway") == "station"
    of = {
        _PLACES.get(tags.get("amenity", "")): True,
        "shop": tags.get("shop", "no") not in ("no", "vacant"),
        "park": named and tags.get("leisure") == "park",
        "construction_site": tags.get("landuse") == "construction",
        "industrial_park": named and tags.get("landuse") == "industrial",
        "landmark": named and (sight or tags.get("amenity") == "bus_station"),
    }
    return next((kind for kind, true in of.items() if kind and true), None)


def settlement(tags: Tags) -> str | None:
    """Return village or town for a named settlement or part of one."""
    return _SETTLEMENTS.get(tags.get("place", "")) if "name" in tags else None


def names(tags: Tags) -> tuple[str, str]:
    """Return the name and the English name ("" where there is none)."""
    name = tags.get("name", "")
    return name, tags.get("name:en") or name
