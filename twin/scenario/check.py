"""Checks that need the city: the places and roads a scenario names exist, and its control can be loaded.

Only names and counts are read, so that ``twin validate`` answers at once; ``twin run`` makes the same checks.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import ScenarioError
from twin.remote import check_address, is_address
from twin.scenario.interventions import ChargerFails, CloseRoad, DepotClosed, Event, Obstacle, SpeedLimit
from twin.scenario.mistakes import ScenarioProblems, did_you_mean, show_path, show_value
from twin.scenario.model import Scenario
from twin.scenario.policies import SHIPPED, policy_factory
from twin.scenario.supervision import subdistrict_names
from twin.scenario.systems import systems_on
from twin.scenario.yaml_file import KeyPath

if TYPE_CHECKING:
    from geo.city import City


_COMMUNITY = ("community", "name", "name_en", "kind", "residents")


@dataclass(frozen=True)
class CityNames:
    """What can be named in a city, without its geometry: columns of its roads and places, and its bounds."""

    name: str
    edge: list[str]
    road: list[str]
    road_en: list[str]
    lanes: list[int]
    place: list[str]
    place_name: list[str]
    place_en: list[str]
    homes: float
    given: bool
    bounds: tuple[float, float, float, float]  # lon, lat, lon, lat in degrees
    bus_lines: list[str]
    subdistrict: list[str]  # all names they go by
    communities: Mapping[str, list[Any]]  # columns community, name, name_en, kind, residents
    place_community: list[str]  # the id of the community that each place lies in

    @classmethod
    def of(cls, city: City) -> CityNames:
        """Take the names from a city in memory."""
        roads, places = city.roads, city.places
        x0, y0, x1, y1 = roads.total_bounds
        lon, lat = city.to_wgs84([x0, x0, x1, x1], [y0, y1, y0, y1])
        return cls(
            city.name,
            roads["edge"].tolist(),
            roads["name"].tolist(),
            roads["name_en"].tolist(),
            roads["lanes"].tolist(),
            places["place"].tolist(),
            places["name"].tolist(),
            places["name_en"].tolist(),
            float(city.blocks["residents"].sum()),
            _has_given(city.net_file.parent),
            (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())),
            city.bus_lines["line"].astype(str).tolist(),
            list(subdistrict_names(_rows(city.subdistricts.to_dict("list")))),
            {c: city.communities[c].tolist() for c in _COMMUNITY},
            places["community"].tolist(),
        )

    @classmethod
    def read(cls, folder: str | Path) -> CityNames:
        """Read the names from a city folder, in a fraction of the time that loading the city takes."""
        import pyarrow.parquet as pq
        from pyproj import Transformer

        path = Path(folder)
        try:
            meta = json.loads((path / "city.json").read_text(encoding="utf-8"))
            roads = pq.read_table(path / "roads.parquet", columns=["edge", "name", "name_en", "lanes"]).to_pydict()
            places = pq.read_table(
                path / "places.parquet", columns=["place", "name", "name_en", "community"]
            ).to_pydict()
            parts = pq.read_table(path / "subdistricts.parquet", columns=["subdistrict", "name", "name_en"]).to_pydict()
            communities = pq.read_table(path / "communities.parquet", columns=list(_COMMUNITY)).to_pydict()
            lines = pq.read_table(path / "bus_lines.parquet", columns=["line"])["line"].to_pylist()
            homes = pq.read_table(path / "blocks.parquet", columns=["residents"])["residents"].to_numpy().sum()
            geo = json.loads(pq.read_schema(path / "roads.parquet").metadata[b"geo"])
            x0, y0, x1, y1 = geo["columns"]["geometry"]["bbox"]
            to_wgs84 = Transformer.from_crs(meta["crs"], "EPSG:4326", always_xy=True)
            lon, lat = to_wgs84.transform([x0, x0, x1, x1], [y0, y1, y0, y1])
        except Exception as error:
            raise ScenarioError(
                f"{path}: is not a city folder that can be read ({type(error).__name__}: {error}); "
                "make one with 'twin city build'"
            ) from None
        return cls(
            meta["origin"]["name"],
            roads["edge"],
            roads["name"],
            roads["name_en"],
            roads["lanes"],
            places["place"],
            places["name"],
            places["name_en"],
            float(homes),
            _has_given(path),
            (min(lon), min(lat), max(lon), max(lat)),
            [str(line) for line in lines],
            list(subdistrict_names(_rows(parts))),
            communities,
            places["community"],
        )

    def roads_named(self, name: str) -> list[int]:
        """Return the road indices of an edge id, or of all edges of that name (either language), as City does."""
        if name in self.edge:
            return [self.edge.index(name)]
        return [i for i, pair in enumerate(zip(self.road, self.road_en, strict=True)) if name in pair]

    def place_named(self, name: str) -> int:
        """Return the row of a place by id, name or English name; -1 if there is none."""
        for column in (self.place, self.place_name, self.place_en):
            if name in column:
                return column.index(name)
        return -1

    def communities_named(self) -> dict[str, str]:
        """Return the id of a community by its id, its names and the names of places in it; the former count more."""
        out: dict[str, str] = {}
        c = self.communities
        places = ((names, self.place_community) for names in (self.place_name, self.place_en))
        own = ((c[column], c["community"]) for column in ("name", "name_en", "community"))
        for names, ids in (*places, *own):
            out.update({str(n): str(i) for n, i in zip(names, ids, strict=True) if n and i})
        return out

    def translator(self, lang: str) -> Callable[[str], str]:
        """Return a function from any name of a road or place to its name in ``lang``; unknown names stay."""
        pairs = [*zip(self.road, self.road_en, strict=True), *zip(self.place_name, self.place_en, strict=True)]
        table = {a: b for a, b in pairs if a and b} if lang == "en" else {b: a for a, b in pairs if a and b}
        return lambda name: str(table.get(name, name))


def _rows(table: Mapping[str, Sequence[object]]) -> list[tuple[str, str, str]]:
    """Return (id, name, English name) of subdistricts."""
    columns = (map(str, table[c]) for c in ("subdistrict", "name", "name_en"))
    return list(zip(*columns, strict=True))


def _has_given(folder: Path) -> bool:
    return (folder / "given_routes.parquet").is_file()


def needs_city(scenario: Scenario) -> bool:
    """Say whether a scenario names anything that only its city can confirm (the shipped district has homes)."""
    kinds = CloseRoad | SpeedLimit | Event | Obstacle | ChargerFails | DepotClosed
    named = (
        any(isinstance(v, kinds) for v in scenario.interventions) or scenario.has_fleets or any(systems_on(scenario))
    )
    return named or scenario.zoom is not None or scenario.city.template is None


def check_against_city(scenario: Scenario, city: City | CityNames) -> None:
    """Check every name in a scenario against the city. Raises ScenarioProblems with all mistakes."""
    names = city if isinstance(city, CityNames) else CityNames.of(city)
    found: list[str] = []

    def wrong(path: KeyPath, text: str) -> None:
        found.append(f"{scenario.mark(path)}: {show_path(path)} {text}")

    for i, v in enumerate(scenario.interventions):
        here: KeyPath = ("interventions", i)
        if isinstance(v, CloseRoad | SpeedLimit | Obstacle):
            _check_road(v, here, names, wrong)
        if isinstance(v, Event | ChargerFails | DepotClosed):
            _check_place(v.place, (*here, "place"), names, wrong)
    _check_fleets(scenario, names, wrong)
    _check_areas(scenario, names, wrong)
    for _, module in systems_on(scenario):
        module.check(scenario, names, wrong)
    zoom = scenario.zoom
    if zoom is not None and zoom.place is not None:
        _check_place(zoom.place, ("zoom", "place"), names, wrong)
    if zoom is not None and zoom.lon is not None and zoom.lat is not None:
        west, south, east, north = names.bounds
        if not (west <= zoom.lon <= east and south <= zoom.lat <= north):
            wrong(
                ("zoom",),
                f"is centred on {zoom.lon:g}, {zoom.lat:g}, outside {names.name} "
                f"(longitude {west:.3f} to {east:.3f}, latitude {south:.3f} to {north:.3f})",
            )
    if scenario.people is not None and names.homes <= 0:
        wrong(("people",), f"cannot live in {names.name}: the city has no homes; write 'people: null'")
    if scenario.traffic.given and not names.given:
        wrong(("traffic", "given"), f"is true, but {names.name} was built without route files (--routes)")
    if found:
        raise ScenarioProblems(found)


def _check_fleets(scenario: Scenario, names: CityNames, wrong: Any) -> None:
    """Check the places that fleets start from, and the line that buses serve."""
    if scenario.bus is not None and scenario.bus.line not in names.bus_lines:
        known = sorted(set(names.bus_lines))
        shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        text = f"is {show_value(scenario.bus.line)}, but {names.name} has no such bus line; it has {shown or 'none'}"
        wrong(("bus", "line"), text + did_you_mean(scenario.bus.line, known))
    for system in ("bus", "sanitation"):
        part = getattr(scenario, system)
        if part is not None:
            _check_place(part.depot, (system, "depot"), names, wrong)
    if scenario.delivery is not None:
        for key in ("depots", "area"):
            for i, name in enumerate(getattr(scenario.delivery, key)):
                _check_place(name, ("delivery", key, i), names, wrong)


def _check_areas(scenario: Scenario, names: CityNames, wrong: Any) -> None:
    """Check the areas of permits: subdistricts, roads and places."""
    if scenario.supervision is None:
        return
    for i, permit in enumerate(scenario.supervision.permits):
        for k, name in enumerate(permit.area):
            if name in names.subdistrict or names.roads_named(name) or names.place_named(name) >= 0:
                continue
            known = [*names.subdistrict, *names.road, *names.road_en, *names.place_name, *names.place_en, *names.place]
            hint = did_you_mean(name, [str(n) for n in dict.fromkeys(known) if n])
            text = f"is {show_value(name)}, but {names.name} has no such subdistrict, road or place{hint}"
            wrong(("supervision", "permits", i, "area", k), text)


def _check_road(v: CloseRoad | SpeedLimit | Obstacle, here: KeyPath, names: CityNames, wrong: Any) -> None:
    rows = names.roads_named(v.road)
    if not rows:
        known = [str(n) for n in dict.fromkeys([*names.road, *names.road_en]) if n]
        meant = did_you_mean(v.road, known) or did_you_mean(v.road, names.edge)
        wrong((*here, "road"), f"is {show_value(v.road)}, but {names.name} has no such road{meant}")
    elif isinstance(v, CloseRoad) and v.lanes != "all":
        most = max(names.lanes[i] for i in rows)
        for n, lane in enumerate(v.lanes):
            if int(lane) >= most:
                wrong((*here, "lanes", n), f"is {lane}; {v.road} has lanes 0 to {most - 1}")
    elif isinstance(v, Obstacle) and v.lane >= (most := max(names.lanes[i] for i in rows)):
        wrong((*here, "lane"), f"is {v.lane}; {v.road} has lanes 0 to {most - 1}")
    if v.near is not None:
        _check_place(v.near, (*here, "near"), names, wrong)


def _check_place(name: str, path: KeyPath, names: CityNames, wrong: Any) -> None:
    if names.place_named(name) < 0:
        known = [str(n) for n in dict.fromkeys([*names.place_name, *names.place_en, *names.place]) if n]
        wrong(path, f"is {show_value(name)}, but {names.name} has no such place{did_you_mean(name, known)}")


# -- control -----------------------------------------------------------------------------------------


def load_factory(factory: Any, what: str = "control") -> Any:
    """Return the class that "package.module:Class" names. Raises ScenarioError in one sentence."""
    if not isinstance(factory, str):
        return factory
    if is_address(factory):
        check_address(factory)
        return factory
    module, _, name = factory.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ScenarioError(
            f"{what} is \"{factory}\", but the module '{module}' cannot be imported: {reason}"
        ) from None
    for part in name.split("."):
        if not hasattr(found, part):
            known = [n for n in dir(found) if not n.startswith("_")]
            raise ScenarioError(f"{what} is \"{factory}\", but '{module}' has no '{part}'{did_you_mean(part, known)}")
        found = getattr(found, part)
    if not callable(found):
        raise ScenarioError(f'{what} is "{factory}", which is no class or function')
    return found


def check_control(scenario: Scenario) -> None:
    """Check that every controller can be imported. Raises ScenarioProblems with all mistakes."""
    found = []
    for name, factory in scenario.control.factories().items():
        path: KeyPath = ("control", name)
        try:
            load_factory(factory, show_path(path))
        except ScenarioError as error:
            found.append(f"{scenario.mark(path)}: {error}")
    for name in SHIPPED:
        part = getattr(scenario, name)
        for what, spec in (("desk", part.desk), ("policy", part.policy)) if part is not None else ():
            at: KeyPath = (name, what)
            try:
                if what == "policy":
                    policy_factory(name, spec)
                elif spec is not None:
                    load_factory(spec, show_path(at))
            except ScenarioError as error:
                found.append(f"{scenario.mark(at)}: {error}")
    if found:
        raise ScenarioProblems(found)
