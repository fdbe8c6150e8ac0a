"""Which junctions to upgrade first: by time saved per yuan, from the facts of runs."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.junction_costs import PRICES, cost_year, delays, load_junction_prices, show, upgrades
from twin.errors import ScenarioError
from twin.events import ApproachDelayed, JunctionGraded, RunEnded, RunStarted
from twin.log import Facts, Log


def facts(lost=(3600.0, 7200.0, 0.0), grades=("L0", "L0", "L3"), names=("a", "b", "c"), graded: bool = True) -> Facts:
    """A run of six hours with three junctions: vehicle-seconds lost at each, 1,000 vehicles each."""
    log = Log()
    log.add(RunStarted, t_s=0, scenario="s", seed=1, city="c", traffic="meso", residents=0)
    three = np.arange(3)
    if graded:
        log.add(
            JunctionGraded, t_s=np.zeros(3), junction=three, name=np.array(names, dtype=object),
            grade=np.array(grades, dtype=object), x_m=np.zeros(3), y_m=np.zeros(3),
        )  # fmt: skip
    log.add(
        ApproachDelayed, t_s=np.full(3, 900), junction=three, road=three, period_s=900,
        delay_veh_s=np.array(lost), passed_veh=np.full(3, 1000.0),
    )  # fmt: skip
    log.add(RunEnded, t_s=6 * 3600, reason="finished")
    return log.close()


def test_delay_and_volume_are_per_day() -> None:
    names, grades, lost, passed = delays(facts())
    assert (names, grades) == (("a", "b", "c"), ("L0", "L0", "L3"))
    assert lost.tolist() == [4.0, 8.0, 0.0]  # six hours are a quarter of a day
    assert passed.tolist() == [4000.0] * 3


def test_the_cost_of_a_grade_is_its_equipment_over_its_life_and_upkeep() -> None:
    p = load_junction_prices()
    expected = p["L2_equipment"].value * (1 / p["life"].value + p["L2_upkeep"].value)
    assert cost_year(p, "L0", "L2") == pytest.approx(expected)
    assert cost_year(p, "L2", "L2") == 0.0
    assert cost_year(p, "L1", "L2") < cost_year(p, "L0", "L2") < cost_year(p, "L0", "L3")
    assert cost_year(p, "L0", "L2", "low") < cost_year(p, "L0", "L2") < cost_year(p, "L0", "L2", "high")


def test_the_ranking_is_by_time_saved_per_yuan() -> None:
    p = load_junction_prices()
    rows = upgrades(facts())
    assert [r.junction for r in rows] == ["b", "a"]  # c has the grade already
    assert rows[0].saved_veh_h_day == pytest.approx(8.0 * p["saved_L2"].value)
    assert rows[0].benefit_cost == pytest.approx(
        rows[0].saved_veh_h_day * p["time"].value * p["days"].value / cost_year(p, "L0", "L2")
    )
    # measured savings go before assumed ones: here the upgrade helps a, and harms b
    measured = upgrades(facts(), upgraded=facts(lost=(0.0, 9000.0, 0.0)))
    assert [r.junction for r in measured] == ["a", "b"]
    assert measured[1].benefit_cost < 0
    assert len(upgrades(facts(), count=1)) == 1
    assert "L0→L2" in show(rows)


def test_bad_input_is_one_sentence(tmp_path) -> None:
    with pytest.raises(ScenarioError, match="grade 'L0' is not one to upgrade to; allowed: L1, L2, L3"):
        upgrades(facts(), to="L0")
    with pytest.raises(ScenarioError, match="needs the key 'junctions'"):
        upgrades(facts(graded=False))
    with pytest.raises(ScenarioError, match="different networks"):
        upgrades(facts(), upgraded=facts(names=("a", "b", "d")))
    file = tmp_path / "prices.yaml"
    file.write_text(PRICES.read_text(encoding="utf-8").replace("value: 8,", "value: 80,"), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"life: 0 <= low <= value <= high is needed, not \[5, 80, 10\]"):
        load_junction_prices(file)
    file.write_text("life: {}", encoding="utf-8")
    with pytest.raises(ScenarioError, match="prices missing or unknown: L1_equipment"):
        load_junction_prices(file)
