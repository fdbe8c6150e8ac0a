"""The log: order, digest, Parquet, questions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import ScenarioError
from twin.events import RoadClosed, TripEnded, VehicleArrived, columns, kinds
from twin.log import Facts, Log, schema


def _fill(log: Log, seals: set[int], shift: int = 0) -> Log:
    for minute in range(20):
        n = 5 + minute % 3
        t = minute * 60 + np.arange(n) * 7
        log.add(VehicleArrived, t_s=t, vehicle=np.arange(n) + minute, kind="car", duration_s=np.arange(n) + shift)
        log.add(RoadClosed, t_s=minute * 60, road=minute, cause="works")
        if minute in seals:
            log.seal(minute * 60)
    return log


@given(seals=st.sets(st.integers(0, 19)))
def test_digest_depends_on_the_facts_not_on_when_they_were_sealed(seals):
    a, b = _fill(Log(), set()), _fill(Log(part_rows=0), seals)
    a.close(), b.close()
    assert a.digest == b.digest


def test_digest_sees_one_changed_value():
    a, b = _fill(Log(), set()), _fill(Log(), set(), shift=1)
    a.close(), b.close()
    assert a.digest != b.digest


def test_rows_are_in_order_of_time_then_of_appending(tmp_path):
    log = Log(tmp_path / "events.parquet")
    log.add(RoadClosed, t_s=30, road=1, cause="b")
    log.add(RoadClosed, t_s=10, road=2, cause="a")
    log.add(VehicleArrived, t_s=[10, 20], vehicle=[5, 6], kind=["car", "bus"], duration_s=3)
    log.close()
    table = Facts.read(tmp_path).table(columns=["t_s", "fact", "road", "vehicle"]).to_pylist()
    assert [(r["t_s"], r["road"], r["vehicle"]) for r in table] == [
        (10, 2, None),
        (10, None, 5),
        (20, None, 6),
        (30, 1, None),
    ]


def test_file_and_memory_answer_alike(tmp_path):
    on_disk = _fill(Log(tmp_path / "events.parquet"), {3, 9})
    in_memory = _fill(Log(), {3, 9})
    d, m = on_disk.close(), in_memory.close()
    assert on_disk.digest == in_memory.digest
    assert d.table(VehicleArrived).to_pylist() == m.table(VehicleArrived).to_pylist()
    query = "select kind, count(*) as n, sum(duration_s) as s from events where fact = 'VehicleArrived' group by 1"
    assert d.sql(query).to_dict() == m.sql(query).to_dict()


def test_wrong_fields_lengths_and_types_are_refused():
    log = Log()
    with pytest.raises(TypeError, match="RoadClosed: fields missing or unknown: cause, why"):
        log.add(RoadClosed, t_s=1, road=1, why="x")
    with pytest.raises(TypeError, match="different lengths"):
        log.add(VehicleArrived, t_s=[1, 2], vehicle=[1, 2, 3], kind="car", duration_s=1)
    with pytest.raises(TypeError, match=r"VehicleArrived\.vehicle: expected int"):
        log.add(VehicleArrived, t_s=[1], vehicle=["a"], kind="car", duration_s=1)


def test_empty_columns_add_nothing():
    log = Log()
    log.add(VehicleArrived, t_s=np.empty(0), vehicle=np.empty(0), kind="car", duration_s=np.empty(0))
    assert log.count == 0
    assert log.close().table(TripEnded).num_rows == 0


def test_every_kind_is_documented_and_every_field_has_one_type():
    assert set(schema().names) == {"t_s", "fact", *columns()}
    for name, kind in kinds().items():
        assert kind.__doc__, name
        assert not kind.__doc__.startswith(f"{name}("), f"{name} has no text of its own"


def test_a_folder_without_a_whole_log_is_one_sentence(tmp_path):
    with pytest.raises(ScenarioError, match="holds no run"):
        Facts.read(tmp_path)
    (tmp_path / "events.parquet").write_bytes(b"PAR1")
    with pytest.raises(ScenarioError, match=r"events\.parquet: is not a complete log .* run it again"):
        Facts.read(tmp_path)


def test_facts_one_by_one_and_as_columns_give_the_same_log():
    """With rows of later seconds in between, and a seal in the middle of them."""
    one, columns_ = Log(part_rows=0), Log(part_rows=0)
    t, vehicle, took = np.array([5, 90, 7, 60]), np.array([4, 3, 2, 10**15]), np.array([1.0, 2.0, 3.0, 4.0])
    for i in range(4):
        one.add(VehicleArrived, t_s=int(t[i]), vehicle=int(vehicle[i]), kind="car", duration_s=int(took[i]))
        one.add(RoadClosed, t_s=int(t[i]), road=i, cause="works")
    for i in range(4):
        part = slice(i, i + 1)
        columns_.add(VehicleArrived, t_s=t[part], vehicle=vehicle[part], kind="car", duration_s=took[part])
        columns_.add(RoadClosed, t_s=t[part], road=[i], cause=["works"])
    for log in (one, columns_):
        log.seal(60)
        assert log.count == 8
    a, b = one.close(), columns_.close()
    assert one.digest == columns_.digest
    assert a.table().to_pylist() == b.table().to_pylist()
    assert a.table(VehicleArrived)["vehicle"].to_pylist() == [4, 2, 10**15, 3]
