"""Ways on roads: simplification keeps its bound, encoding is exact, vehicles are where SUMO had them."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from viz import encode, fcd, trips
from viz import map as viz_map
from viz.pack import pack, unpack


@pytest.fixture(scope="module")
def run(run_dir):
    return viz_map._open(run_dir)


@pytest.fixture(scope="module")
def samples(run):
    return fcd.read(run.folder / "fcd.parquet", run.city)


@pytest.fixture(scope="module")
def pieces(run, samples):
    return trips.ways(samples, viz_map._plans(run), run.city)


def lengths(city):
    return city.roads["length_m"].to_numpy(np.float64)


# -- simplification ------------------------------------------------------------------------------------

series = st.lists(st.tuples(st.integers(1, 40), st.floats(0, 900)), min_size=1, max_size=60)


@given(st.lists(series, min_size=1, max_size=6), st.floats(0.5, 20))
@settings(deadline=None)
def test_simplified_series_stay_within_tolerance(groups, tolerance):
    offsets = np.concatenate([[0], np.cumsum([len(g) for g in groups])])
    t = np.concatenate([np.cumsum([dt for dt, _ in g]) for g in groups]).astype(float)
    s = np.concatenate([np.cumsum([ds for _, ds in g]) for g in groups])
    keep = trips.simplify(t, s, offsets, tolerance)
    for a, b in pairwise(offsets):
        kept = keep[a:b]
        assert kept[0]
        assert kept[-1]
        shown = np.interp(t[a:b], t[a:b][kept], s[a:b][kept])
        assert np.abs(shown - s[a:b]).max() <= tolerance + 1e-6


def test_steady_driving_needs_two_points():
    t = np.arange(0, 600, 10.0)
    keep = trips.simplify(t, 13.9 * t, np.array([0, 60]), 1.0)
    assert keep.sum() == 2


def test_a_halt_needs_its_beginning_and_end():
    t = np.arange(0, 300, 10.0)
    s = np.interp(t, [0, 100, 200, 290], [0, 1000, 1000, 1900])
    keep = trips.simplify(t, s, np.array([0, 30]), 1.0)
    assert t[keep].tolist() == [0, 100, 200, 290]


def test_tolerance_by_point_and_slack_in_seconds(pieces):
    fine, coarse = trips.simplified(pieces), trips.simplified(pieces, slack_s=1.0)
    assert len(coarse.t_s) < len(fine.t_s) < len(pieces.t_s)
    for i in range(0, len(pieces), 7):
        p, c = (slice(*x.point_offsets[i : i + 2]) for x in (pieces, coarse))
        speed = np.gradient(pieces.s_m[p], pieces.t_s[p]) if p.stop - p.start > 1 else np.zeros(1)
        off = np.abs(np.interp(pieces.t_s[p], coarse.t_s[c], coarse.s_m[c]) - pieces.s_m[p])
        assert (off <= np.maximum(trips.TOLERANCE_M, 2 * np.abs(speed)) + 1e-6).all()


# -- encoding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1.0, 2.0])
def test_encoding_gives_back_the_same_ways(run, pieces, unit):
    simple = trips.simplified(pieces)
    length = lengths(run.city)
    back = encode.decode(*unpack(pack(*encode.encode(simple, length, run.begin_s, unit))), length)
    for name in ("vehicle", "road_offsets", "roads", "point_offsets"):
        np.testing.assert_array_equal(getattr(back, name), getattr(simple, name))
    np.testing.assert_array_equal(back.t_s, simple.t_s)
    np.testing.assert_allclose(back.s_m, simple.s_m, atol=unit / 2 + 1e-9)
    np.testing.assert_allclose(back.start_m, simple.start_m, atol=1e-6)


def test_vehicles_are_shown_within_5_m_of_where_sumo_had_them(run, pieces):
    """Encode, decode, and compare with SUMO's own x, y at every sample (lane offset included)."""
    city, length = run.city, lengths(run.city)
    meta, streams = unpack(pack(*encode.encode(trips.simplified(pieces), length, run.begin_s)))
    shown = encode.decode(meta, streams, length)
    table = pq.read_table(run.folder / "fcd.parquet").to_pandas()
    edge = table["vehicle_edge"].fillna("").astype(str)
    table = table[~edge.str.startswith(":") & (edge != "")]
    far, seen = [], 0
    for vehicle, part in list(table.groupby("vehicle_id"))[::5]:
        at = place(city, *encode.positions(shown, int(vehicle), part["timestep_time"].to_numpy()))
        x = part["vehicle_x"].to_numpy() - city.net_offset[0]
        y = part["vehicle_y"].to_numpy() - city.net_offset[1]
        far.append(np.hypot(at[:, 0] - x, at[:, 1] - y))
        seen += len(part)
    assert seen > 300
    # SUMO's lane lies beside the line of the road by half a lane: 1.6 m across, the rest is along
    along = np.sqrt(np.maximum(np.concatenate(far) ** 2 - 1.6**2, 0))
    assert along.max() < 5.0


