"""What people swap in signal control: one-method policies over a frozen view of all junctions at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.control.junctions.layout import Floats, Ints, Layout
from twin.control.junctions.plans import Plans

Bools = npt.NDArray[np.bool_]

#: vehicles per second of green that leave a lane at saturation: HCM 6 (ch. 19) base 1,900 veh/h/lane
SATURATION_VEH_S = 1900.0 / 3600.0
#: share of it for a lane whose best link gives way (permitted left turns against traffic; HCM 6: 0.2–0.5), assumed
PERMITTED = 0.4
#: seconds of green lost until a standing queue moves (HCM 6, start-up lost time)
START_S = 2.0


@dataclass(frozen=True)
class JunctionsView:
    """What central control knows at ``now_s``; J junctions, L approach lanes (rows as in the layout). Do not write.

    phase, to, since_s (J): as in ``SignalStates``, at ``now_s``; ``may_change`` (J): green, and for long enough.
    queue, moving (L): standing vehicles, and driving ones in range – never nan: where nothing is perceived
    (``known`` False) they are what the lane's own plan would serve. waiting_s (L): longest standing time. gap_s (L):
    seconds since the last vehicle at the stop line (inf: long). red_s (L): seconds since the lane was served last.
    object_lane/object_eta_s: moving vehicles one by one, seconds to the stop line. flow_veh_h (L): vehicles per hour
    of late (nan: not known); interval_s: seconds until the next decision. leave_veh_s
    (pairs of phase and lane): saturation flow, 0 where the lane is stuck. plans: the junctions' own plans.
    """

    now_s: int
    layout: Layout
    plans: Plans
    phase: Ints
    to: Ints
    since_s: Ints
    may_change: Bools
    known: Bools
    queue: Floats
    moving: Floats
    waiting_s: Floats
    gap_s: Floats
    red_s: Floats
    object_lane: Ints
    object_eta_s: Floats
    flow_veh_h: Floats
    leave_veh_s: Floats
    interval_s: int = 1

    def or_stay(self, wish: Ints) -> Ints:
        """Return ``wish`` where a change is allowed now, and the present (or coming) phase elsewhere."""
        return np.asarray(np.where(self.may_change, wish, self.to))

    def best(self, score: Floats) -> Ints:
        """Return the phase row with the highest ``score`` (P) of each junction; the first of equals."""
        layout = self.layout
        k = layout.change_s.shape[1]
        table = np.full((layout.n_junctions, k), -np.inf)
        junction = layout.told.phase_junction
        allowed = layout.change_s[self.phase[junction], layout.column] >= 0
        table[junction, layout.column] = np.where(allowed, score, -np.inf)
        return np.asarray(layout.first_phase[:-1] + table.argmax(axis=1))


class SignalPolicy(Protocol):
    """Chooses phases, all junctions at once, second by second."""

    def wish(self, view: JunctionsView) -> Ints:
        """Return the wanted phase row per junction (J).

        A junction that is changing, or whose minimum green is not over, must be left where it is
        (:meth:`JunctionsView.or_stay`); anything else is a ControlError.
        """


class PlanPolicy(Protocol):
    """Makes the junctions' own plans, once in a while (such as every hour)."""

    def plan(self, view: JunctionsView) -> tuple[Ints, Ints]:
        """Return green seconds per phase (P; 0 leaves it out) and offset per junction (J)."""
