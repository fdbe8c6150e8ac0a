"""Which grade each junction has (F19): from the scenario, by name, subdistrict, or order of size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geo.city import City
from twin.errors import ScenarioError
from twin.scenario.junctions import Graded, Junctions
from twin.scenario.mistakes import did_you_mean, show_value
from twin.world.junctions.crossings import Crossings


def grades_of(part: Junctions, city: City, crossings: Crossings) -> dict[str, str]:
    """Return the grade of every traffic light of the network by name. ScenarioError: a name that is not there."""
    lanes: dict[str, set[tuple[str, int]]] = {}
    for link in crossings.links:
        if not link.walk:
            lanes.setdefault(link.tls, set()).add((link.from_edge, link.from_lane))
    names = sorted(lanes)
    out = dict.fromkeys(names, str(part.grade))
    named: set[str] = set()
    for i, item in enumerate(part.grades):
        chosen = _chosen(item, i, names, city, lanes, crossings, named)
        named.update(chosen)
        out.update(dict.fromkeys(chosen, str(item.grade)))
    return out


def subdistrict_of(city: City, crossings: Crossings) -> dict[str, str]:
    """Return the subdistrict of every traffic light; "" where the city does not tell."""
    if "subdistrict" not in city.junctions:
        return {}
    by_node = dict(zip(city.junctions["node"], city.junctions["subdistrict"], strict=True))
    return {link.tls: str(by_node.get(link.node) or "") for link in crossings.links}


def _chosen(
    item: Graded, i: int, names: list[str], city: City, lanes: Mapping[str, set[tuple[str, int]]],
    crossings: Crossings, named: set[str],
) -> list[str]:  # fmt: skip
    for name in item.junctions:
        if name not in lanes:
            raise ScenarioError(
                f"junctions.grades[{i}].junctions has {show_value(name)}, but {city.name} has no such signal"
                f"{did_you_mean(name, names)}"
            )
    found = list(item.junctions) or names
    if item.subdistricts:
        where = subdistrict_of(city, crossings)
        known = sorted({w for w in where.values() if w})
        for wanted in item.subdistricts:
            if wanted not in known:
                raise ScenarioError(
                    f"junctions.grades[{i}].subdistricts has {show_value(wanted)}; with signals in {city.name}:"
                    f" {', '.join(known) or 'none'}{did_you_mean(wanted, known)}"
                )
        found = [n for n in found if where.get(n) in item.subdistricts]
    if item.top is not None:
        size = {n: len(lanes[n]) for n in names} if item.by == "lanes" else buses_through(city, lanes)
        found = sorted((n for n in found if n not in named), key=lambda n: (-size.get(n, 0), n))[: item.top]
    return found


def buses_through(city: City, lanes: Mapping[str, set[tuple[str, int]]]) -> dict[str, int]:
    """Return the bus lines that lead through each traffic light, as a number."""
    from twin.world.traffic.bus_lines import BusLines

    tls_of: dict[int, set[str]] = {}
    for name, approach in lanes.items():
        for edge, _ in approach:
            if edge in city.road_index:
                tls_of.setdefault(city.road_index[edge], set()).add(name)
    count: dict[str, int] = {}
    if len(city.bus_lines) == 0:
        return count
    for line in BusLines(city).lines:
        through = {name for road in np.asarray(line.roads).tolist() for name in tls_of.get(int(road), ())}
        for name in through:
            count[name] = count.get(name, 0) + 1
    return count