def place(city, road, pos, following):
    """Points (n, 2) in local metres; on a junction, straight from one road to the next."""
    assert (road >= 0).all()
    lines, length = city.roads.geometry.to_numpy(), lengths(city)
    share = np.minimum(pos / length[road], 1.0)
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], share, normalized=True))
    for i in np.flatnonzero((pos > length[road]) & (following >= 0)):
        begin = np.array(lines[following[i]].coords[0])
        gap = np.hypot(*(begin - at[i]))
        at[i] += (begin - at[i]) * min(1.0, (pos[i] - length[road[i]]) / max(gap, 1e-9))
    return at


def test_every_vehicle_of_the_file_is_there(samples, pieces):
    assert set(pieces.vehicle.tolist()) == set(samples.vehicle.tolist())


def test_turns_that_are_driven_exist(run, pieces):
    n = len(run.city.roads)
    allowed = set((run.city.turns["from_road"].to_numpy() * n + run.city.turns["to_road"].to_numpy()).tolist())
    before, after, _ = encode._pairs(pieces)
    assert set((before * n + after).tolist()) <= allowed


def test_trips_begin_and_end_by_the_facts(run, pieces):
    entered = run.facts.frame("VehicleEntered").set_index("vehicle")["t_s"]
    arrived = run.facts.frame("VehicleArrived").set_index("vehicle")["t_s"]
    first = pieces.t_s[pieces.point_offsets[:-1]]
    last = pieces.t_s[pieces.point_offsets[1:] - 1]
    known = np.array([v in arrived.index for v in pieces.vehicle])
    assert (first[known] == entered.loc[pieces.vehicle[known]].to_numpy()).mean() > 0.9
    assert (last[known] == arrived.loc[pieces.vehicle[known]].to_numpy()).mean() > 0.9


# -- off the plan --------------------------------------------------------------------------------------


def test_without_plans_the_shortest_way_fills_the_gaps(run, samples, pieces):
    thin = dataclasses.replace(
        samples, **{k: getattr(samples, k)[::3] for k in ("vehicle", "t_s", "road", "share")}, period_s=30.0
    )
    guessed = trips.ways(thin, trips.Plans.none(), run.city)
    n = len(run.city.roads)
    allowed = set((run.city.turns["from_road"].to_numpy() * n + run.city.turns["to_road"].to_numpy()).tolist())
    before, after, _ = encode._pairs(guessed)
    assert set((before * n + after).tolist()) <= allowed
    # hardly any trip is cut, and the samples that were left out lie near the guessed ways
    assert len(guessed) < 1.02 * len(np.unique(thin.vehicle))
    right = []
    for vehicle in np.unique(samples.vehicle)[::9]:
        rows = np.flatnonzero(samples.vehicle == vehicle)
        road, _, _ = encode.positions(guessed, int(vehicle), samples.t_s[rows])
        right.append(road[road >= 0] == samples.road[rows][road >= 0])
    assert np.concatenate(right).mean() > 0.8


def _drive(city, roads, shares, times, vehicle=1_000_000_000_001):
    n = len(roads)
    return fcd.Samples(
        np.full(n, vehicle), np.array(times, float), np.array(roads, np.int32), np.array(shares, float), 10.0
    )


