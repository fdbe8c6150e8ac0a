"""Cities from OpenStreetMap: a small made-up town, with more or less of it mapped, and the shared extracts."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pytest
import shapely

from geo import osm_tags
from geo.city import BLOCK_KINDS, PLACE_KINDS, City
from geo.errors import CityError
from geo.osm import city_from_osm
from geo.osm_read import land_of, read_osm

#: degrees per metre near the made-up town (36.7° N)
LON, LAT = 1 / 89_300, 1 / 110_970


class Town:
    """Writes OpenStreetMap XML in metres around 117.0° E, 36.7° N."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.ways: list[str] = []
        self.relations: list[str] = []
        self.at: dict[tuple[float, float], int] = {}

    def node(self, x: float, y: float, **tags: str) -> int:
        if (x, y) not in self.at or tags:
            number = len(self.nodes) + 1
            self.at.setdefault((x, y), number)
            place = f'lon="{117 + x * LON:.7f}" lat="{36.7 + y * LAT:.7f}"'
            self.nodes.append(f'<node id="{number}" {place}>{self._tags(tags)}</node>')
            return number
        return self.at[(x, y)]

    def way(self, *points: tuple[float, float], **tags: str) -> int:
        number = 1000 + len(self.ways)
        refs = "".join(f'<nd ref="{self.node(x, y)}"/>' for x, y in points)
        self.ways.append(f'<way id="{number}">{refs}{self._tags(tags)}</way>')
        return number

    def box(self, x: float, y: float, w: float, h: float, **tags: str) -> int:
        return self.way((x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y), **tags)

    def relation(self, members: list[tuple[str, int, str]], **tags: str) -> None:
        inside = "".join(f'<member type="{t}" ref="{r}" role="{role}"/>' for t, r, role in members)
        self.relations.append(f'<relation id="{len(self.relations) + 1}">{inside}{self._tags(tags)}</relation>')

    @staticmethod
    def _tags(tags: dict[str, str]) -> str:
        return "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())

    def xml(self) -> str:
        return f'<osm version="0.6">{"".join(self.nodes + self.ways + self.relations)}</osm>'


def streets(town: Town) -> None:
    """A main road of 1.2 km and four side streets that make two loops."""
    main = [(x, 0.0) for x in (-400, 0, 200, 400, 800)]
    town.way(*main, highway="secondary", name="Main Street", name__en="Main Street", maxspeed="50")
    for x in (0.0, 200.0, 400.0):
        town.way((x, 0), (x, 300), highway="residential", name=f"Street {x:.0f}")
    town.way((0, 300), (200, 300), (400, 300), highway="residential", name="Back Street")


