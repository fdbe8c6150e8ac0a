"""Planted bugs: each is put into the code, and the test that is to catch it by name does (docs/check.md has the table).

A bug is planted by a patch or a subclass; then the very test that stands guard is called and must fail. Bugs of the
alert engine and of the incident desk are planted beside their own tests.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from scenarios import kpis, load
from scenarios.checks.files import find_properties
from scenarios.checks.run import check
from scenarios.kpis import city as city_kpis
from scenarios.replay import replay
from scenarios.runner import pool, runs, store
from scenarios.stats import answers, paired
from scenarios.study import Question, study, write_result
from tests.cities import city_of_grid, shared_toy_city
from tests.scenarios import test_kpis, test_runner, test_stats_answers, test_study
from tests.scenarios.tiny import Tiny
from tests.twin import test_remote, test_simulation, test_wire_and_hosts
from tests.twin.world.fleets import test_orders
from tests.verification import planted_desks
from tests.verification.planted_desks import Impatient, busy_day
from twin import events, remote
from twin.dice import Dice, Stream
from twin.domain.wire import decode, encode
from twin.errors import ScenarioError
from twin.hosts import Host, Journal, read_journal
from viz import report, report_html

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "check.md"
#: the list of bugs that a good test bench must catch
LIST = (
    "`>=` → `>` in a holding time", "identity that includes the time", "a gap resolves the alert",
    "sent before journalled", "inhibition lost on restart", "retry without a key", "one shared random stream",
    "set order in dispatch", "wall clock in a timeout", "worker index in the seed", "failed seeds dropped from a mean",
    "seconds for minutes", "a flipped sign", "unpaired join by row order", "a half-written file taken as whole",
    "a name not escaped in a page", "closes unverified", "double dispatch", "loses a message on restart",
    "green below its minimum",
)  # fmt: skip


def fails(test, *given) -> None:
    """Assert that a test notices: it fails by an assertion of its own."""
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(*given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return shared_toy_city().save(tmp_path_factory.mktemp("verification") / "city")


# -- chance -----------------------------------------------------------------------------------------------


def one_shared_stream(m):
    """Every draw takes the next numbers of one generator per run, whoever asks."""
    stream, sound = Dice.stream, Stream._words

    def shared(self, purpose):
        out = stream(self, purpose)
        out.rng = self.__dict__.setdefault("rng", np.random.default_rng(self.seed))
        return out

    def words(self, entity, occurrence):
        if not hasattr(self, "rng"):  # not of the run's dice
            return sound(self, entity, occurrence)
        size = np.broadcast(np.atleast_1d(entity), np.asarray(occurrence)).shape
        return tuple(self.rng.integers(0, 2**32, size, dtype=np.uint64) for _ in range(4))

    m.setattr(Dice, "stream", shared)
    m.setattr(Stream, "_words", words)


def test_one_shared_random_stream_is_noticed(folder, monkeypatch):
    one_shared_stream(monkeypatch)
    fails(test_simulation.test_one_more_resident_leaves_everybody_elses_day_alone, folder)
    fails(test_orders.test_one_more_resident_changes_nobody_elses_draws)


@pytest.fixture(scope="module")
def of_hash_seeds() -> list[list[str]]:
    """What the sound and the planted dispatch decide under three orders of sets."""
    out = []
    for seed in ("0", "1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path)}
        command = [sys.executable, "-m", planted_desks.__name__]
        out.append(
            subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
        )
    return out


def same_under_hash_seeds(digests):
    assert len(set(digests)) == 1


def test_dispatch_is_the_same_under_three_hash_seeds(of_hash_seeds):
    same_under_hash_seeds([sound for sound, _ in of_hash_seeds])


def test_set_order_in_dispatch_is_noticed(of_hash_seeds):
    fails(same_under_hash_seeds, [planted for _, planted in of_hash_seeds])


# -- time -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> Path:
    """A run folder with the journal of a day of the incident desk."""
    folder = tmp_path_factory.mktemp("day")
    (folder / "journal").mkdir()
    written = Journal(folder / "journal" / "incidents.jsonl")
    for call in busy_day(planted_desks.IncidentDesk()).calls:
        written.write(*call)
    written.close()
    return folder


def same_on_a_slow_machine(folder, desk):
    """Replayed on a machine that takes a second for each look at the clock, the desk decides as it did."""
    with pytest.MonkeyPatch.context() as m:
        m.setattr(planted_desks.time, "monotonic", count(0.0, 1.0).__next__)
        assert replay(folder, "incidents", desk).same


def test_a_slow_machine_changes_no_decision(journal):
    same_on_a_slow_machine(journal, planted_desks.IncidentDesk)


def test_a_wall_clock_in_a_timeout_is_noticed(journal, monkeypatch):
    monkeypatch.setattr(planted_desks.time, "monotonic", lambda: 0.0)
    assert replay(journal, "incidents", Impatient).same, "on a fast machine nobody would see it"
    fails(same_on_a_slow_machine, journal, Impatient)


def clocks_and_chance(file: Path) -> list[str]:
    """Return what a file takes from the wall clock or from an unnamed chance."""
    out = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        out += [n for n in names if n.split(".")[0] in ("time", "random", "secrets", "uuid") or n == "numpy.random"]
        if isinstance(node, ast.Attribute):
            told = ast.unparse(node)
            if told == "np.random" or re.search(r"\b(datetime|date)\.(now|utcnow|today)$", told):
                out.append(told)
    return out


def test_control_looks_at_no_clock_and_throws_no_dice():
    files = [f for room in ("control", "domain") for f in sorted((ROOT / "twin" / room).rglob("*.py"))]
    assert len(files) > 50
    assert {str(f): found for f in files if (found := clocks_and_chance(f))} == {}
    assert clocks_and_chance(Path(planted_desks.__file__)) == ["time"], "the planted desk is noticed by its text too"


# -- the same call, the same effect --------------------------------------------------------------------------


def decides_again(m):
    """The server of a remote controller does not know a call that is repeated after a timeout."""

    def decide(self, body):
        controller, _ = self._live.setdefault(body["session"], (self._factory(), None))
        told = [decode(x) for x in body["messages"]]
        return {"commands": [encode(c) for c in controller.decide(body["now_s"], told)]}

    m.setattr(remote._Sessions, "decide", decide)


def obeys_twice(m) -> list[Host]:
    """The host forgets which keys had their effect. Returns the hosts that do, to be closed."""
    sound, hosts = Host._check, []

    def forgets(self, now_s, answer):
        hosts.append(self)
        self._done.clear()
        return sound(self, now_s, answer)

    m.setattr(Host, "_check", forgets)
    return hosts


def test_a_retry_without_a_key_is_noticed(monkeypatch, tmp_path):
    with monkeypatch.context() as m:
        decides_again(m)
        fails(test_remote.test_a_repeated_call_is_answered_but_not_decided_again)
    hosts = obeys_twice(monkeypatch)
    fails(test_wire_and_hosts.test_host_delivers_wakes_and_lets_each_key_have_one_effect, tmp_path)
    hosts[0].close()


# -- many runs ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(folder):
    """Twenty minutes of three hundred people in free flow."""
    return load("weekday", **test_runner.keys(folder))


@pytest.fixture(scope="module")
def there(small, tmp_path_factory):
    """A finished run."""
    out = tmp_path_factory.mktemp("there")
    return out, runs.run_all([store.Job.of(small, 1)], out, workers=0)


def test_a_worker_index_in_the_seed_is_noticed(small, tmp_path, monkeypatch):
    start, index = subprocess.Popen, count()

    def planted(command, **more):
        assert command[1:] == ["-m", "scenarios.runner.worker"]
        return start([command[0], "-m", "tests.verification.planted_worker", str(next(index))], **more)

    monkeypatch.setattr(test_runner, "SEEDS", (1, 2))
    with monkeypatch.context() as m:
        m.setattr(pool.subprocess, "Popen", planted)
        jobs = [store.Job.of(small, seed) for seed in test_runner.SEEDS]
        by_two = runs.run_all(jobs, tmp_path / "two", workers=2)
    assert len(by_two.finished) == 2, "every run looks whole"
    guard = test_runner.test_one_worker_two_workers_and_no_worker_give_the_same_digests
    fails(guard, small, (tmp_path / "two", by_two), tmp_path)


def there_is_a_folder(job, out):
    folder = job.folder(out)
    return store.Result(folder, "", 0.0) if folder.is_dir() else None


def it_says_so(job, out):
    """Believe ``done.json``: no sizes, no end."""
    folder = job.folder(out)
    done = json.loads((folder / store.DONE).read_text(encoding="utf-8"))
    return store.Result(folder, done["digest"], done["wall_s"])


@pytest.mark.parametrize(
    ("careless", "harm"), [(there_is_a_folder, "no word"), (it_says_so, "cut"), (it_says_so, "interrupted")]
)
def test_a_half_written_file_taken_as_whole_is_noticed(small, there, tmp_path, careless, harm, monkeypatch):
    for module in (test_runner, runs):
        monkeypatch.setattr(module, "finished", careless)
    fails(test_runner.test_a_half_written_run_is_not_taken_as_whole, small, there, tmp_path, harm)


def test_a_torn_journal_taken_as_whole_is_noticed(tmp_path, monkeypatch):
    def until_it_breaks(file):
        try:
            yield from read_journal(file)
        except ScenarioError:
            return

    monkeypatch.setattr(test_wire_and_hosts, "read_journal", until_it_breaks)
    fails(test_wire_and_hosts.test_a_torn_journal_line_is_named, tmp_path)


# -- numbers -------------------------------------------------------------------------------------------------


def silently(m):
    """Seeds without a value vanish from the mean, and nobody is told."""
    true = answers.join
    m.setattr(answers, "join", lambda *given: replace(true(*given), left_out=()))


def with_half_missing(m):
    """A verdict is given however many seeds failed."""
    m.setattr(answers, "MISSING_SHARE", 1.0)


@pytest.mark.parametrize("bug", [silently, with_half_missing])
def test_failed_seeds_dropped_from_a_mean_are_noticed(bug, monkeypatch):
    bug(monkeypatch)
    fails(test_stats_answers.test_missing_pairs_are_named_and_too_many_make_it_inconclusive)


def test_an_unpaired_join_by_row_order_is_noticed(monkeypatch):
    def by_row(base, variant, seeds=None):
        a, b = (np.array([v for v in side.values() if v is not None], dtype=float) for side in (base, variant))
        n = min(a.size, b.size)
        return paired.Joined(tuple(base)[:n], a[:n], b[:n], ())

    monkeypatch.setattr(test_stats_answers, "join", by_row)
    fails(test_stats_answers.test_pairs_are_joined_by_seed_never_by_order)
    fails(test_stats_answers.test_a_seed_without_a_value_is_named_and_in_no_mean)


@pytest.mark.parametrize("factor", [60.0, 1 / 60, -1.0])
def test_seconds_for_minutes_and_a_flipped_sign_are_noticed_in_every_indicator(factor, monkeypatch):
    """An indicator in another unit, or with the other sign, is not the one that was worked out by hand."""
    by_name = kpis.by_name

    def wrong(name):
        k = by_name(name)
        return replace(k, compute=lambda m: None if (x := k.compute(m)) is None else factor * x)

    monkeypatch.setattr(kpis, "by_name", wrong)
    judged = [name for name, value in test_kpis.BY_HAND.items() if value]
    assert len(judged) > 20
    for name in judged:
        fails(test_kpis.test_values_worked_out_by_hand, name)


def late_share_by_hand():
    """Five minutes are on time, a second more is late: one of two."""
    run = Tiny()
    for resident, late_s in ((1, 300), (2, 301)):
        run.add(events.TripStarted, 1000, resident=resident, trip=1, due_s=2000)
        run.add(events.TripEnded, 2000 + late_s, resident=resident, trip=1, duration_s=1000 + late_s, late_s=late_s)
    assert kpis.by_name("late_share")(run.end(3000)) == 50.0


def test_five_minutes_are_on_time_and_a_second_more_is_late(monkeypatch):
    late_share_by_hand()
    for threshold in (5, 299, 301):
        monkeypatch.setattr(city_kpis, "LATE_AFTER_S", threshold)
        fails(late_share_by_hand)


def better_is_worse(m):
    true, other = answers.verdict_word, {"lower": "higher", "higher": "lower", "neither": "neither"}
    m.setattr(answers, "verdict_word", lambda direction, better: true(direction, other[better]))


def base_minus_variant(m):
    m.setattr(paired.Joined, "differences", property(lambda self: self.base - self.variant))


@pytest.mark.parametrize("bug", [better_is_worse, base_minus_variant])
def test_a_flipped_sign_in_a_verdict_is_noticed(bug, monkeypatch):
    bug(monkeypatch)
    for given in (("late_share", -2.0, "better"), ("car_speed_km_h", 2.0, "better"), ("late_share", 2.0, "worse")):
        fails(test_stats_answers.test_verdicts_know_which_way_is_better, *given)


# -- pages -----------------------------------------------------------------------------------------------------


def test_a_name_not_escaped_in_a_page_is_noticed(small, tmp_path, monkeypatch):
    wet = small.changed(
        name="wet",
        title='"</script></title><img src=x onerror=alert(3)>',
        question="Does <script>alert(`1`)</script> rain matter? javascript:alert(2)",
        weather={"kind": "rain", "rain_mm_h": 30},
    )
    write_result(study(small, [wet], Question(test_study.KPIS[:1], (1, 2)), tmp_path, workers=0))
    guard = test_study.test_names_from_data_are_inert_and_the_page_asks_for_nothing
    report.build([tmp_path])
    guard((tmp_path, ""))
    monkeypatch.setattr(report_html.html, "escape", lambda s, quote=True: s)
    report.build([tmp_path])
    fails(guard, (tmp_path, ""))


# -- signals ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def streets(tmp_path_factory) -> Path:
    return city_of_grid(3, 300, "B1,A1,C1").save(tmp_path_factory.mktemp("signals") / "city")


def signals(streets, policy, out):
    s = load(
        "weekday",
        city={"folder": str(streets)},
        people={"residents": 100, "companies": 5},
        start="08:00",
        end="08:03",
        traffic={"mode": "meso", "background": 2.0, "fcd_period_s": 0},
        junctions={"policy": f"{planted_desks.__name__}:{policy}"},
    )
    return check(s, [1], find_properties("traffic"), out, workers=0)


def test_green_below_its_minimum_is_stopped_and_check_names_junction_and_second(streets, tmp_path):
    found = signals(streets, "CutsGreen", tmp_path / "a")
    told = r"signals at (\d+) s: junction '([A-C]1)' was asked .* after \d+ s of green; its minimum is \d+ s"
    assert list(found.failed) == [1]
    seen = re.search(told, found.failed[1])
    assert seen, found.failed[1]
    assert 8 * 3600 <= int(seen[1]) < 8 * 3600 + 180
    assert not found.holds
    assert found.robustness() == -float("inf")
    again = signals(streets, "CutsGreen", tmp_path / "b")
    assert again.failed == found.failed, "the counterexample happens again"
    sound = signals(streets, "TurnsInTime", tmp_path / "c")
    assert sound.failed == {}


# -- the table of the page -------------------------------------------------------------------------------------


def rows() -> dict[str, str]:
    """Return the table of docs/check.md: bug → what it cites."""
    part = PAGE.read_text(encoding="utf-8").split("## What the test bench catches")[1].split("\n## ")[0]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    return {row[0]: " ".join(row[1:]) for row in cells[2:]}


def test_the_table_names_every_bug_of_the_list_in_its_order():
    assert tuple(rows()) == LIST


@pytest.mark.parametrize("bug", LIST)
def test_every_test_that_the_table_cites_is_there(bug):
    cited = re.findall(r"`(test_\w+)\.py::(\w+)`", rows()[bug])
    assert cited, "a bug that nobody catches"
    for file, name in cited:
        (path,) = (ROOT / "tests").rglob(f"{file}.py")
        found = [
            n.name for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.FunctionDef)
        ]
        assert name in found, f"{path} has no {name}"
