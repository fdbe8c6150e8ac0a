"""Given demand: every way SUMO has of writing vehicles, kept beside the city, and refusals in one sentence."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from geo.errors import CityError
from geo.given import GivenDemand
from geo.given_read import departures, seconds
from geo.given_types import choose
from geo.sumo_add import read_additional
from geo.sumo_net import city_from_net, read_tables

WAY = '<route edges="A0A1"/>'


@pytest.fixture(scope="module")
def city(toy_net):
    return city_from_net(toy_net, name="toy")


@pytest.fixture
def read(city, tmp_path):
    """Read the inner text of a route file."""

    def read(text: str, additional=None) -> GivenDemand:
        file = tmp_path / "x.rou.xml"
        file.write_text(f"<routes>\n{text}</routes>")
        return GivenDemand.read(file, city, additional)

    return read


def edges(city, demand, k):
    return " ".join(city.roads["edge"].iloc[r] for r in demand.routes[k])


def test_vehicles_with_inner_and_named_routes_in_order_of_departure(city, read):
    got = read(
        '<vType id="van" vClass="delivery" length="7" speedFactor="normc(1.1,0.2,0.2,2)" tau="1.4"/>'
        '<route id="r" edges="A0A1 A1A2"/>'
        '<vehicle id="late" type="van" depart="00:01:30" route="r" departLane="best"/>'
        '<vehicle id="first" depart="2.4" departLane="best"><route edges="A0B0 B0C0"/></vehicle>'
    )
    assert got.vehicles["id"].tolist() == ["first", "late"]
    assert got.vehicles["vehicle"].tolist() == [0, 1]
    assert got.vehicles["depart_s"].tolist() == [3, 90]  # SUMO with steps of 1 s inserts at the next whole second
    assert [edges(city, got, k) for k in (0, 1)] == ["A0B0 B0C0", "A0A1 A1A2"]
    assert got.vehicles["v_class"].tolist() == ["passenger", "delivery"]
    van = got.types["van"]
    assert (van["length"], van["tau"], van["speedFactor"], van["speedDev"]) == (7, 1.4, 1.1, 0.2)
    assert (van["minGap"], van["accel"], van["maxSpeed"]) == (2.5, 2.6, 55.556)  # SUMO's defaults for its class
    assert got.depart_lane == "best"
    assert got.depart_speed == ""


def test_saved_and_loaded(city, read, tmp_path):
    got = read(
        '<vType id="bus" vClass="bus"/><vehicle id="b" type="bus" depart="5"><route edges="A0A1 A1A2"/>'
        '<stop lane="A1A2_0" endPos="40" duration="20" until="99"/></vehicle>'
        '<trip id="t" depart="1" from="A0A1" to="C1C2"/>'
    )
    got.save(tmp_path)
    again = GivenDemand.load(tmp_path)
    assert again.vehicles.to_dict("list") == got.vehicles.to_dict("list")
    assert again.routes.roads.tolist() == got.routes.roads.tolist()
    assert again.routes.offsets.tolist() == got.routes.offsets.tolist()
    assert again.types == got.types
    road = city.road_index["A1A2"]
    assert again.stops.to_numpy().tolist() == [[1, road, 40.0, 20, 99, ""]]
    assert GivenDemand.load(tmp_path / "elsewhere") is None
    (tmp_path / "given_routes.parquet").write_bytes(b"broken")
    with pytest.raises(CityError, match="given demand is not readable"):
        GivenDemand.load(tmp_path)


def test_trips_get_the_fastest_route_and_pass_their_vias(city, read):
    got = read(
        '<trip id="a" depart="0" from="A0A1" to="C1C2"/><trip id="b" depart="0" from="A0A1" via="B0C0" to="C1C2"/>'
    )
    want = city.network.routes([city.road_index["A0A1"]], [city.road_index["C1C2"]])
    assert got.routes[0].tolist() == want[0].tolist()
    through = edges(city, got, 1).split()
    assert (through[0], through[-1]) == ("A0A1", "C1C2")
    assert "B0C0" in through
    turns = set(city.turns[["from_road", "to_road"]].itertuples(index=False, name=None))
    assert all(step in turns for step in zip(got.routes[1][:-1], got.routes[1][1:], strict=True))


def test_flows_become_single_vehicles(city, read):
    got = read(
        '<flow id="f" begin="100" end="200" number="4" from="A0A1" to="A1A2"/>'
        '<flow id="g" begin="00:10:00" end="00:20:00" period="150"><route edges="A0A1"/></flow>'
    )
    assert got.vehicles["id"].tolist() == ["f.0", "f.1", "f.2", "f.3", "g.0", "g.1", "g.2", "g.3"]
    assert got.vehicles["depart_s"].tolist() == [100, 125, 150, 175, 600, 750, 900, 1050]


def test_flows_inside_an_interval_take_its_times(read):
    got = read('<interval begin="60" end="120"><flow id="f" number="3" from="A0A1" to="A1A2"/></interval>')
    assert got.vehicles["depart_s"].tolist() == [60, 80, 100]


def flow(**a):
    return departures("flow", {"id": "f", **{k: str(v) for k, v in a.items()}})


def test_departures_of_flows():
    assert flow(begin=0, end=3600, vehsPerHour=6).tolist() == [0, 600, 1200, 1800, 2400, 3000]
    assert flow(begin=50400, number=3, vehsPerHour=1800).tolist() == [50400, 50402, 50404]
    assert flow(begin=0, end=10, period=3).tolist() == [0, 3, 6, 9]
    drawn = flow(begin=0, end=7200, probability=0.25)
    assert len(drawn) == pytest.approx(1800, abs=6 * np.sqrt(7200 * 0.25 * 0.75))
    assert (drawn == flow(begin=0, end=7200, probability=0.25)).all()
    other = departures("flow", {"id": "other", "begin": "0", "end": "7200", "probability": "0.25"})
    assert not np.array_equal(drawn, other)
    poisson = flow(begin=0, end=7200, period="exp(0.5)")
    assert len(poisson) == pytest.approx(3600, abs=6 * 60)
    assert poisson.max() < 7200
    with pytest.raises(ValueError, match="neither number, period, vehsPerHour nor probability"):
        flow(begin=0, end=10)
    with pytest.raises(ValueError, match="period -2, expected more than 0"):
        flow(begin=0, end=10, period=-2)


@pytest.mark.parametrize(("text", "want"), [("7", 7), ("7.25", 7.25), ("01:02:03", 3723), ("1:00:00:30", 86430)])
def test_times(text, want):
    assert seconds(text) == want


@pytest.mark.parametrize("text", ["soon", "1:2", "a:b:c", ""])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match="expected seconds or hh:mm:ss"):
        seconds(text)


def test_mixes_are_drawn_by_weight_and_by_id(read):
    got = read(
        '<vTypeDistribution id="mix"><vType id="a" probability="3"/><vType id="b" probability="1"/></vTypeDistribution>'
        '<routeDistribution id="ways"><route id="x" edges="A0A1" probability="1"/>'
        '<route id="y" edges="A0B0" probability="1"/></routeDistribution>'
        + "".join(f'<vehicle id="v{k}" type="mix" depart="{k}" route="ways"/>' for k in range(400))
    )
    share = (got.vehicles["type"] == "a").mean()
    assert share == pytest.approx(0.75, abs=0.1)
    firsts = [int(got.routes[k][0]) for k in range(400)]
    assert min(firsts.count(r) for r in set(firsts)) > 140
    options = [("a", 3.0), ("b", 1.0)]
    assert [choose(options, f"v{k}") for k in range(400)] == got.vehicles["type"].tolist()


def test_stops_at_bus_stops_and_lines_are_read_off(toy_net, tmp_path):
    extra, routes = tmp_path / "s.add.xml", tmp_path / "b.rou.xml"
    extra.write_text(
        '<additional><vType id="bus" vClass="bus"/><busStop id="one" name="One" lane="A0A1_0" endPos="60"/>'
        '<busStop id="two" name="Two" lane="A1A2_0" endPos="60"/>'
        '<route id="r" edges="A0A1 A1A2"><stop busStop="one" duration="20"/><stop busStop="two" duration="20"/></route>'
        "</additional>"
    )
    rides = "".join(
        f'<vehicle id="l7.{k}" line="7" type="bus" route="r" depart="{t}"/>' for k, t in enumerate((0, 600, 1800))
    )
    routes.write_text(f"<routes>{rides}</routes>")
    city = city_from_net(toy_net, routes=routes, additional=extra)
    row = city.bus_lines.iloc[0]
    assert row["line"] == "7"
    assert list(row["stops"]) == ["stop-one", "stop-two"]
    assert row[["first_s", "last_s", "headway_s"]].tolist() == [0, 1800, 900]
    assert set(row["stops"]) <= set(city.places["place"])


def test_what_is_left_out_is_said(city, read):
    got = read(
        '<vehicle id="v" depart="0"><route edges="A0A1"/></vehicle>'
        '<person id="p" depart="0"><walk edges="A0A1"/></person>'
        '<trip id="z" depart="0" fromTaz="1" toTaz="2"/>'
        '<vehicle id="w" depart="triggered"><route edges="A0A1"/></vehicle>'
        '<vehicle id="gap" depart="0"><route edges="A0A1 C1C2"/></vehicle>'
        '<vType id="bike" vClass="bicycle"/><trip id="b" type="bike" depart="0" from="A0A1" to="A1A2"/>'
    )
    assert got.vehicles["id"].tolist() == ["v"]
    said = "; ".join(got.notes)
    assert "1 persons (only vehicles are read)" in said
    assert "1 trips without edges" in said
    assert "1 vehicles that wait for an event" in said
    assert "1 vehicles whose route has two roads in a row that no turn" in said
    assert "1 trips of class bicycle" in said


def test_gzip_and_several_files(city, tmp_path):
    a, b = tmp_path / "a.rou.xml", tmp_path / "b.rou.xml.gz"
    a.write_text(
        '<routes><vType id="t" length="4"/><vehicle id="1" depart="9"><route edges="A0A1"/></vehicle></routes>'
    )
    b.write_bytes(
        gzip.compress(b'<routes><vehicle id="2" type="t" depart="1"><route edges="A0A1"/></vehicle></routes>')
    )
    got = GivenDemand.read([a, b], city)
    assert got.vehicles["id"].tolist() == ["2", "1"]
    assert got.vehicles["type"].tolist() == ["t", "DEFAULT_VEHTYPE"]


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('<vehicle id="v" depart="0"><route edges="A0A1 zz"/></vehicle>',
         r"x\.rou\.xml, line 2: <route> of 'v' uses the edge 'zz', which the network does not have"),
        ('<trip id="v" depart="0" from="A0A1" to="zz"/>', r"line 2: <trip> of 'v' uses the edge 'zz'"),
        ('<route id="r" edges="zz"/>', r"line 2: <route> uses the edge 'zz'"),
        ('<vehicle id="v" route="r" depart="0"/>', r"line 2: <vehicle> names the route 'r', which is not defined"),
        ('<vehicle id="v" type="tank" depart="0"/>', r"the type 'tank', which no given file defines \(defined: none\)"),
        ('<vehicle depart="0"/>', r"line 2: <vehicle> lacks 'id'"),
        (f'<vehicle id="v" depart="soon">{WAY}</vehicle>', r"vehicle 'v' has the time 'soon', expected seconds"),
        ('<vehicle id="v" ><route edges="A0A1"/></vehicle>', r"vehicle 'v' lacks 'depart'"),
        ('<flow id="f" begin="0"><route edges="A0A1"/></flow>', r"flow 'f' .*says neither number"),
        ('<vType id="t" length="long"/>', r"line 2: <vType> could not convert string to float: 'long'"),
        (f'<vehicle id="v" depart="0">{WAY}<stop busStop="q"/></vehicle>', r"<stop> is at the bus stop 'q'"),
        ('<vehicle id="v" depart="0"><route edges="A0A1"/>', r"x\.rou\.xml, line 2: broken XML"),
        ("", r"x\.rou\.xml: not a SUMO route file"),
        ('<person id="p" depart="0"/>', r"no vehicle is left to drive \(1 persons"),
    ],
)  # fmt: skip
def test_faults_are_one_sentence(read, text, says):
    with pytest.raises(CityError, match=says) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_trip_between_parts_that_no_road_joins(make_net, tmp_path):
    nodes = "".join(f'<node id="{k}" x="{200 * i}" y="{0 if i < 2 else 900}"/>' for i, k in enumerate("abcd"))
    roads = "".join(f'<edge id="{a}{b}" from="{a}" to="{b}" numLanes="1"/>' for a, b in ("ab", "ba", "cd", "dc"))
    city = city_from_net(make_net(nodes, roads))
    file = tmp_path / "r.rou.xml"
    file.write_text('<routes><trip id="t" depart="0" from="ab" to="cd"/></routes>')
    with pytest.raises(CityError, match=r"no vehicle is left to drive \(1 trips with no route for a car from"):
        GivenDemand.read(file, city)
    assert any("2 roads for cars" in note for note in city.origin.notes)


def test_additional_routes_are_not_vehicles(toy_net, city, tmp_path):
    extra = tmp_path / "c.add.xml"
    extra.write_text(
        '<additional><route id="r" edges="A0A1"/><calibrator id="c" edge="A0A1" pos="0">'
        '<flow begin="0" end="9" vehsPerHour="9" route="r"/></calibrator></additional>'
    )
    file = tmp_path / "r.rou.xml"
    file.write_text('<routes><vehicle id="v" depart="0" route="r"/></routes>')
    more = read_additional([extra], read_tables(toy_net))
    assert len(GivenDemand.read(file, city, more)) == 1