def houses(town: Town) -> None:
    for k in range(30):
        town.box(15 + 35 * (k % 10), 30 + 80 * (k // 10), 12, 10, building="house", building__levels="2")


def everything(town: Town) -> None:
    streets(town)
    houses(town)
    town.box(420, 30, 80, 50, building="industrial")
    town.box(420, 100, 40, 20, building="yes", shop="supermarket", name="Market Hall")
    town.box(15, 260, 40, 30, building="school", amenity="school", name="First School")
    town.box(500, 200, 100, 80, natural="water", water="pond", name="Duck Pond")
    outer, inner = town.box(600, 30, 150, 100), town.box(640, 60, 40, 30)
    town.relation(
        [("way", outer, "outer"), ("way", inner, "inner")], type="multipolygon", natural="water", name="Ring Lake"
    )
    town.node(100, 20, amenity="fire_station", name="Watch &lt;One&gt;")
    town.node(300, 20, amenity="police")
    town.node(30, 40, shop="bakery")
    town.node(50, 150, place="suburb", name="West", name__en="West End")
    town.node(300, 150, place="suburb", name="East")
    town.node(700, 200, place="village", name="Far")
    stops = [(100, 4), (300, 4), (600, 4)]
    refs = [
        town.node(x, -y, highway="bus_stop", bus="yes", public_transport="platform", name=f"S{x}") for x, y in stops
    ]
    main = 1000
    town.relation(
        [*(("node", ref, "platform") for ref in refs), ("way", main, "")],
        type="route", route="bus", ref="7", name="Bus 7",
    )  # fmt: skip


@pytest.fixture
def osm(tmp_path):
    """A function that writes a town made by ``fill`` and returns its file."""

    def write(fill) -> object:
        town = Town()
        fill(town)
        file = tmp_path / "town.osm"
        file.write_text(town.xml(), encoding="utf-8")
        return file

    return write


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> City:
    """The town with everything in it."""
    t = Town()
    everything(t)
    folder = tmp_path_factory.mktemp("osm")
    (folder / "town.osm.gz").write_bytes(gzip.compress(t.xml().encode()))
    return city_from_osm(folder / "town.osm.gz", work=folder / "work")


def test_streets_keep_names_classes_and_speeds(town):
    roads = town.roads
    assert town.crs == "EPSG:32650"
    main = roads[roads["name"] == "Main Street"]
    assert set(main["road_class"]) == {"secondary"}
    assert np.allclose(main["speed_m_s"], 50 / 3.6, atol=0.01)
    assert main["length_m"].sum() == pytest.approx(2 * 1200, rel=0.05)
    assert {"Street 0", "Street 200", "Street 400", "Back Street"} <= set(roads["name"])
    lon, lat = town.to_wgs84(*town.place("First School").geometry.coords[0])
    assert (float(lon), float(lat)) == pytest.approx((117 + 35 * LON, 36.7 + 275 * LAT), abs=2e-5)


def test_homes_and_jobs_come_from_buildings(town):
    assert town.origin.homes_from.startswith("33 buildings")
    assert "OpenStreetMap" in town.origin.attribution
    by_kind = town.blocks.groupby("kind")[["residents", "jobs", "shops", "pupils"]].sum()
    assert by_kind.loc["housing", "residents"] == 30 * 4  # 120 m² × 2 storeys / 60 m² a head
    assert by_kind.loc["industry", "jobs"] == 40  # 80 m × 50 m, one storey, 100 m² a job
    assert by_kind.loc["school", "pupils"] == 180  # 40 m × 30 m × 3 storeys / 20 m² a place
    assert by_kind.loc["commerce", "shops"] >= 1
    assert town.blocks["shops"].sum() >= 2  # and the bakery inside a house
    assert town.roads["main"].to_numpy()[town.blocks["road"]].all()


def test_places_waters_and_quarters(town):
    kinds = town.places["kind"].value_counts().to_dict()
    assert {"fire_station": 1, "police_station": 1, "school": 1, "bus_stop": 3}.items() <= kinds.items()
    assert kinds["shop"] == 2
    assert kinds["gate"] == 2
    assert town.place("fire-station-001")["name"] == "Watch <One>"
    assert set(town.waters["name"]) == {"Duck Pond", "Ring Lake"}
    lake = town.waters[town.waters["name"] == "Ring Lake"].geometry.iloc[0]
    assert lake.area == pytest.approx(150 * 100 - 40 * 30, rel=0.01)
    assert set(town.communities["name"]) == {"West", "East", "Far"}
    assert town.communities.set_index("name")["kind"].to_dict() == {"West": "town", "East": "town", "Far": "village"}
    assert town.communities.set_index("name").loc["West", "name_en"] == "West End"
    for place in ("West", "East"):  # each around its own point
        area = town.communities.set_index("name").loc[place].geometry
        lon = 117 + (50 if place == "West" else 300) * LON
        assert area.contains(shapely.Point(*town.to_local(lon, 36.7 + 150 * LAT)))


def test_unnamed_places_get_a_plain_name(town):
    assert town.place("police-station-001")["name"] == "Police station 1"
    assert (town.places["name"] != "").all()


def test_roads_are_found_by_name_all_of_them_or_near_a_place(town):
    names = town.roads["name"].to_numpy()
    every = town.roads_named("Main Street")
    assert set(names[every]) == {"Main Street"}
    assert len(every) == (names == "Main Street").sum()
    near = town.roads_named("Main Street", near="S600", length_m=100)
    assert 0 < len(near) < len(every)
    assert set(near) <= set(every)
    edge = town.roads["edge"].iloc[3]
    assert town.roads_named(edge).tolist() == [3]
    with pytest.raises(CityError, match=r"town: no road 'Main Stret'; did you mean 'Main Street'\?"):
        town.roads_named("Main Stret")
    with pytest.raises(CityError, match=r"no place 'Frist School'; did you mean 'First School'\?"):
        town.place("Frist School")


def test_bus_line_with_an_assumed_timetable(town):
    line = town.bus_lines.iloc[0]
    assert line["line"] == "7"
    stops = town.places.set_index("place").loc[list(line["stops"])]
    assert stops["name"].tolist() == ["S100", "S300", "S600"]
    assert any("timetable of the bus lines is assumed" in note for note in town.origin.notes)


def test_saved_loaded_and_made_again_it_is_the_same(town, osm, tmp_path):
    assert City.load(town.save(tmp_path / "a")).digest() == town.digest()
    file = osm(everything)
    again = city_from_osm(file, name="town", work=tmp_path / "w")
    assert again.blocks.drop(columns="geometry").equals(town.blocks.drop(columns="geometry"))
    assert (tmp_path / "w" / "net.net.xml.gz").read_bytes() == town.net_file.read_bytes()
    assert [f.name for f in (tmp_path / "w").iterdir()] == ["net.net.xml.gz"]


def test_land_use_serves_where_there_are_no_buildings(osm):
    def fill(town: Town) -> None:
        streets(town)
        town.box(5, 5, 190, 290, landuse="residential")
        town.box(205, 5, 190, 290, landuse="industrial")

    city = city_from_osm(osm(fill))
    assert city.origin.homes_from.startswith("2 areas of land use")
    sums = city.blocks.groupby("kind")[["residents", "jobs"]].sum()
    hectares = 190 * 290 / 1e4
    assert sums.loc["housing", "residents"] == pytest.approx(60 * hectares, rel=0.25)  # less the streets
    assert sums.loc["industry", "jobs"] == pytest.approx(40 * hectares, rel=0.15)


def test_road_density_serves_where_nothing_else_is_mapped(osm):
    city = city_from_osm(osm(streets))
    assert city.origin.homes_from == "road density (no buildings or land use in the data)"
    assert city.blocks["residents"].sum() > 100
    assert len(city.communities) >= 4


def test_a_few_buildings_do_not_stand_for_a_town(osm):
    def fill(town: Town) -> None:
        streets(town)
        for k in range(4):
            town.box(15 + 40 * k, 30, 12, 10, building="yes")

    origin = city_from_osm(osm(fill)).origin
    assert origin.homes_from.startswith("road density (4 buildings are too few for")


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"building": "yes"}, ""),
        ({"building": "apartments"}, "housing"),
        ({"building": "garage"}, "-"),
        ({"building": "yes", "amenity": "hospital"}, "public"),
        ({"building": "yes", "shop": "mall"}, "commerce"),
        ({"building": "yes", "shop": "books"}, "mixed"),
        ({"building": "yes", "shop": "vacant"}, ""),
        ({"building": "yes", "office": "it"}, "office"),
        ({"building": "warehouse"}, "logistics"),
        ({"building": "no"}, None),
        ({"landuse": "residential"}, None),
    ],
)
def test_kinds_of_buildings(tags, kind):
    got = osm_tags.building(tags)
    assert (got[0] if got else None) == kind


