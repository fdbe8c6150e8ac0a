"""Cities from SUMO networks: what the tables say, what is inferred, what is refused, and the shared networks."""

from __future__ import annotations

import bz2
import gzip
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import shapely

from geo.build import build_city
from geo.city import City
from geo.errors import CityError
from geo.given import GivenDemand
from geo.network import Network
from geo.sumo_net import city_from_net, read_tables

CROSS = (
    '<node id="w" x="0" y="0"/><node id="m" x="300" y="0" type="traffic_light"/><node id="e" x="500" y="0"/>'
    '<node id="n" x="300" y="200"/><node id="s" x="300" y="-400"/>'
)
ROADS = (
    '<edge id="wm" from="w" to="m" numLanes="3" speed="25" name="West Street"/>'
    '<edge id="mw" from="m" to="w" numLanes="1" speed="25"/>'
    '<edge id="me" from="m" to="e" numLanes="2" speed="13.89" type="highway.primary_link"/>'
    '<edge id="em" from="e" to="m" numLanes="1" speed="13.89" type="highway.residential|railway.tram"/>'
    '<edge id="nm" from="n" to="m" numLanes="1" speed="13.89" allow="bus"/>'
    '<edge id="mn" from="m" to="n" numLanes="1" speed="5.56" allow="bicycle pedestrian"/>'
    '<edge id="sm" from="s" to="m" numLanes="1" speed="9" disallow="bus"/>'
    '<edge id="ms" from="m" to="s" numLanes="1" speed="22.3" allow="tram rail_urban"/>'
)


def test_tables_say_what_the_network_says(make_net):
    tables = read_tables(make_net(CROSS, ROADS))
    r = tables.roads.set_index("edge")
    assert set(r.index) == {"wm", "mw", "me", "em", "nm", "mn", "sm", "ms"}
    west = r.loc["wm", ["from_node", "to_node", "name", "lanes", "speed_m_s"]]
    assert west.tolist() == ["w", "m", "West Street", 3, 25]
    assert r["road_class"].to_dict() == {
        "wm": "trunk", "mw": "trunk", "me": "primary", "em": "residential",
        "nm": "service", "mn": "path", "sm": "residential", "ms": "rail",
    }  # fmt: skip
    assert r["car"].to_dict() == {e: e not in ("nm", "mn", "ms") for e in r.index}
    assert r["bus"].to_dict() == {e: e not in ("mn", "sm", "ms") for e in r.index}
    assert r["bike"].to_dict() == {e: e not in ("nm", "ms") for e in r.index}
    nodes = tables.junctions.set_index("node")
    assert nodes["signal"].to_dict() == {"w": False, "m": True, "e": False, "n": False, "s": False}
    assert nodes.loc["s"].geometry.equals(shapely.Point(300, -400))


def test_geometry_is_where_the_lanes_are_and_as_long(make_net):
    tables = read_tables(make_net(CROSS, ROADS))
    r = tables.roads.set_index("edge")
    # right-hand traffic: the three lanes of 3.2 m from the west lie south of the axis, their middle 4.8 m from it
    y = shapely.get_coordinates(r.loc["wm"].geometry)[:, 1]
    assert np.allclose(y, -4.8)
    assert np.allclose(shapely.get_coordinates(r.loc["mw"].geometry)[:, 1], 1.6)
    assert np.allclose(r.geometry.length, r["length_m"], rtol=0.01)


def test_turns_need_a_lane_that_lets_the_class_through_on_both_sides(make_net):
    tables = read_tables(make_net(CROSS, ROADS, "--no-turnarounds"))
    names = tables.roads["edge"].to_numpy()
    of = {
        (names[a], names[b]): (car, bus)
        for a, b, car, bus in tables.turns[["from_road", "to_road", "car", "bus"]].itertuples(index=False)
    }
    assert of[("wm", "me")] == (True, True)
    assert of[("nm", "me")] == (False, True)
    assert of[("sm", "me")] == (True, False)
    assert not any("mn" in pair or "ms" in pair for pair in of)
    assert not any(a == b for a, b in of)


