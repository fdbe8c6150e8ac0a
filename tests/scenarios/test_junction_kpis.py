"""Indicators of junctions against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios import kpis
from twin.events import (
    ApproachDelayed,
    JunctionGraded,
    PriorityAsked,
    RunEnded,
    RunStarted,
    SignalPassed,
    SignalsFellBack,
)
from twin.log import Facts, Log


def small_run() -> Facts:
    """Two junctions. A bus uses road 10 towards the first; 11 crosses it; 20 leads to the second."""
    log = Log()
    log.add(RunStarted, t_s=0, scenario="s", seed=1, city="c", traffic="meso", residents=0)
    text = lambda *words: np.array(words, dtype=object)  # noqa: E731
    log.add(
        JunctionGraded, t_s=np.zeros(2), junction=np.arange(2), name=text("a", "b"), grade=text("L3", "L2"),
        x_m=np.zeros(2), y_m=np.zeros(2),
    )  # fmt: skip
    log.add(
        ApproachDelayed, t_s=np.full(3, 900), junction=np.array([0, 0, 1]), road=np.array([10, 11, 20]), period_s=900,
        delay_veh_s=np.array([600.0, 300.0, 900.0]), passed_veh=np.array([30.0, 20.0, 50.0]),
    )  # fmt: skip
    for vehicle, kind, delay, granted in (
        (1, "bus", 12.0, True),
        (2, "shuttle", 24.0, False),
        (3, "responder", 0.0, True),
    ):
        log.add(PriorityAsked, t_s=100, vehicle=vehicle, kind=kind, junction=0, eta_s=20.0)
        log.add(
            SignalPassed, t_s=130, vehicle=vehicle, kind=kind, junction=0, road=10, delay_s=delay, halted_s=0,
            distance_m=200.0, granted=granted,
        )  # fmt: skip
    log.add(PriorityAsked, t_s=800, vehicle=4, kind="bus", junction=0, eta_s=20.0)
    log.add(SignalsFellBack, t_s=500, junction=1, reason="link lost")
    log.add(RunEnded, t_s=900, reason="finished")
    return log.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("signal_delay", 1800 / 100),
        ("signal_delay_hours", 1800 / 3600),
        ("bus_signal_delay", (12 + 24) / 2),  # a fire engine is no bus
        ("cross_delay", 300 / 20),  # road 11 only: 10 has buses, and no bus passes the second junction
        ("priority_granted", 100 * 2 / 4),
        ("signal_fallbacks", 1),
    ],
)
def test_values_worked_out_by_hand(name: str, expected: float) -> None:
    assert kpis.by_name(name)(small_run()) == pytest.approx(expected)