def test_tags_lead_only_to_kinds_that_a_city_knows():
    amenities = ["school", "kindergarten", "hospital", "doctors", "townhall", "police", "marketplace", "bench", "none"]
    for amenity in amenities:
        for extra in ({}, {"shop": "x"}, {"leisure": "park", "name": "n"}, {"landuse": "industrial", "name": "n"}):
            kind = osm_tags.place({"amenity": amenity, **extra})
            assert kind is None or kind in PLACE_KINDS
    for value in ("residential", "commercial", "industrial", "retail", "construction", "farmyard", "forest"):
        kind = osm_tags.use({"landuse": value})
        assert (kind is None) == (value == "forest")
        assert kind is None or kind in BLOCK_KINDS


@pytest.mark.parametrize(("levels", "storeys"), [("3", 3), ("2.5", 2), ("2;3", 2), ("-1", 0), ("many", 0), ("", 0)])
def test_storeys(levels, storeys):
    assert osm_tags.building({"building": "house", "building:levels": levels})[1] == storeys


def test_a_relation_of_open_ways_becomes_one_polygon(osm):
    def fill(town: Town) -> None:
        a = town.way((0, 0), (100, 0), (100, 50))
        b = town.way((100, 50), (0, 50), (0, 0))
        town.relation([("way", a, "outer"), ("way", b, "outer")], type="multipolygon", building="industrial")
        c = town.way((200, 0), (300, 0))  # not closed: no area, no fault
        town.relation([("way", c, "outer"), ("way", 99, "outer")], type="multipolygon", building="industrial")

    land = land_of(read_osm(osm(fill)), "EPSG:32650")
    assert land.buildings.geometry.area.to_numpy() == pytest.approx([5000], rel=0.01)


# -- refusals ----------------------------------------------------------------------------------------------------


def refused(file, says):
    with pytest.raises(CityError, match=says) as caught:
        city_from_osm(file)
    assert "\n" not in str(caught.value)