def test_lanes_are_those_for_cars_and_say_where_they_begin(make_net):
    edges = (
        '<edge id="ab" from="a" to="b" numLanes="3" speed="14">'
        '<lane index="0" allow="pedestrian" speed="2"/><lane index="1" speed="14"/><lane index="2" speed="14"/></edge>'
        '<edge id="ba" from="b" to="a" numLanes="1" speed="14"/>'
    )
    tables = read_tables(make_net('<node id="a" x="0" y="0"/><node id="b" x="300" y="0"/>', edges))
    row = tables.roads.set_index("edge").loc["ab"]
    assert row[["lanes", "lanes_all", "first_lane", "speed_m_s"]].tolist() == [2, 3, 1, 14]
    assert row["foot"]


def test_main_part_is_what_cars_reach_there_and_back(toy_net):
    tables = read_tables(toy_net)
    stubs = tables.roads["length_m"] < 110
    assert (tables.roads["main"] == ~stubs).all()
    assert stubs.sum() == 24


def test_gates_are_the_stubs_each_with_its_way_in_and_out(toy_net):
    city = city_from_net(toy_net)
    gates = city.places[city.places["kind"] == "gate"]
    assert len(gates) == 12
    roads = city.roads
    for gate in gates.itertuples():
        assert roads["from_node"].iloc[gate.road] == roads["to_node"].iloc[gate.road_out]
        assert gate.geometry.distance(roads.geometry.iloc[gate.road]) < 0.1
    assert gates["weight"].sum() == pytest.approx(1, abs=1e-5)
    assert city.network.routes(gates["road"], np.roll(gates["road_out"], 3)).found.all()


def test_an_untold_place_on_earth_is_assumed_and_said(toy_net):
    city = city_from_net(toy_net)
    west, south, east, north = city.roads.total_bounds
    middle = (west + east) / 2, (south + north) / 2
    lon, lat = city.to_wgs84(*middle)
    assert (float(lon), float(lat)) == pytest.approx((117.0, 36.68), abs=1e-4)
    assert any("names no projection" in note for note in city.origin.notes)
    elsewhere = city_from_net(toy_net, anchor=(9.7, 50.87))
    assert float(elsewhere.to_wgs84(*middle)[0]) == pytest.approx(9.7, abs=1e-4)


def test_an_own_crs_replaces_that_of_the_network(toy_net):
    assert read_tables(toy_net, crs="EPSG:32650").crs == "EPSG:32650"
    with pytest.raises(CityError, match=r"projection 'EPSG:4326' is in degrees"):
        read_tables(toy_net, crs="EPSG:4326")
    with pytest.raises(CityError, match=r"projection 'nowhere' is not known"):
        read_tables(toy_net, crs="nowhere")


def test_homes_and_jobs_follow_the_roads_and_the_city_says_so(toy_net):
    city = city_from_net(toy_net)
    assert city.origin.homes_from.startswith("road density")
    blocks = city.blocks
    assert (blocks[["residents", "jobs", "shops", "pupils"]] >= 0).all().all()
    assert blocks["residents"].sum() > 1000
    assert 0.2 < blocks["jobs"].sum() / blocks["residents"].sum() < 1
    assert blocks["pupils"].sum() == pytest.approx(0.16 * blocks["residents"].sum(), rel=0.1)
    assert blocks["shops"].sum() > 0
    assert city.roads["main"].to_numpy()[blocks["road"]].all()
    # nobody lives on a carriageway
    strips = shapely.union_all(shapely.buffer(city.roads.geometry.to_numpy(), 3, cap_style="flat"))
    assert shapely.area(shapely.intersection(blocks.geometry.to_numpy(), strips)).sum() < 1.0
    assert set(blocks["grid"]) <= set(city.grids["grid"])
    assert set(blocks["community"]) <= set(city.communities["community"])
    assert city.communities["residents"].sum() == blocks["residents"].sum()


