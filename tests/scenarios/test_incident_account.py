"""Account of an incident, its views, properties and indicators: by hand, from a story told in facts."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from scenarios import incident_properties
from scenarios.incident_account import PARTS, account, accounts
from scenarios.incident_views import command, departments
from scenarios.kpis.incidents import INCIDENTS
from twin import events
from twin.control.city_brain.incidents.ports import DispatchView
from twin.domain.incidents import DEPARTMENTS
from twin.log import Facts, Log
from twin.scenario import load_scenario

U, V = 1_000_007, 1_000_008
KPI = {k.name: k for k in INCIDENTS}


class Story:
    """Facts of one incident after the other, told with few words."""

    def __init__(self) -> None:
        self.log = Log()

    def add(self, kind: type[events.Fact], t_s: int, /, **values: Any) -> Story:
        """Append a fact; fields that are not given are 0, -1 or empty."""
        empty = {"int": 0, "float": 0.0, "str": "", "bool": False}
        fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
        full = {name: empty[str(f.type)] for name, f in fields.items()}
        self.log.add(kind, t_s=t_s, **{**full, **values})
        return self

    def created(self, t_s: int, incident: str = "inc-1", **values: Any) -> Story:
        """Put an incident on the books."""
        given = {"theme": "fire", "severity": "Severe", "level": "district", "area": "d", "source": "alert",
                 "department": "fire and rescue", "ref": incident, "since_s": t_s - 20, **values}  # fmt: skip
        return self.add(events.IncidentCreated, t_s, incident=incident, **given)

    def sent(self, t_s: int, unit: int, ticket: str, task: str = "handle", incident: str = "inc-1") -> Story:
        """Send somebody."""
        return self.add(events.IncidentAssigned, t_s, incident=incident, unit=unit, ticket=ticket, task=task)

    def did(self, kind: type[events.Fact], t_s: int, unit: int, ticket: str, **values: Any) -> Story:
        """Let a responder do something."""
        return self.add(kind, t_s, incident=values.pop("incident", "inc-1"), unit=unit, ticket=ticket, **values)

    def state(self, t_s: int, state: str, who: str = "", incident: str = "inc-1") -> Story:
        """Let the desk take an incident to be in a state."""
        return self.add(events.IncidentAdvanced, t_s, incident=incident, state=state, who=who)

    def end(self, t_s: int) -> Facts:
        """End the run."""
        return self.add(events.RunEnded, t_s, reason="finished").log.close()


def a_fire() -> Story:
    """A hazard at 100, seen at 130, on the books at 150; one refuses, another handles it, an operator verifies."""
    s = Story().add(events.HazardBegan, 100, hazard=9, theme="fire", kind="fire")
    s.created(150, since_s=130).sent(160, U, "t1")
    s.did(events.ResponderRefused, 170, U, "t1", reason="busy").state(170, "new", "desk")
    s.sent(175, V, "t2").did(events.ResponderAccepted, 180, V, "t2").state(180, "assigned", "responder-8")
    s.did(events.ResponderSetOut, 240, V, "t2").state(240, "on the way", "responder-8")
    s.did(events.ResponderArrived, 600, V, "t2", hazard=9).state(600, "on site", "responder-8")
    s.did(events.ResponderHandled, 900, V, "t2", hazard=9, solved=True).state(900, "handled", "responder-8")
    return s.add(events.HazardEnded, 900, hazard=9, theme="fire")


def verified(s: Story, t_s: int, who: str = "operator-1", incident: str = "inc-1") -> Story:
    s.add(events.IncidentVerified, t_s, incident=incident, who=who)
    return s.add(events.IncidentClosed, t_s, incident=incident, outcome="handled", who=who)


def test_the_parts_are_cut_where_the_facts_are_and_add_up_to_the_second():
    facts = verified(a_fire(), 1000).end(5000)
    a = account(facts, "inc-1")
    spent = {p: a.seconds(p) for p in PARTS if a.seconds(p)}
    assert spent == {
        "detection": 30, "alerting": 20, "queue": 10 + 5, "re-dispatch": 10, "dispatch": 65, "travel": 360,
        "handling": 300, "verification": 100,
    }  # fmt: skip
    assert sum(spent.values()) == a.total_s == 900
    assert a.sentences()[:2] == ["inc-1 (fire, Severe) took 900 s:", "  travel 360 s (responder-8)"]


def test_what_no_fact_explains_is_said_to_be_unexplained():
    """The desk says assigned, but no order is in the log."""
    s = Story().created(150, since_s=150).state(200, "assigned", "x").state(500, "handled", "x")
    a = account(verified(s, 600).end(5000), "inc-1")
    assert {p: a.seconds(p) for p in PARTS if a.seconds(p)} == {"queue": 50, "unexplained": 300, "verification": 100}


def test_an_open_incident_is_counted_to_the_end_and_one_that_came_back_has_its_gap():
    s = verified(a_fire(), 1000).add(events.IncidentReopened, 1500, incident="inc-1", state="closed")
    a = account(s.end(2000), "inc-1")
    assert not a.closed
    assert a.ended_s == 2000
    assert a.seconds("thought closed") == 500
    assert a.seconds("queue") == 15 + 500
    assert sum(a.seconds(p) for p in PARTS) == a.total_s


def test_confirmation_is_what_was_waited_for_a_look_where_nobody_was_sent():
    s = Story().created(150, since_s=150, severity="Minor")
    s.add(events.IncidentLookAsked, 150, incident="inc-1", task="confirm")
    s.add(events.IncidentLooked, 190, incident="inc-1", what="there", hazard=-1).sent(195, U, "t1")
    a = account(s.did(events.ResponderAccepted, 200, U, "t1").end(300), "inc-1")
    assert (a.seconds("confirmation"), a.seconds("queue")) == (40, 5)


def test_an_incident_that_is_not_there_is_a_clear_error():
    with pytest.raises(KeyError, match="there is no incident 'inc-7' in this run"):
        account(Story().created(1).end(5), "inc-7")


# -- views (F3) --------------------------------------------------------------------------------------------


def test_the_views_count_what_stands_at_a_moment():
    s = a_fire().created(300, "inc-2", theme="bikes", department="urban management", level="subdistrict", area="s0")
    s.add(events.IncidentClockStarted, 300, incident="inc-2", phase="assign", level="subdistrict", due_s=400)
    s.add(events.IncidentEscalated, 400, incident="inc-2", from_level="subdistrict", level="district", area="d",
          phase="assign", due_s=400, reason="assign overdue")  # fmt: skip
    facts = verified(s, 1000).end(5000)
    before, later = command(facts, 350), command(facts, 1200)
    assert [c.incident for c in before.cases] == ["inc-1", "inc-2"]
    assert (before.total.open, before.total.overdue, before.total.trend) == (2, 0, 2)
    assert before.cases[0].state == "on the way"
    assert before.total.by_level["subdistrict"] == 1
    assert [c.incident for c in later.cases] == ["inc-2"]
    assert (later.cases[0].level, later.cases[0].overdue) == ("district", True)
    views = {v.name: v for v in departments(facts, 1200)}
    assert tuple(views) == DEPARTMENTS
    assert len(views) == 8
    assert (views["urban management"].open, views["fire and rescue"].open) == (1, 0)
    assert views["fire and rescue"].closed_last_hour == 1
    assert later.total.open == sum(v.open for v in views.values())


# -- indicators --------------------------------------------------------------------------------------------------


def test_indicators_by_hand():
    facts = verified(a_fire().add(events.ResponderDeployed, 0, unit=U), 1000).end(5000)
    wanted = {
        "incidents": 1.0, "incidents_closed_share": 100.0, "incident_detection_min": 50 / 60,
        "incident_dispatch_min": 10 / 60, "incident_on_site_min": 450 / 60, "incident_closing_min": 850 / 60,
        "fire_reached_min": 500 / 60, "hazards_reached_share": 100.0, "dispatch_replaced_share": 50.0,
        "dispatch_false_share": 0.0, "incident_not_fixed_share": 0.0, "incidents_per_hazard": 1.0,
        "incident_within_30min_share": 100.0, "loop_travel_share": 40.0, "loop_unexplained_share": 0.0,
    }  # fmt: skip
    for name, value in wanted.items():
        assert KPI[name](facts) == pytest.approx(value), name
    assert KPI["water_reached_min"](facts) is None


def test_closed_and_not_fixed_is_seen_against_the_truth():
    s = Story().add(events.HazardBegan, 100, hazard=9).created(150).sent(160, U, "t1")
    s.did(events.ResponderHandled, 500, U, "t1", hazard=9).state(500, "handled", "responder-7")
    assert KPI["incident_not_fixed_share"](verified(s, 600).end(5000)) == 100.0


@pytest.mark.parametrize(("noticed", "ended_s", "kept"), [(True, 400, 50.0), (False, 400, 50.0), (False, 200, 100.0)])
def test_a_clock_that_ran_out_counts_whether_or_not_anybody_noticed(noticed, ended_s, kept):
    s = Story().created(150).add(events.IncidentClockStarted, 150, incident="inc-1", phase="assign", due_s=300)
    if noticed:
        s.add(events.IncidentEscalated, 300, incident="inc-1", phase="assign", due_s=300, reason="assign overdue")
        s.add(events.IncidentClockStarted, 300, incident="inc-1", phase="assign", due_s=450)
    else:
        s.add(events.IncidentClockStarted, ended_s, incident="inc-1", phase="arrive", due_s=ended_s + 100)
    assert KPI["incident_targets_kept"](verified(s, ended_s + 20).end(5000)) == kept


def test_a_run_without_a_desk_has_no_indicators():
    empty = Story().end(100)
    assert [k.name for k in INCIDENTS if k(empty) is not None] == []


# -- properties find what is wrong ---------------------------------------------------------------------------------


def test_a_sound_story_breaks_nothing():
    facts = verified(a_fire().add(events.SignTold, 150, source="alert", ref="inc-1"), 1000).end(5000)
    assert incident_properties.broken(facts) == {}


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("incidents_are_verified", lambda s: verified(s, 1000, "responder-8")),
        ("incidents_are_verified", lambda s: s.add(events.IncidentClosed, 1000, incident="inc-1", outcome="handled")),
        (
            "targets_are_watched",
            lambda s: s.add(events.IncidentClockStarted, 900, incident="inc-1", phase="close", due_s=950),
        ),
        (
            "responders_are_in_one_place",
            lambda s: s.sent(500, V, "t3").did(events.ResponderAccepted, 550, V, "t3"),
        ),
        ("no_sign_is_lost", lambda s: s.add(events.SignTold, 170, source="alert", ref="lost")),
        ("no_sign_is_lost", lambda s: s.add(events.IncidentMerged, 170, incident="inc-1", source="alert", ref="inc-1")),
        ("incidents_end", lambda s: s),
    ],
)
def test_each_property_names_its_breach(name, spoil):
    assert name in incident_properties.broken(spoil(a_fire()).end(5000))


def test_accounts_come_in_order_of_creation():
    facts = Story().created(10, "inc-1").created(20, "inc-2").end(30)
    assert [a.incident for a in accounts(facts)] == ["inc-1", "inc-2"]


# -- the page -------------------------------------------------------------------------------------------------------


def test_the_snippets_of_the_page_run(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "city_brain.md").read_text(encoding="utf-8")
    page = page[page.index("## Incidents (one closed loop") :]
    code = [dedent(text) for text in re.findall(r"```python\n(.*?)```", page, flags=re.S)]
    names: dict[str, Any] = {"__name__": "snippet"}
    for text in code:
        exec(compile(text, "city_brain.md", "exec"), names)
    assert names["sign"].theme == "garbage"
    view = DispatchView(
        0, ("inc-1", "inc-2"), ("handle", "handle"), np.array([3, 0]), np.array([5, 9]), np.array([1, 2]),
        np.array([[1.0, 2.0], [1.0, 2.0]]),
    )  # fmt: skip
    assert [(a.row, a.unit) for a in names["LongestWait"]().assign(view)] == [(1, 1), (0, 2)]
    for text in re.findall(r"```yaml\n(.*?)```", page, flags=re.S):
        file = tmp_path / "snippet.yaml"
        file.write_text(text, encoding="utf-8")
        assert load_scenario(file, files=False).city_brain.responders.verify is False
