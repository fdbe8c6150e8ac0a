"""Indicators of incidents and responders against values worked out by hand; see also test_incident_account.py."""

from __future__ import annotations

import pytest

from scenarios import kpis
from scenarios.incident_account import PARTS
from tests.scenarios.tiny import Tiny
from twin import events
from twin.log import Facts

U, V = 1_000_007, 1_000_008
END_S = 8000


def incidents_run() -> Facts:
    """Five incidents and four hazards until 8,000 s, of which nobody noticed the third.

    A: hazard 1, looked at first; one refused, another handled it badly, it came back and was handled again. B: hazard
    2, with a sign from before it began; the desk says that somebody was assigned, no fact says who. C: about nothing.
    D and E: both about hazard 4 and open at the end; to E, created 30 min before the end, nobody came.
    """
    t = Tiny().add(events.ResponderDeployed, 0, unit=[U, V])
    t.add(events.HazardBegan, [1000, 3000, 3500, 6000], hazard=[1, 2, 3, 4], theme=["fire", "fire", "fire", "water"])
    t.add(
        events.IncidentCreated, [1160, 3050, 5000, 6200, 6300], incident=list("ABCED"),
        since_s=[1100, 2850, 5000, 6200, 6100],
        severity=["Minor", "Severe", "Minor", "Severe", "Severe"], theme=["fire", "fire", "fire", "water", "water"],
    )  # fmt: skip
    t.add(events.IncidentLookAsked, 1160, incident="A", task="confirm")
    t.add(events.IncidentLooked, [1200, 3060, 6250], incident=["A", "B", "E"], what="there", hazard=[1, 2, 4])
    t.add(
        events.IncidentAssigned, [1210, 1250, 1850, 2030, 5060, 6400], incident=list("AAAACD"), unit=[U, V, U, V, U, V],
        ticket=["a1", "a2", "av", "a3", "c1", "d1"], task=["handle", "handle", "verify", "handle", "handle", "handle"],
    )  # fmt: skip
    t.add(events.ResponderRefused, 1230, incident="A", unit=U, ticket="a1")
    t.add(events.ResponderSetOut, [1300, 2040, 5100, 6500], incident=list("AACD"), ticket=["a2", "a3", "c1", "d1"])
    t.add(
        events.ResponderArrived, [1600, 1880, 2100, 5400, 7500], incident=list("AAACD"),
        ticket=["a2", "av", "a3", "c1", "d1"], hazard=[1, -1, 1, -1, 4],
    )  # fmt: skip
    t.add(events.ResponderHandled, [1800, 2150], incident="A", ticket=["a2", "a3"], hazard=1, solved=[False, True])
    t.add(events.ResponderFoundNothing, 5500, incident="C", ticket="c1")
    t.add(events.HazardEnded, 2150, hazard=1, theme="fire")
    states = {1255: "assigned", 1300: "on the way", 1600: "on site", 1800: "handled", 2035: "assigned", 2150: "handled"}
    t.add(events.IncidentAdvanced, list(states), incident="A", state=list(states.values()))
    t.add(events.IncidentAdvanced, [3070, 3170], incident="B", state=["assigned", "handled"])
    t.add(events.IncidentReopened, 2000, incident="A")
    t.add(events.IncidentClosed, [1900, 2200, 3250, 5600], incident=list("AABC"),
          outcome=["handled", "handled", "gone", "nothing there"])  # fmt: skip
    # of A: 1255 is after 1200, 1600 before 1700, closed 1900 before 3000, closed again 2200 after 2100
    t.add(events.IncidentClockStarted, [1160, 1255, 1600, 2000], incident="A", due_s=[1200, 1700, 3000, 2100])
    # of D: nothing came before 7900; of E: not due before the end
    t.add(events.IncidentClockStarted, [6300, 6200], incident=["D", "E"], due_s=[7900, 9000])
    return t.end(END_S)


#: where the time of A (1000 to 2200) and B (2850 to 3250) went, s; C is about nothing, D and E are open
LOOP = {
    "loop_detection_share": 1100 - 1000,
    "loop_alerting_share": (1160 - 1100) + (3050 - 2850),
    "loop_confirmation_share": 1200 - 1160,
    "loop_queue_share": (1210 - 1200) + (2030 - 2000) + (3070 - 3050),
    "loop_redispatch_share": 1250 - 1210,
    "loop_dispatch_share": (1300 - 1250) + (2040 - 2030),
    "loop_travel_share": (1600 - 1300) + (2100 - 2040),
    "loop_handling_share": (1800 - 1600) + (2150 - 2100),
    "loop_verification_share": (1900 - 1800) + (2200 - 2150) + (3250 - 3170),
    "loop_thought_closed_share": 2000 - 1900,
    "loop_unexplained_share": 3170 - 3070,
}

BY_HAND = {
    "incidents": 5,
    "incidents_closed_share": 100 * 3 / 5,
    # B 50 (from its hazard, not from the sign before), A 160, E 200, D 300 s; positions 1.5 and 2.85
    "incident_detection_min": (160 + 200) / 2 / 60,
    "incident_detection_p95_min": (200 + 0.85 * 100) / 60,
    # A 50, C 60, D 100 s; position 0.95 · 2 = 1.9
    "incident_dispatch_min": 60 / 60,
    "incident_dispatch_p95_min": (60 + 0.9 * 40) / 60,
    # C 400, A 440, D 1200 s
    "incident_on_site_min": 440 / 60,
    "incident_on_site_p95_min": (440 + 0.9 * 760) / 60,
    "incident_within_30min_share": 100 * 2 / 4,  # A and C of A, B, C, E; D was created too late to count
    # B 200, C 600, A 1040 s to its last closing
    "incident_closing_min": 600 / 60,
    "incident_closing_p95_min": (600 + 0.9 * 440) / 60,
    "hazards_reached_share": 100 * 2 / 4,
    "fire_reached_min": (1600 - 1000) / 60,
    "water_reached_min": (7500 - 6000) / 60,
    "incident_targets_kept": 100 * 2 / 5,
    "dispatch_false_share": 100 * 1 / 4,  # C; who came to verify does not count
    "dispatch_replaced_share": 100 * 1 / 6,
    "incident_not_fixed_share": 100 * 1 / 2,  # of A's two closings the first
    "incidents_per_hazard": 4 / 3,
    **{name: 100 * spent_s / (1200 + 400) for name, spent_s in LOOP.items()},
}


@pytest.mark.parametrize("name", BY_HAND)
def test_incident_values_worked_out_by_hand(name: str) -> None:
    assert kpis.by_name(name)(incidents_run()) == pytest.approx(BY_HAND[name])


def test_every_part_of_the_loop_is_there_and_they_add_up() -> None:
    assert len(LOOP) == len(PARTS)
    assert sum(LOOP.values()) == 1200 + 400