def test_polygons_bring_buildings_waters_and_stops(toy_net, tmp_path):
    houses = "".join(
        f'<poly id="h{k}" type="building.house" shape="{x},{y} {x + 12},{y} {x + 12},{y + 10} {x},{y + 10} {x},{y}"/>'
        for k, (x, y) in enumerate((20 + 30 * (k % 5), 120 + 25 * (k // 5)) for k in range(25))
    )
    extra = tmp_path / "more.add.xml"
    extra.write_text(
        f"<additional>{houses}"
        '<poly id="works" type="building.industrial" shape="320,320 380,320 380,380 320,380 320,320"/>'
        '<poly id="lake" type="water" name="Lake" shape="140,330 180,330 180,370 140,370 140,330"/>'
        '<poly id="brook" type="water" fill="0" shape="110,110 110,290"/>'
        '<poly id="road" type="highway" fill="0" shape="0,0 9,9"/>'
        '<busStop id="s1" name="Market" lane="A0A1_0" startPos="50" endPos="70"/>'
        '<busStop id="s2" lane="A1A0_0" startPos="-30" endPos="-10"/></additional>'
    )
    city = city_from_net(toy_net, additional=extra)
    assert city.origin.homes_from.startswith("26 buildings")
    kinds = city.blocks["kind"].value_counts().to_dict()
    assert kinds["industry"] == 1
    assert kinds["housing"] + kinds.get("school", 0) == 25
    homes = city.blocks[city.blocks["kind"] == "housing"]
    assert set(homes["residents"]) == {4}  # 120 m² × 2 storeys / 60 m² a head
    assert city.blocks.loc[city.blocks["kind"] == "industry", "jobs"].tolist() == [36]  # 3600 m² / 100 m² a job
    assert city.waters[["name", "kind"]].to_numpy().tolist() == [["Lake", "lake"], ["", "river"]]
    stops = city.places[city.places["kind"] == "bus_stop"].set_index("place")
    names = city.roads["edge"].to_numpy()
    assert stops.loc["stop-s1", "name"] == "Market"
    assert names[stops.loc["stop-s1", "road"]] == "A0A1"
    assert stops.loc["stop-s1", "pos_m"] == 70
    length = city.roads.set_index("edge").loc["A1A0", "length_m"]
    assert stops.loc["stop-s2", "pos_m"] == pytest.approx(length - 10)


def test_signal_programs_of_additional_files_take_over(toy_net, tmp_path):
    logic = re.search(r'<tlLogic id="B1".*?</tlLogic>', toy_net.read_text(), re.DOTALL).group(0)
    own = logic.replace('programID="0"', 'programID="mine"').replace('duration="', 'duration="1')
    extra = tmp_path / "t.add.xml"
    extra.write_text(f"<additional>{own}{own.replace('B1', 'nobody')}</additional>")
    city = city_from_net(toy_net, additional=extra)
    assert "1 signal programs of the additional files take the place of the network's own" in city.origin.notes
    assert city.origin.source == "SUMO network toy.net.xml"
    code = (
        "import sys, libsumo; libsumo.start(['sumo', '-n', sys.argv[1], '--no-step-log']);"
        "print(libsumo.trafficlight.getProgram('B1'), libsumo.trafficlight.getPhaseDuration('B1'))"
    )
    saved = city.save(tmp_path / "c") / "net.net.xml.gz"
    done = subprocess.run([sys.executable, "-c", code, str(saved)], capture_output=True, text=True, check=True)
    first = re.search(r'duration="(\d+)"', own).group(1)
    assert done.stdout.split()[-2:] == ["mine", f"{first}.0"]


# -- refusals ----------------------------------------------------------------------------------------------------


def says(match):
    return pytest.raises(CityError, match=match)


def test_files_that_are_not_networks(tmp_path):
    with says(r"none\.net\.xml: no such file"):
        read_tables(tmp_path / "none.net.xml")
    with says("is a folder, expected a file"):
        read_tables(tmp_path)
    bad = tmp_path / "bad.net.xml"
    bad.write_text('<net>\n<edge id="a"\n<lane/></net>')
    with says(r"bad\.net\.xml, line 3: broken XML"):
        read_tables(bad)
    bad.write_text("")
    with says(r"bad\.net\.xml, line 1: broken XML \(no element found\)"):
        read_tables(bad)
    bad.write_text("<osm/>")
    with says(r"the file begins with <osm>, expected <net>"):
        read_tables(bad)
    bad.write_text("<net></net>")
    with says("the network has no edges"):
        read_tables(bad)


def test_a_broken_element_is_named_with_its_line(toy_net, tmp_path):
    bad = tmp_path / "bad.net.xml"
    text = toy_net.read_text()
    bad.write_text(text.replace('fromLane="0"', 'fromLane="zero"', 1))
    with says(r"bad\.net\.xml, line \d+: <connection> .*'zero'"):
        read_tables(bad)
    at = text.index(' speed="', text.index('<lane id="A'))
    bad.write_text(text[:at] + text[text.index(" length", at) :])
    with says(r"bad\.net\.xml, line \d+: <lane> lacks 'speed'"):
        read_tables(bad)
    at = text.index(' shape="', text.index('<lane id="A'))
    bad.write_text(text[:at] + ' shape="1,1 x,2"' + text[text.index('"', at + 8) + 1 :])
    with says(r"bad\.net\.xml: the shape of a lane is not readable"):
        read_tables(bad)


def test_a_gzip_that_ends_early(toy_net, tmp_path):
    whole = gzip.compress(toy_net.read_bytes())
    cut = tmp_path / "cut.net.xml.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    with says(r"cut\.net\.xml\.gz: the gzip file is cut off or damaged"):
        read_tables(cut)
    cut.write_bytes(whole)
    assert len(read_tables(cut).roads) == len(read_tables(toy_net).roads)


def test_other_packings_are_named(toy_net, tmp_path):
    file = tmp_path / "toy.net.xml.bz2"
    file.write_bytes(bz2.compress(toy_net.read_bytes()))
    with says(r"toy\.net\.xml\.bz2: is packed with bzip2; unpack it, or pack it with gzip"):
        read_tables(file)


def test_the_smallest_city_is_one_road_there_and_back(make_net):
    nodes = '<node id="a" x="0" y="0"/><node id="b" x="90" y="0"/>'
    city = city_from_net(
        make_net(nodes, '<edge id="ab" from="a" to="b" numLanes="1"/><edge id="ba" from="b" to="a" numLanes="1"/>')
    )
    assert city.roads["main"].all()
    assert city.blocks["residents"].sum() > 0


def test_entities_are_refused_and_never_read(toy_net, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("do not read me")
    bad = tmp_path / "bad.net.xml"
    bad.write_text(f'<!DOCTYPE net [<!ENTITY x SYSTEM "{secret.as_uri()}">]><net><edge id="&x;"/></net>')
    with says(r"bad\.net\.xml, line 1: declares the entity 'x'; entities are refused"):
        read_tables(bad)


def test_a_network_without_car_roads(make_net):
    net = make_net(
        '<node id="a" x="0" y="0"/><node id="b" x="90" y="0"/>',
        '<edge id="ab" from="a" to="b" numLanes="1" speed="3" allow="pedestrian"/>',
    )
    with says(r"none of the 1 roads is open to cars"):
        read_tables(net)


def test_a_network_with_no_way_between_two_places_and_back(make_net):
    nodes = "".join(f'<node id="{k}" x="{200 * i}" y="0"/>' for i, k in enumerate("abc"))
    net = make_net(nodes, '<edge id="ab" from="a" to="b" numLanes="1"/><edge id="bc" from="b" to="c" numLanes="1"/>')
    with says(r"there is no route for cars between any two places and back \(of 2 roads"):
        city_from_net(net)
    street = city_from_net(net, homes=False)  # a street for given vehicles only
    assert len(street.blocks) == 0
    assert street.origin.homes_from.startswith("nobody lives or works here")


def test_additional_files_that_do_not_fit(toy_net, tmp_path):
    extra = tmp_path / "x.add.xml"
    extra.write_text('<additional><busStop id="s" lane="nowhere_0"/></additional>')
    with says(r"x\.add\.xml, line 1: <busStop> 's' stands on the lane 'nowhere_0', which the network does not have"):
        city_from_net(toy_net, additional=extra)
    extra.write_text("<osm><node/></osm>")
    with says(r"x\.add\.xml: not a SUMO additional file"):
        city_from_net(toy_net, additional=extra)


def test_build_city_takes_one_source_and_leaves_no_old_demand(toy_net, tmp_path):
    with says("one source"):
        build_city(tmp_path / "c")
    routes = tmp_path / "r.rou.xml"
    routes.write_text('<routes><vehicle id="v" depart="3"><route edges="A0A1 A1A2"/></vehicle></routes>')
    build_city(tmp_path / "c", net=toy_net, routes=routes)
    assert len(GivenDemand.load(tmp_path / "c")) == 1
    build_city(tmp_path / "c", net=toy_net)
    assert GivenDemand.load(tmp_path / "c") is None


# -- the shared networks -------------------------------------------------------------------------------------------


def sound(city: City, folder) -> City:
    """What every city must be: saved, loaded, checked, with a main part, people, work and ways between them."""
    again = City.load(city.save(folder))
    again.check()
    assert again.digest() == city.digest()
    main = again.roads["main"].to_numpy()
    assert main.sum() >= 2
    assert again.blocks["residents"].sum() > 0
    assert again.blocks["jobs"].sum() > 0
    assert main[again.blocks["road"]].all()
    assert again.origin.homes_from
    ends = again.blocks["road"].to_numpy()[:: max(1, len(again.blocks) // 40)]
    times = again.network.times(ends, ends)
    assert np.isfinite(times).all()
    assert (times[~np.eye(len(ends), dtype=bool) & (ends[:, None] != ends)] > 0).all()
    gates = again.places[again.places["kind"] == "gate"]
    into, out = gates["road"].to_numpy(), gates["road_out"].to_numpy()
    assert np.isfinite(again.network.times(into[into >= 0], ends)).all()
    assert np.isfinite(again.network.times(ends, out[out >= 0])).all()
    return again


def test_jinan_grid(data, tmp_path):
    folder = data / "jinan_3x4"
    city = sound(city_from_net(folder / "jinan_real.net.xml"), tmp_path / "c")
    assert len(city.roads) == 62
    assert city.junctions["signal"].sum() == 12
    assert (city.places["kind"] == "gate").sum() == 14
    given = GivenDemand.read(folder / "jinan_real.rou.xml", city)
    assert len(given) == 6295
    assert given.vehicles["depart_s"].max() < 3600
    assert (given.depart_lane, given.depart_speed) == ("best", "max")
    assert given.types["car"]["maxSpeed"] == 11.111
    first = [city.roads["edge"].iloc[r] for r in given.routes[0]]
    assert first == ["road_0_2_0", "road_1_2_0", "road_2_2_0", "road_3_2_1", "road_3_3_1"]


def test_bologna(data, tmp_path):
    folder = data / "bologna_acosta" / "acosta"
    more = [folder / f"acosta_{name}.add.xml" for name in ("vtypes", "bus_stops", "tls")]
    routes = [folder / "acosta.rou.xml", folder / "acosta_busses.rou.xml"]
    city = build_city(tmp_path / "b", net=folder / "acosta_buslanes.net.xml", routes=routes, additional=more)
    sound(city, tmp_path / "c")
    assert city.crs == "EPSG:32632"
    lon, lat = city.to_wgs84(city.roads.total_bounds[0], city.roads.total_bounds[1])
    assert (float(lon), float(lat)) == pytest.approx((11.32, 44.49), abs=0.03)
    assert (city.places["kind"] == "bus_stop").sum() == 35
    given = GivenDemand.load(tmp_path / "b")
    assert given.vehicles["v_class"].value_counts().to_dict() == {"passenger": 8081, "ignoring": 541, "bus": 157}
    assert len(city.bus_lines) > 5
    shares = given.vehicles.loc[given.vehicles["v_class"] == "passenger", "type"].value_counts(normalize=True)
    assert shares["passenger1"] == pytest.approx(0.4 / 1.15, abs=0.02)  # weights .4 .2 .2 .2 .1 .05


def test_doerpfeldstrasse(data, tmp_path):
    folder = data / "doerpfeldstr"
    net = folder / "net.net.xml.gz"
    city = sound(city_from_net(net, additional=folder / "stops.add.xml"), tmp_path / "c")
    assert city.crs == "EPSG:32633"
    assert len(GivenDemand.read(folder / "samplertrips.rou.xml", city)) == 2218
    with says(r"flows_2\.rou\.xml, line \d+: <route> of 'f_0' uses the edge '178028204#3'"):
        GivenDemand.read(folder / "flows_2.rou.xml", city)


def test_bad_hersfeld_network_with_polygons(data, tmp_path):
    folder = data / "bad_hersfeld" / "osm"
    start = time.perf_counter()
    tables = read_tables(folder / "osm_edited.net.xml.gz")
    assert time.perf_counter() - start < 6  # measured 0.6 s; the machine may be shared
    assert len(tables.roads) == 9981
    more = [folder / "pt_vtypes.xml", folder / "gtfs_publictransport.add.xml", folder / "osm_polygons.add.xml"]
    city = city_from_net(
        folder / "osm_edited.net.xml.gz", routes=folder / "gtfs_publictransport.rou.xml", additional=more
    )
    sound(city, tmp_path / "c")
    assert "buildings" in city.origin.homes_from
    assert len(city.waters) > 20
    assert city.origin.extra["given_vehicles"] == 647
    stops = city.places[city.places["kind"] == "bus_stop"]
    assert len(stops) == 295
    buses = Network.of(city, "bus")
    line = city.bus_lines["stops"].iloc[0]
    roads = stops.set_index("place").loc[list(line), "road"].to_numpy()
    assert buses.routes(roads[:-1], roads[1:]).found.all()
