"""``twin costs``: what a parcel costs by robot and by courier, from two run folders."""

from __future__ import annotations

import re

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from scenarios.costs import DEFAULT_PRICES, cost, load_prices, quantities, saving
from tests.scenarios.test_fleet_kpis import fleet_run
from twin import events
from twin.cli import app
from twin.log import Facts, Log

FLEETS = {"robot": "robot", "courier": "trike"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    out = {}
    for fleet, model in FLEETS.items():
        out[fleet] = tmp_path_factory.mktemp(fleet)
        pq.write_table(fleet_run(fleet, model).table(), out[fleet] / "events.parquet")
    return out


def ask(*words: object):
    return CliRunner().invoke(app, ["costs", *map(str, words)])


def said(result) -> str:
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.output).split())


def test_both_sheets_the_saving_and_the_tornado(folders):
    result = ask(folders["robot"], folders["courier"])
    assert result.exit_code == 0, result.output
    prices = load_prices()
    both = [quantities(Facts.read(folders[f])) for f in FLEETS]
    lines = result.output.splitlines()

    def row(begin: str) -> list[float]:
        line = next(x for x in lines if x.strip().startswith(begin))
        return [float(n.replace(",", "")) for n in re.findall(r"-?[\d,]+\.?\d*", line.split(begin, 1)[1])]

    sheets = [cost(q, prices) for q in both]
    assert row("per delivered parcel") == [round(s.per_parcel, 2) for s in sheets]
    for name in dict.fromkeys([*sheets[0].items, *sheets[1].items]):
        assert row(name) == [round(s.items.get(name, 0.0)) for s in sheets]
    assert row("orders delivered within the hour") == [25.0, 25.0]
    assert row("orders not delivered") == [50.0, 50.0]
    base = saving(both[0], both[1], prices)
    assert row("saving per parcel by robot") == [pytest.approx(100 * base, abs=0.05)]
    assert "courier_wage" in result.output
    assert len([x for x in lines if "│" in x or "█" in x]) == 10
    assert "A saving of 30% is" in lines[-1]


def test_prices_of_ones_own(folders, tmp_path):
    file = tmp_path / "prices.yaml"
    whole = DEFAULT_PRICES.read_text(encoding="utf-8")
    file.write_text(whole.replace("operator_wage:          {value: 7500", "operator_wage:          {value: 6000"))
    dear, cheap = ask(folders["robot"], folders["courier"]), ask(folders["robot"], folders["courier"], "--prices", file)
    assert cheap.exit_code == 0
    assert cheap.output != dear.output


def test_it_speaks_chinese(folders):
    result = ask(folders["robot"], folders["courier"], "--lang", "zh")
    assert result.exit_code == 0
    assert "无人车单件节省" in result.output


def test_mistakes_are_one_sentence(folders, tmp_path):
    def fails(words: str, *arguments: object) -> None:
        result = ask(*arguments)
        assert result.exit_code != 0
        assert words in said(result)
        assert "Traceback" not in result.output

    robot, courier = folders["robot"], folders["courier"]
    fails("parcels were brought by couriers, not by robots; check the order", courier, robot)
    fails("holds no run (no events.parquet)", robot, tmp_path / "nowhere")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "events.parquet").write_bytes(b"PAR1")
    fails("is not a complete log", tmp_path / "half", courier)
    for name, deliveries in (("none", False), ("undelivered", True)):
        folder = tmp_path / name
        folder.mkdir()
        log = Log(folder / "events.parquet")
        log.add(events.RunEnded, t_s=5, reason="finished")
        if deliveries:
            log.add(events.ServiceDay, t_s=0, fleet="robot", units=1, operators=1, duty_h=1.0)
        log.close()
    fails("this run has no delivery fleet", tmp_path / "none", courier)
    fails("no parcel was delivered, so none has a cost", tmp_path / "undelivered", courier)
    fails("cannot be read", robot, courier, "--prices", tmp_path / "no.yaml")
    fails("lang", robot, courier, "--lang", "fr")


def test_energy_is_what_came_from_chargers_and_out_of_batteries():
    """Two robots: one charged 2 kWh, the other ends at 60 % of its 30 kWh: 2 + 0.4 × 30 = 14 kWh."""
    log = Log()
    log.add(events.ServiceDay, t_s=0, fleet="robot", units=2, operators=1, duty_h=1.0)
    log.add(
        events.UnitDeployed, t_s=0, unit=[700001, 700002], fleet="robot", model="robot", road=0, pos_m=0.0,
        capacity=10, battery=1.0,
    )  # fmt: skip
    log.add(events.UnitCharged, t_s=9, unit=700001, place="d", energy_wh=2000.0, duration_s=5, waited_s=0)
    for t, charge in ((5, 0.8), (20, 0.6)):
        log.add(
            events.UnitChanged, t_s=t, unit=700002, state="parked", battery=charge, load=0, road=0, pos_m=0.0
        )  # fmt: skip
    assert quantities(log.close()).energy_kwh == pytest.approx(14.0)
