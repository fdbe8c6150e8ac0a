"""Reading SUMO's positions: with lanes or edges, with or without the position along them; bad files in one sentence."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from viz import fcd
from viz.errors import MapError


@pytest.fixture(scope="module")
def table(run_dir):
    return pq.read_table(run_dir / "fcd.parquet")


def read(tmp_path, city, table):
    pq.write_table(table, tmp_path / "fcd.parquet")
    return fcd.read(tmp_path / "fcd.parquet", city)


def test_samples_are_sorted_and_on_roads(table, city, tmp_path):
    got = read(tmp_path, city, table)
    assert len(got) > 1000
    assert got.period_s == 10
    order = np.lexsort((got.t_s, got.vehicle))
    np.testing.assert_array_equal(order, np.arange(len(got)))
    assert ((got.share >= 0) & (got.share <= 1)).all()
    assert (got.road >= 0).all()
    off_road = sum(e is None or e.startswith(":") for e in table["vehicle_edge"].to_pylist())
    assert 0 < off_road < 0.1 * len(table)
    assert len(got) == len(table) - off_road
    assert got.dropped == off_road


def test_position_from_x_y_agrees_with_the_one_given(table, city, tmp_path):
    given_pos = read(tmp_path, city, table)
    from_xy = read(tmp_path, city, table.drop_columns(["vehicle_pos"]))
    length = city.roads["length_m"].to_numpy()[given_pos.road]
    assert (np.abs(given_pos.share - from_xy.share) * length).max() < 3.0


def test_projection_agrees_with_shapely(table, city):
    part = table.slice(0, 3000)
    index = city.road_index
    rows = np.flatnonzero([e is not None and e[0] != ":" for e in part["vehicle_edge"].to_pylist()])
    road = np.array([index[part["vehicle_edge"][int(i)].as_py()] for i in rows], dtype=np.int32)
    ours = fcd._project(part, rows, road, city)
    x = part["vehicle_x"].to_numpy()[rows] - city.net_offset[0]
    y = part["vehicle_y"].to_numpy()[rows] - city.net_offset[1]
    theirs = shapely.line_locate_point(city.roads.geometry.to_numpy()[road], shapely.points(x, y), normalized=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_lanes_instead_of_edges(table, city, tmp_path):
    edges = table["vehicle_edge"].to_pylist()
    lanes = pa.array([None if e is None else f"{e}_1" for e in edges])
    other = table.drop_columns(["vehicle_edge", "vehicle_lane"]).append_column("vehicle_lane", lanes)
    want, got = read(tmp_path, city, table), read(tmp_path, city, other)
    np.testing.assert_array_equal(want.road, got.road)
    np.testing.assert_allclose(want.share, got.share)


def test_a_second_twice_is_taken_once(table, city, tmp_path):
    twice = pa.concat_tables([table, table.slice(100, 500)])
    assert len(read(tmp_path, city, twice)) == len(read(tmp_path, city, table))


def test_an_empty_file_has_no_samples(table, city, tmp_path):
    assert len(read(tmp_path, city, table.slice(0, 0))) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_columns(["vehicle_id"]), "has no column 'vehicle_id'"),
        (lambda t: t.drop_columns(["vehicle_lane", "vehicle_edge"]), "needs vehicle_lane or vehicle_edge"),
        (lambda t: t.drop_columns(["vehicle_pos", "vehicle_x"]), "vehicle_pos or vehicle_x and vehicle_y"),
        (
            lambda t: t.set_column(
                t.column_names.index("vehicle_edge"), "vehicle_edge", pa.array(["nowhere"] * len(t))
            ),
            "road 'nowhere' is not in the city",
        ),
        (
            lambda t: t.set_column(t.column_names.index("vehicle_id"), "vehicle_id", pa.array(["anna"] * len(t))),
            "'anna' is not a vehicle number",
        ),
    ],
)
def test_wrong_files_are_explained(table, city, tmp_path, change, words):
    with pytest.raises(MapError, match=words):
        read(tmp_path, city, change(table))


def test_missing_and_broken_files(city, tmp_path):
    with pytest.raises(MapError, match="missing"):
        fcd.read(tmp_path / "fcd.parquet", city)
    (tmp_path / "fcd.parquet").write_bytes(b"half a file")
    with pytest.raises(MapError, match="not readable"):
        fcd.read(tmp_path / "fcd.parquet", city)
