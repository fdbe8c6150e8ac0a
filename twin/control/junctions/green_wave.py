"""Green waves: one cycle for a group of junctions, and offsets so that platoons meet green.

The plan policy takes Webster's greens, gives all junctions that traffic links one common cycle, and chooses the offsets
one by one: in the order of the traffic that comes from junctions whose offset is settled, each takes the offset that
lets most vehicles arrive at green (arrivals as an even platoon, over the time in which the feeding phase is green, one
free-flow travel time later). Source: the combination of link efficiency functions in Little 1966 (MAXBAND) and
TRANSYT (Robertson 1969), with platoons that do not disperse, by a greedy search.
"""

from __future__ import annotations

import numpy as np

from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.plans import Plans
from twin.control.junctions.ports import JunctionsView
from twin.control.junctions.webster import WebsterByHour


class GreenWave:
    """See the module's text."""

    def plan(self, view: JunctionsView) -> tuple[Ints, Ints]:
        """See the Protocol."""
        layout = view.layout
        green, offset = WebsterByHour().plan(view)
        plans = Plans.of(layout, green, offset)
        cycle = int(plans.cycle_s.max(initial=1))
        green = _stretch(layout, plans, cycle)
        plans = Plans.of(layout, green, np.zeros_like(offset))
        return green, _offsets(layout, plans, cycle, np.nan_to_num(view.flow_veh_h))


def _stretch(layout: Layout, plans: Plans, cycle_s: int) -> Ints:
    """Return greens stretched in proportion so that every cycle lasts ``cycle_s``."""
    green = plans.green_s.copy()
    for j in range(layout.n_junctions):
        rows = np.arange(layout.first_phase[j], layout.first_phase[j + 1])
        used = rows[green[rows] > 0]
        more = cycle_s - int(plans.cycle_s[j])
        share = np.floor(more * green[used] / green[used].sum()).astype(np.int64)
        share[np.argmax(green[used])] += more - share.sum()
        green[used] += share
    return green


def _green_at(layout: Layout, plans: Plans, cycle_s: int) -> Floats:
    """Return (L, cycle): 1 where the lane has green in that second of its junction's cycle, at offset 0."""
    table = np.zeros((layout.n_lanes, cycle_s))
    for phase, lane in zip(layout.pair_phase.tolist(), layout.pair_lane.tolist(), strict=True):
        if plans.green_s[phase] > 0:
            begin = int(plans.begin_s[phase])
            table[lane, begin : begin + int(plans.green_s[phase])] = 1.0
    return table


def _offsets(layout: Layout, plans: Plans, cycle_s: int, flow_veh_h: Floats) -> Ints:
    told = layout.told
    table = _green_at(layout, plans, cycle_s)
    offset = np.zeros(layout.n_junctions, dtype=np.int64)
    travel = told.lane_length_m / np.maximum(told.lane_speed_m_s, 1.0)
    weight = flow_veh_h[layout.feeds_lane] * layout.feeds_share
    start, end = told.lane_junction[layout.feeds_lane], told.lane_junction[layout.feeds_to]
    traffic = np.zeros((layout.n_junctions, layout.n_junctions))
    np.add.at(traffic, (start, end), weight)
    both = traffic + traffic.T
    settled = np.zeros(layout.n_junctions, dtype=bool)
    for _ in range(layout.n_junctions):
        pull = np.where(settled, -1.0, both[:, settled].sum(axis=1) if settled.any() else both.sum(axis=1))
        j = int(np.argmax(pull))
        rows = np.flatnonzero((settled[start] & (end == j)) | (settled[end] & (start == j)))
        if rows.size and pull[j] > 0:
            offset[j] = _best_offset(layout, table, cycle_s, offset, travel, weight, rows, j)
        settled[j] = True
    return offset


def _best_offset(
    layout: Layout, table: Floats, cycle_s: int, offset: Ints, travel: Floats, weight: Floats, rows: Ints, j: int
) -> int:
    """Return the offset of ``j`` that lets most of the flows ``rows`` arrive at green."""
    told = layout.told
    value = np.zeros(cycle_s)
    for row in rows.tolist():
        a, b = int(layout.feeds_lane[row]), int(layout.feeds_to[row])
        leaves, goes = np.fft.rfft(table[a]), np.fft.rfft(table[b])
        # meet[s]: seconds in which a's green, s seconds later, meets b's green
        meet = np.fft.irfft(np.conj(leaves) * goes, cycle_s)
        shift = round(float(travel[b]))
        every = np.arange(cycle_s)
        if int(told.lane_junction[b]) == j:  # b's green is moved by the candidate, a's by its settled offset
            lag = (int(offset[told.lane_junction[a]]) + shift - every) % cycle_s
        else:
            lag = (every + shift - int(offset[told.lane_junction[b]])) % cycle_s
        value += weight[row] / max(table[a].sum(), 1.0) * meet[lag]
    return int(np.argmax(np.round(value, 6)))
