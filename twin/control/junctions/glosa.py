"""Green light optimal speed advice (GLOSA, 绿波车速引导) for connected vehicles on the approach to a signal.

A vehicle that would arrive at red is advised the speed with which it arrives when the green begins and the queue ahead
has gone. Use case of C2C-CC and T/CSAE 53-2020 ("GLOSA"); SPATEM carries it as ``AdvisorySpeed`` (ETSI TS 103 301).
The rule is that of Katsaros et al. 2011, "Performance study of a Green Light Optimized Speed Advisory (GLOSA)
application", IWCMC: one signal ahead, speeds between a least one and the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin.control.junctions.layout import Floats


@dataclass(frozen=True)
class GlosaView:
    """Vehicles on the way to a signal at ``now_s``: equal-length columns (V). Do not write.

    ``distance_m`` to the stop line; ``green``: (V, 2) begins and ``red``: (V, 2) ends of the next two greens, seconds
    from now; ``confidence`` of those times; ``queue``: vehicles standing before it on its lane, ``moving``:
    driving ones.
    """

    now_s: int
    distance_m: Floats
    speed_m_s: Floats
    limit_m_s: Floats
    green_s: Floats
    red_s: Floats
    confidence: Floats
    queue: Floats
    moving: Floats


class GlosaPolicy(Protocol):
    """Chooses advisory speeds."""

    def advise(self, view: GlosaView) -> Floats:
        """Return a speed per vehicle (V), m/s; inf: no advice. Speeds above the limit are cut to it by the desk."""


@dataclass(frozen=True)
class Glosa:
    """See the module's text. ``least_m_s``: nobody is asked to drive more slowly (20 km/h, assumed).

    ``margin_s``: arrival after the begin of green; ``discharge_s``: per vehicle of the queue (1 / 1,900 veh/h, HCM 6);
    ``least_confidence``: of the signal's times; ``least_m``: no advice just before the line.
    """

    least_m_s: float = 20.0 / 3.6
    margin_s: float = 1.0
    discharge_s: float = 1.9
    start_s: float = 2.0
    least_confidence: float = 0.5
    least_m: float = 20.0
    step_m_s: float = 0.5

    def advise(self, view: GlosaView) -> Floats:
        """See the Protocol."""
        soonest_s = view.distance_m / np.maximum(view.limit_m_s, 0.1)
        # whoever drives before it at red will stand before it, too
        before = view.queue + np.where(view.green_s[:, 0] > 0, view.moving, 0.0)
        free_s = np.where(before > 0, self.start_s + self.discharge_s * before, 0.0)
        advice = np.full(view.distance_m.size, np.inf)
        settled = np.zeros(view.distance_m.size, dtype=bool)
        for k in range(view.green_s.shape[1]):
            # the queue of now goes in the first green only
            clear_s = view.green_s[:, k] + (free_s if k == 0 else 0.0)
            usable = ~settled & (np.maximum(clear_s, soonest_s) < view.red_s[:, k])
            settled |= usable
            early = usable & (soonest_s < clear_s)
            advice[early] = view.distance_m[early] / (clear_s[early] + self.margin_s)
        advice = np.where(np.isfinite(advice), np.floor(advice / self.step_m_s) * self.step_m_s, np.inf)
        silent = (view.confidence < self.least_confidence) | (view.distance_m < self.least_m)
        silent |= (advice < self.least_m_s) | (advice >= view.limit_m_s)
        return np.asarray(np.where(silent, np.inf, advice))
