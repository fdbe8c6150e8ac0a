"""Incident traffic control: closures and breakdowns of flow in, rerouting advice and speed limits out.

Part of the cloud control platform (F20). Two kinds of incident are handled alike:

* a *closure* that somebody reports – known at once, over when it is reported over;
* a *breakdown* seen by detectors – the mean speed of a road stays below ``BREAKDOWN`` of its limit while it is
  occupied, for ``HOLD`` readings in a row; over when it stays above ``RECOVERED`` for as many (hysteresis).
  A reading without vehicles or a missing reading is *no recovery*: an unknown road stays as it was.

While an incident lasts, drivers are advised to avoid the road (advice runs out after ``ADVICE_S`` and is renewed
before that, so it dies with its controller), and a closure slows the roads that lead into it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from twin.domain.commands import AvoidRoad, Command, LiftSpeedLimit, SetSpeedLimit, WakeAt, WithdrawAdvice
from twin.domain.messages import ClosureReport, DetectorReadings, Message, RoadMap

BREAKDOWN = 0.30  # share of the limit; below it flow has broken down (level of service F, HCM 6: about 1/3)
RECOVERED = 0.55
OCCUPIED = 0.20  # share of the road covered by vehicles, below which a low speed means a red light, not a jam
HOLD = 2  # readings in a row
ADVICE_S = 900
RENEW_S = 600
APPROACH_SHARE = 0.6  # of the limit on roads that lead into a closure
MIN_LIMIT_M_S = 30 / 3.6


@dataclass
class _Incident:
    road: int
    closure: bool
    serial: int
    advised_until_s: int = 0
    slowed: list[int] = field(default_factory=list)


class IncidentTraffic:
    """Keeps the list of open incidents; see the module's text. State is rebuilt by replaying its messages."""

    def __init__(self) -> None:
        self._limit_m_s: dict[int, float] = {}
        self._into: dict[int, list[int]] = {}
        self._open: dict[int, _Incident] = {}
        self._slow: dict[int, int] = {}
        self._fine: dict[int, int] = {}
        self._slowed_by: dict[int, int] = {}
        self._seen: set[str] = set()
        self._serial = 0

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Fold the messages into the incidents and answer with what changed."""
        out: list[Command] = []
        for message in messages:
            if message.key in self._seen:
                continue  # told twice
            self._seen.add(message.key)
            if isinstance(message, RoadMap):
                self._learn(message)
            elif isinstance(message, ClosureReport):
                out += self._report(now_s, message)
            elif isinstance(message, DetectorReadings):
                out += self._readings(now_s, message)
        out += self._renew(now_s)
        return out

    # -- messages --------------------------------------------------------------------------------------

    def _learn(self, told: RoadMap) -> None:
        self._limit_m_s = dict(zip(told.road.tolist(), told.limit_m_s.tolist(), strict=True))
        self._into = {}
        for a, b in zip(told.turn_from.tolist(), told.turn_to.tolist(), strict=True):
            self._into.setdefault(b, []).append(a)

    def _report(self, now_s: int, told: ClosureReport) -> list[Command]:
        known = self._open.get(told.road)
        if not told.closed:
            return self._end(now_s, told.road) if known is not None and known.closure else []
        if known is not None and known.closure:
            return []
        out = self._end(now_s, told.road) if known is not None else []
        return out + self._begin(now_s, told.road, closure=True)

    def _readings(self, now_s: int, told: DetectorReadings) -> list[Command]:
        out: list[Command] = []
        rows = zip(
            told.road.tolist(),
            told.count.tolist(),
            told.speed_m_s.tolist(),
            told.occupancy.tolist(),
            strict=True,
        )
        for road, _, speed, occupancy in rows:
            limit = self._limit_m_s.get(road)
            if limit is None or math.isnan(speed):
                continue  # unknown is neither broken down nor recovered
            slow = speed < BREAKDOWN * limit and occupancy >= OCCUPIED
            fine = speed > RECOVERED * limit
            self._slow[road] = self._slow.get(road, 0) + 1 if slow else 0
            self._fine[road] = self._fine.get(road, 0) + 1 if fine else 0
            incident = self._open.get(road)
            if incident is None and self._slow[road] >= HOLD:
                out += self._begin(now_s, road, closure=False)
            elif incident is not None and not incident.closure and self._fine[road] >= HOLD:
                out += self._end(now_s, road)
        return out

    # -- incidents -------------------------------------------------------------------------------------

    def _begin(self, now_s: int, road: int, closure: bool) -> list[Command]:
        self._serial += 1
        incident = _Incident(road, closure, self._serial)
        self._open[road] = incident
        out: list[Command] = []
        if closure:
            for approach in self._into.get(road, ()):
                holder = self._slowed_by.get(approach, 0)
                self._slowed_by[approach] = holder + 1
                incident.slowed.append(approach)
                if holder == 0:
                    limit = max(APPROACH_SHARE * self._limit_m_s.get(approach, 0.0), MIN_LIMIT_M_S)
                    out.append(SetSpeedLimit(f"limit/{approach}/{incident.serial}", approach, limit))
        return out + self._advise(now_s, incident)

    def _end(self, now_s: int, road: int) -> list[Command]:
        incident = self._open.pop(road)
        out: list[Command] = []
        if incident.advised_until_s > now_s:
            out.append(WithdrawAdvice(f"withdraw/{road}/{incident.serial}", road))
        for approach in incident.slowed:
            self._slowed_by[approach] -= 1
            if self._slowed_by[approach] == 0:
                out.append(LiftSpeedLimit(f"lift/{approach}/{incident.serial}", approach))
        return out

    def _advise(self, now_s: int, incident: _Incident) -> list[Command]:
        incident.advised_until_s = now_s + ADVICE_S
        reason = "closed" if incident.closure else "flow has broken down"
        key = f"avoid/{incident.road}/{incident.serial}/{now_s}"
        return [
            AvoidRoad(key, incident.road, incident.advised_until_s, reason),
            WakeAt(f"wake/{incident.road}/{now_s}", now_s + RENEW_S),
        ]

    def _renew(self, now_s: int) -> list[Command]:
        out: list[Command] = []
        for road in sorted(self._open):
            incident = self._open[road]
            if incident.advised_until_s - now_s <= ADVICE_S - RENEW_S:
                out += self._advise(now_s, incident)
        return out
