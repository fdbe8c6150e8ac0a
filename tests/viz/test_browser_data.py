"""The page reads what Python wrote: positions, trips and the state of the roads come out the same on both sides."""

from __future__ import annotations

import numpy as np
import pytest

from viz import encode, fcd, trips
from viz import map as viz_map

pytestmark = pytest.mark.browser


def test_positions_agree_with_python(page, run_dir):
    """The page's own look-up of where vehicles are, against the pieces Python encoded, and against SUMO's samples."""
    run = viz_map._open(run_dir)
    samples = fcd.read(run_dir / "fcd.parquet", run.city)
    length = run.city.roads["length_m"].to_numpy(float)
    simple = trips.simplified(trips.ways(samples, viz_map._plans(run), run.city))
    coded = encode.decode(*encode.encode(simple, length, run.begin_s), length)
    rows = np.arange(0, len(samples), 41)
    piece = np.searchsorted(coded.vehicle, samples.vehicle[rows])
    asked = [[int(p), float(t - run.begin_s)] for p, t in zip(piece, samples.t_s[rows], strict=True)]
    got = page.js("return arg.map(([i, t]) => { const s = app.locate(i, t); return [s.road, s.pos, s.s]; })", asked)
    road, pos, way = (np.array(c, float) for c in zip(*got, strict=True))
    for k, (i, t) in enumerate(asked):
        p = slice(*coded.point_offsets[i : i + 2])
        assert way[k] == pytest.approx(np.interp(t + run.begin_s, coded.t_s[p], coded.s_m[p]), abs=0.1)
    same = road == samples.road[rows]
    assert same.mean() > 0.95
    assert np.abs(pos - samples.share[rows] * length[samples.road[rows]])[same].max() < 5.0


def test_points_agree_with_the_city(page, city):
    """Degrees worked out by the page, turned back into local metres, lie on the road's line."""
    import shapely

    got = page.js(
        """
        app.seek(900);
        const out = [];
        for (let i = 0; i < app.trips.n && out.length < 60; i++)
          if (app.trips.begins[i] < 890 && app.trips.ends[i] > 910) {
            const s = app.locate(i, 900);
            out.push([s.road, s.pos, app.city.centre[0] + s.x, app.city.centre[1] + s.y]);
          }
        return out;
        """
    )
    assert len(got) > 10
    road, pos, lon, lat = (np.array(c) for c in zip(*got, strict=True))
    x, y = city.to_local(lon, lat)
    lines = city.roads.geometry.to_numpy()[road.astype(int)]
    share = pos / city.roads["length_m"].to_numpy()[road.astype(int)]
    want = shapely.line_interpolate_point(lines, share, normalized=True)
    on_road = share < 0.999  # beyond the end it is on the junction
    assert shapely.distance(want, shapely.points(x, y))[on_road].max() < 1.5


def test_trips_agree_with_the_facts(page, run_dir):
    run = viz_map._open(run_dir)
    start = run.facts.frame("TripStarted").sort_values(["resident", "trip"])
    end = run.facts.frame("TripEnded").set_index(["resident", "trip"])["duration_s"]
    got = page.js(
        """
        const t = app.tasks;
        const keys = ["resident", "trip", "mode", "purpose", "origin", "destination", "t", "planned", "due"];
        const plain = (v) => (Number.isNaN(v) ? null : v);
        return Object.fromEntries([...keys, "expected", "status", "duration"].map((k) => [k, Array.from(t[k], plain)]));
        """
    )
    for name in ("resident", "trip", "mode", "purpose", "origin", "destination"):
        assert got[name] == start[name].tolist(), name
    assert got["t"] == (start["t_s"] - run.begin_s).tolist()
    assert got["planned"] == (start["planned_s"] - run.begin_s).tolist()
    assert got["due"] == [None if d < 0 else d - run.begin_s for d in start["due_s"]]
    for k, (resident, trip) in enumerate(zip(start["resident"], start["trip"], strict=True)):
        if (resident, trip) in end.index:
            assert (got["status"][k], got["duration"][k]) == (1, end[(resident, trip)])
        else:
            assert got["status"][k] == 0


def test_state_agrees_with_python(page, run_dir):
    from viz.state import road_state

    run = viz_map._open(run_dir)
    samples = fcd.read(run_dir / "fcd.parquet", run.city)
    pieces = trips.ways(samples, viz_map._plans(run), run.city)
    about = page.js("return { begin: app.about.begin_s, end: app.about.end_s }")
    length = run.city.roads["length_m"].to_numpy(float)
    state = road_state(pieces, length, about["begin"], about["end"])
    entered = page.js(
        "const n = app.city.roads.n; const out = [];"
        "for (let k = 0; k < app.state.steps; k++)"
        "  out.push(Array.from({ length: n }, (_, r) => app.state.entered(r, k)));"
        "return out;"
    )
    np.testing.assert_array_equal(np.array(entered), state.entered)
    speed = page.js(
        "const at = (r) => { const v = app.state.speed(r, 2); return v >= 0 ? v : null; };"
        "return Array.from({ length: app.city.roads.n }, (_, r) => at(r));"
    )
    want = state.speed_m_s[2]
    assert [v is None for v in speed] == np.isnan(want).tolist()
    ours = np.array([np.nan if v is None else v for v in speed])
    np.testing.assert_allclose(ours, want, atol=0.26)
