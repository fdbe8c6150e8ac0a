"""Each part of the loop matters: short looks at the study; its figures with intervals are in docs/city_brain.md."""

from __future__ import annotations

import pytest

from geo.city import City
from scenarios.incident_study import PARTS, short_day, values
from twin.cities import city_folder


def test_without_escalation_straw_burns_where_nobody_is_on_duty():
    """By night nine in ten grids have nobody: what begins there must go up, or nobody comes (F1)."""
    whole, without = short_day("straw_night", minutes=75), short_day("straw_night", minutes=75, **PARTS["escalation"])
    city = City.load(city_folder(whole))
    for seed in (0, 1):
        on, off = values(whole, city, seed), values(without, city, seed)
        assert on["alert_recall"] == off["alert_recall"], "the same is seen"
        for name in ("hazards_reached_share", "incident_within_30min_share", "incidents_closed_share"):
            assert on[name] > off[name], name


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_switched_off(part):
    brain = short_day("straw_night", **PARTS[part]).city_brain
    off = [brain.responders.merge, brain.responders.redispatch, brain.responders.verify, brain.responders.escalate]
    assert [*off, brain.alerting.confirm].count(False) == 1