def _chain(city, n=4):
    """Some roads one after another."""
    after = dict(zip(city.turns["from_road"][::-1], city.turns["to_road"][::-1], strict=True))
    start = int(city.turns["from_road"].iloc[0])
    out = [start]
    while len(out) < n:
        out.append(int(after[out[-1]]))
    return out


def test_a_jump_cuts_the_trip(city):
    road = _chain(city)[0]
    middle = shapely.line_interpolate_point(city.roads.geometry.to_numpy(), 0.5, normalized=True)
    far = int(np.argmax(shapely.distance(middle, middle[road])))
    got = trips.ways(
        _drive(city, [road, road, far, far], [0.1, 0.4, 0.1, 0.3], [0, 10, 12, 20]), trips.Plans.none(), city
    )
    assert len(got) == 2
    assert got.roads.tolist() == [road, far]


def test_going_back_on_the_same_road_cuts_the_trip(city):
    road = _chain(city)[0]
    got = trips.ways(_drive(city, [road] * 4, [0.2, 0.8, 0.1, 0.5], [0, 10, 20, 30]), trips.Plans.none(), city)
    assert len(got) == 2


def test_a_road_driven_twice_is_followed_twice(city):
    """A plan that comes back to its first road: samples on both visits are placed."""
    net = city.network
    start = _chain(city)[0]
    nexts = city.turns["to_road"][city.turns["from_road"] == start].to_numpy()
    back = net.routes(nexts, np.full(len(nexts), start))
    loop = next([start, *back[i].tolist()] for i in range(len(nexts)) if len(back[i]) > 2)
    assert loop[0] == loop[-1]
    roads, shares = loop, [0.5] * len(loop)
    length = lengths(city)
    times = np.cumsum([0, *(length[r] / 10.0 for r in roads[1:])])
    vehicle = 1_000_000_000_001
    plan = trips.Plans(
        np.array([vehicle]), np.array([0, len(loop)]), np.array(loop, np.int32), np.array([-1]), np.array([-1])
    )
    got = trips.ways(_drive(city, roads, shares, times), plan, city)
    assert len(got) == 1
    assert got.roads.tolist() == loop


def test_one_sample_is_a_piece_of_one_point(city):
    road = _chain(city)[0]
    got = trips.ways(_drive(city, [road], [0.5], [100]), trips.Plans.none(), city)
    assert got.point_offsets.tolist() == [0, 1]
    meta, streams = encode.encode(got, lengths(city), 0)
    assert encode.decode(meta, streams, lengths(city)).t_s.tolist() == [100]


def test_no_samples_no_pieces(city):
    e = np.empty(0)
    none = fcd.Samples(e.astype(np.int64), e, e.astype(np.int32), e, 10.0)
    got = trips.simplified(trips.ways(none, trips.Plans.none(), city))
    assert len(got) == 0
    meta, streams = encode.encode(got, lengths(city), 0)
    assert len(encode.decode(meta, streams, lengths(city))) == 0


def test_tenths_of_seconds_are_kept(city):
    road = _chain(city)[0]
    got = trips.ways(_drive(city, [road] * 2, [0.1, 0.9], [0.3, 20.7]), trips.Plans.none(), city)
    meta, streams = encode.encode(got, lengths(city), 0)
    np.testing.assert_allclose(encode.decode(meta, streams, lengths(city)).t_s, [0.3, 20.7], atol=1e-9)


# -- leaving vehicles out ------------------------------------------------------------------------------


def test_thinning_keeps_all_buses_and_about_its_share(pieces):
    few = encode.thin(pieces, 4)
    bus = pieces.vehicle // 10**12 == 4
    assert bus.sum() == (few.vehicle // 10**12 == 4).sum() > 0
    rest = (~bus).sum()
    assert 0.12 * rest < len(few) - bus.sum() < 0.4 * rest
    np.testing.assert_array_equal(encode.thin(pieces, 1).vehicle, pieces.vehicle)
    np.testing.assert_array_equal(encode.thin(pieces, 4).vehicle, few.vehicle)
