"""Webster's fixed-time plan, and the plan policy that makes it from counts, hour by hour.

Source: Webster 1958, "Traffic signal settings", Road Research Technical Paper 39. With Y the sum over phases of the
highest ratio of flow to saturation flow, and L the lost time per cycle, the cycle of least delay is
(1.5 L + 5) / (1 − Y); green is shared in proportion to the ratios.
"""

from __future__ import annotations

import numpy as np

from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.ports import START_S, JunctionsView

LEAST_CYCLE_S, MOST_CYCLE_S = 40.0, 120.0  # practice; RiLSA 2015: 30 to 120 s
MOST_Y = 0.9  # beyond, no cycle is long enough


def optimal_cycle_s(lost_s: float, y: float) -> float:
    """Return the cycle of least delay for lost time ``lost_s`` per cycle and sum of flow ratios ``y`` < 1."""
    return (1.5 * lost_s + 5.0) / (1.0 - y)


def uniform_delay_s(cycle_s: float, green_s: float, saturation: float) -> float:
    """Return the mean delay of evenly arriving vehicles (first term of Webster's formula), s.

    ``green_s``: effective green; ``saturation``: flow over capacity, at most 1.
    """
    share = green_s / cycle_s
    return cycle_s * (1.0 - share) ** 2 / (2.0 * (1.0 - share * min(saturation, 1.0)))


def delay_s(cycle_s: float, green_s: float, flow_veh_s: float, saturation_veh_s: float) -> float:
    """Return Webster's mean delay with random arrivals, s: uniform + overflow − 10 % (his two-term form)."""
    x = flow_veh_s * cycle_s / (green_s * saturation_veh_s)
    if x >= 1.0:
        return float("inf")
    return 0.9 * (uniform_delay_s(cycle_s, green_s, x) + x * x / (2.0 * flow_veh_s * (1.0 - x)))


def flow_ratios(layout: Layout, flow_veh_h: Floats, leave_veh_s: Floats) -> Floats:
    """Return the highest ratio of flow to saturation flow among the lanes of each phase (P).

    A lane that several phases serve is shared among them; lanes whose flow is not known (nan) count nothing.
    """
    use = layout.lane_served[layout.pair_lane]
    phase, lane = layout.pair_phase[use], layout.pair_lane[use]
    served = np.maximum(np.bincount(lane, minlength=layout.n_lanes), 1)
    ratio = np.nan_to_num(flow_veh_h / served)[lane] / 3600.0 / np.maximum(leave_veh_s[use], 0.1)
    y = np.zeros(layout.n_phases)
    np.maximum.at(y, phase, ratio)
    return y


class WebsterByHour:
    """Makes plans from the flows of late; phases keep their order; junctions without counts keep their plan."""

    def plan(self, view: JunctionsView) -> tuple[Ints, Ints]:
        """See the Protocol."""
        layout, told = view.layout, view.layout.told
        y = flow_ratios(layout, view.flow_veh_h, view.leave_veh_s)
        green = view.plans.green_s.copy()
        for j in range(layout.n_junctions):
            rows = np.arange(layout.first_phase[j], layout.first_phase[j + 1])
            used = rows[view.plans.green_s[rows] > 0]
            total = float(y[used].sum())
            if total > 0.0:
                green[used] = _greens(layout, used, y[used], total, told.phase_min_s[used])
        return green, view.plans.offset_s


def _greens(layout: Layout, used: Ints, y: Floats, total: float, least: Ints) -> Ints:
    change = layout.change_time(used, np.roll(used, -1)).astype(np.float64)
    lost = float((change + START_S).sum())
    cycle = np.clip(optimal_cycle_s(lost, min(total, MOST_Y)), LEAST_CYCLE_S, MOST_CYCLE_S)
    effective = max(float(cycle) - lost, 0.0) * y / total
    return np.asarray(np.maximum(np.round(effective + START_S), least), dtype=np.int64)