def test_broken_files(osm, tmp_path):
    refused(tmp_path / "none.osm", r"none\.osm: no such file")
    file = osm(streets)
    text = file.read_text().replace("><", ">\n<")
    file.write_text(text[: len(text) // 2])
    refused(file, r"town\.osm, line \d+: broken XML")
    file.write_text(text.replace('lat="36.7', 'lat="north', 1))
    refused(file, r"town\.osm, line 2: <node> could not convert")
    file.write_text("<net/>")
    refused(file, r"begins with <net>, expected <osm>")
    zipped = tmp_path / "cut.osm.gz"
    zipped.write_bytes(gzip.compress(text.encode())[:-200])
    refused(zipped, r"cut\.osm\.gz: the gzip file is cut off or damaged")
    file.write_text('<!DOCTYPE osm [<!ENTITY a "b">]><osm></osm>')
    refused(file, "declares the entity 'a'; entities are refused")


def test_an_extract_without_roads(osm):
    refused(osm(houses), r"town\.osm: has no roads for cars")
    refused(osm(lambda t: t.way((0, 0), (90, 0), highway="footway")), r"town\.osm: has no roads for cars")


def test_streets_that_lead_nowhere(osm):
    refused(
        osm(lambda t: t.way((0, 0), (500, 0), highway="residential", oneway="yes")),
        r"town\.osm: its roads make no network \(the network has no edges\)",
    )

    def fork(town: Town) -> None:
        town.way((0, 0), (500, 0), (900, 0), highway="residential", oneway="yes")
        town.way((500, 0), (500, 300), highway="residential", oneway="yes")

    refused(osm(fork), r"town\.osm: there is no route for cars between any two places and back \(of 3 roads")


def test_pbf_needs_osmium(tmp_path, monkeypatch):
    refused(tmp_path / "none.osm.pbf", "no such file")
    pbf = tmp_path / "town.osm.pbf"
    pbf.write_bytes(b"no pbf at all")
    monkeypatch.setitem(sys.modules, "osmium", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    refused(pbf, r"town\.osm\.pbf: \.pbf needs the package 'osmium' \(pip install osmium\), or convert the file")


def test_pbf_with_osmium(osm, tmp_path):
    osmium = pytest.importorskip("osmium", reason="the optional package osmium is not installed")
    pbf = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(pbf)) as writer:
        for thing in osmium.FileProcessor(str(osm(streets))):
            writer.add(thing)
    city = city_from_osm(pbf)
    assert "Back Street" in set(city.roads["name"])
    pbf.write_bytes(pbf.read_bytes()[:60])
    refused(pbf, r"town\.osm\.pbf: not readable as \.pbf")


# -- the shared extracts -------------------------------------------------------------------------------------------


def sound(city: City, folder) -> None:
    """What every city must be: saved, loaded, checked, with a main part, people, work and ways between them."""
    again = City.load(city.save(folder))
    again.check()
    assert again.digest() == city.digest()
    main = again.roads["main"].to_numpy()
    assert main[again.blocks["road"]].all()
    assert again.blocks["residents"].sum() > 0
    assert again.blocks["jobs"].sum() > 0
    ends = again.blocks["road"].to_numpy()[:: max(1, len(again.blocks) // 40)]
    assert np.isfinite(again.network.times(ends, ends)).all()


def test_west_oakland(data, tmp_path):
    city = city_from_osm(data / "small_osm" / "west_oakland.osm.gz")
    sound(city, tmp_path / "c")
    assert city.crs == "EPSG:32610"
    assert city.origin.homes_from.startswith("road density (23 buildings are too few")
    assert (city.places["kind"] == "school").sum() == 1
    school = city.blocks[city.blocks["kind"] == "school"].geometry.iloc[0]
    assert school.distance(city.places[city.places["kind"] == "school"].geometry.iloc[0]) < 150


def test_bad_hersfeld(data, tmp_path):
    city = city_from_osm(data / "bad_hersfeld" / "osm" / "osm_bbox.osm.xml.gz", name="Bad Hersfeld")
    sound(city, tmp_path / "c")
    assert "buildings" in city.origin.homes_from
    # the town has 30,000 inhabitants, the extract its surroundings too: the right order of magnitude
    assert 20_000 < city.blocks["residents"].sum() < 90_000
    assert 10_000 < city.blocks["jobs"].sum() < 60_000
    assert {"Bad Hersfeld", "Johannesberg", "Sorga", "Kathus"} <= set(city.communities["name"])
    assert (city.places["kind"] == "bus_stop").sum() > 80
    assert "345" in set(city.bus_lines["line"])
    assert city.junctions["signal"].sum() > 5
    assert city.roads["main"].sum() > 0.9 * city.roads["car"].sum()
