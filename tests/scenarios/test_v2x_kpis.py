"""Indicators of V2X against values worked out by hand."""

from __future__ import annotations

import pytest

from scenarios import kpis
from tests.scenarios.tiny import Tiny
from twin import events
from twin.log import Facts


def v2x_run() -> Facts:
    """Two counts of latencies, four measurements of channels, two of coverage, three trips, four hazards met."""
    t = Tiny()
    # CAM: 60 in the bin to 10 ms (in two counts), 38 to 20 ms, 2 to 50 ms
    t.add(
        events.LatencyCounted, [60, 60, 120, 120], way="cam", upper_ms=[10.0, 20.0, 10.0, 50.0], count=[40, 38, 20, 2]
    )
    # exchange: 49 to 251.638 ms, 30 to 304.482 (the bin that 300 lies in), 20 to 334.93, 1 to 490.371
    t.add(events.LatencyCounted, 120, way="exchange", upper_ms=[251.638, 304.482, 334.93, 490.371],
          count=[49, 30, 20, 1])  # fmt: skip
    t.add(events.ExchangeMeasured, [60, 120], budget_ms=300.0, orders=[40, 60], over_budget=[5, 16],
          left_aside=[0, 3], exchange_lost=[1, 1])  # fmt: skip
    t.add(events.LatencyCounted, 120, way="denm", upper_ms=9000.0, count=1000)
    t.add(events.ChannelMeasured, [60, 60, 120, 120], junction=[1, 2, 1, 2], stations=9, sent=[100, 50, 0, 50],
          heard=[90, 50, 0, 40], busy=[0.1, 0.2, 0.3, 0.5])  # fmt: skip
    t.add(events.CoverageMeasured, [60, 120], stations=[30, 10], covered=[27, 5])
    t.add(events.TripDriven, 100, vehicle=[1, 2, 3], standstills=[0, 2, 5], fuel_g=[50.0, 100.0, 350.0],
          distance_m=[1000.0, 2000.0, 5000.0])  # fmt: skip
    # exactly 4.5 m/s² can still be braked
    t.add(events.HazardMet, 100, hazard=1, vehicle=[1, 2, 3, 4], warned=[True, True, True, False],
          needs_m_s2=[1.0, 4.5, 4.6, 99.0])  # fmt: skip
    return t.end(200)


BY_HAND = {
    "v2x_latency_p50_ms": 10.0,  # the 50th of 100
    "v2x_latency_p99_ms": 50.0,  # the 99th
    "v2x_exchange_p50_ms": 304.482,  # the 50th; 49 were quicker
    "v2x_exchange_p99_ms": 334.93,  # the 99th, the last of that bin
    "v2x_exchange_over_budget": 100 * 21 / 100,
    "v2x_orders_left_aside": 100 * 3 / 100,
    "v2x_channel_busy": 100 * (0.3 + 0.85 * 0.2),  # position 0.95 · 3 = 2.85
    "v2x_heard_share": 100 * 180 / 200,
    "v2x_coverage": 100 * 32 / 40,
    "standstills_per_trip": 7 / 3,
    "fuel_g_km": 500 / 8,
    "hazards_critical_share": 100 * 2 / 4,
    "hazards_warned_share": 100 * 3 / 4,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_v2x_values_worked_out_by_hand(name: str) -> None:
    assert kpis.by_name(name)(v2x_run()) == pytest.approx(BY_HAND[name])
