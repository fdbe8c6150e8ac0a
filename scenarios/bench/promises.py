"""The promises and how each is measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scenarios.bench.base import Promise, Row, in_a_process
from scenarios.bench.of_city_brain import CITY_BRAIN, OfCityBrain
from scenarios.bench.of_fleets import OfFleets
from scenarios.bench.of_junctions import JUNCTIONS, OfJunctions
from scenarios.bench.of_scenarios import SCENARIOS, OfScenarios
from scenarios.bench.of_services import SERVICES, OfServices
from twin.errors import ScenarioError

SEED = 1
TURNS = 12  # of the zoom and of bare sumo, one after the other


PROMISES: dict[str, Promise] = {
    p.name: p
    for p in (
        Promise("micro_ratio", "micro hour around Cuizhai: twin ÷ bare sumo, wall", "×", 1.2, 1.1),
        Promise("day_wall", "meso, 24 h, everybody, with log and FCD at 30 s", "s", 80, 45),
        Promise("day_memory", "the same, peak memory", "GB", 4, 2),
        Promise("day_ratio", "the same ÷ bare sumo --mesosim on the same routes, wall", "×", 4, 2.2),
        Promise("day_teleports", "teleports in it per 100 vehicles", "%", 0.5, None),
        Promise("day_unaccounted", "vehicles and trips in it that are not accounted for", "", 0, None),
        Promise("growth", "wall per resident at 100 % ÷ at 10 % of the population", "×", 1.0, None),
        Promise("demo_wall", "twin demo alone", "s", 60, None),
        Promise("map_size", "map of the demo", "MB", 15, 8),
        Promise("map_ready", "the same, until it can be used in a browser", "s", 3, None),
        Promise("city_load", "loading the shipped city", "s", 3, None),
        Promise("jinan_3x4", "mean travel time against plain SUMO on the same files", "%", 5, None),
        Promise("fleets_added", "24 h with all fleets − the same without, solver time aside", "s", 20, None),
        Promise("fleet_decisions", "decisions of 1 s or more: 150 robots, 5,000 orders a day", "%", 5, None),
        Promise("fleet_growth", "cost per decision, 1,500 robots ÷ 150, against n log n", "×", 1.0, None),
        Promise("routing", "the desk's solver call against plain PyVRP, mean gap at 10 s", "%", 0.5, None),
        Promise("adaptive", "jinan_3x4 under adaptive signals, mean travel time over 5 seeds", "s", 320, 300),
        Promise("alerts_nab", "NAB traffic: F1 of a rolling 4-sigma rule − F1 of the detectors", "", -0.1, -0.2),
        Promise("alerts_skab", "the same on SKAB valve2", "", 0.0, -0.1),
        *JUNCTIONS,
        *CITY_BRAIN,
        *SERVICES,
        *SCENARIOS,
        Promise("fresh_clone", "make demo in a fresh clone, install included", "s", 300, None),
    )
}


class Bench(OfFleets, OfJunctions, OfCityBrain, OfServices, OfScenarios):
    """Runs what several promises need once, in a scratch folder that is removed at the end."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.dir = Path(tempfile.mkdtemp(prefix="twin-bench-"))
        self._runs: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        """Remove the scratch folder."""
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, name: str, scenario: str, *sets: str) -> dict[str, Any]:
        """Run a scenario in a process of its own; return its folder, wall time (s) and peak memory (GB)."""
        if name not in self._runs:
            self.say(f"running {scenario} {' '.join(sets)}".rstrip())
            out = self.dir / name
            spec = json.dumps({"scenario": scenario, "sets": dict(s.split("=", 1) for s in sets), "out": str(out)})
            self._runs[name] = {**json.loads(in_a_process("scenarios.bench.worker", spec)), "dir": out}
        return self._runs[name]

    # -- one method a promise --------------------------------------------------------------------------

    def day(self) -> dict[str, Any]:
        """Run the plain weekday."""
        return self.run("weekday", "weekday")

    def day_wall(self) -> tuple[float, str]:
        """Wall time of the day, interpreter start included."""
        r = self.day()
        return r["wall_s"], f"{r['residents']:,} residents, {r['vehicles']:,} vehicles, {r['facts']:,} facts"

    def day_memory(self) -> tuple[float, str]:
        """Peak resident memory of the day's process."""
        return self.day()["memory_gb"], "peak resident set of the process"

    def day_ratio(self) -> tuple[float, str]:
        """Day ÷ bare sumo --mesosim."""
        from geo.city import City
        from scenarios.bench.bare import run_bare, write_routes

        r = self.day()
        city = City.load(r["city_dir"])
        routes = self.dir / "weekday.rou.xml"
        n = write_routes(r["dir"], city, SEED, routes, "meso")
        bare = run_bare(city, routes, "meso", 0, 86400, SEED)
        return r["wall_s"] / bare, f"twin {r['wall_s']:.1f} s, bare sumo {bare:.1f} s on {n:,} vehicles"

    def day_teleports(self) -> tuple[float, str]:
        """Teleports per 100 vehicles."""
        r = self.day()
        return 100 * r["teleports"] / max(r["vehicles"], 1), f"{r['teleports']:,} of {r['vehicles']:,}"

    def day_unaccounted(self) -> tuple[float, str]:
        """Entered − arrived − removed − under way, and begun − ended − refused − under way."""
        r = self.day()
        return float(
            abs(r["vehicles_lost"]) + abs(r["trips_lost"])
        ), f"{r['trips']:,} trips, {r['vehicles']:,} vehicles"

    def growth(self) -> tuple[float, str]:
        """Wall per resident at full population over that at a tenth."""
        small = self.run("tenth", "weekday", "people.residents=23500", "traffic.background=0.1")
        full = self.day()
        a, b = small["wall_s"] / small["residents"], full["wall_s"] / full["residents"]
        return b / a, f"{1e3 * a:.3f} ms at 10 %, {1e3 * b:.3f} ms at 100 %"

    def micro_ratio(self) -> tuple[float, str]:
        """Micro hour of the zoom ÷ bare sumo on the same cut-out, routes and halts: the best of ``TURNS`` of each.

        The turns alternate, and what else runs on a machine only ever adds to a time, so the least is nearest. The
        district runs once; every turn of the zoom is a process of its own.
        """
        from geo.city import City
        from scenarios.bench import close_up
        from scenarios.bench.bare import run_bare, write_routes

        self.say("running the district of cuizhai_zoom")
        folder, routes = self.dir / "zoom", self.dir / "zoom.rou.xml"
        part, stops = close_up.prepare("cuizhai_zoom", SEED, folder)
        city = City.load(part.cut_dir)
        twin, bare, n = [], [], 0
        for turn in range(TURNS):
            self.say(f"cuizhai_zoom and bare sumo, turn {turn + 1} of {TURNS}")
            out = folder / f"turn-{turn}"
            twin.append(close_up.turn(folder, out))
            n = n or write_routes(out, city, SEED, routes, "micro", stops=stops)
            bare.append(run_bare(city, routes, "micro", *part.period, SEED))
        took = [" ".join(f"{s:.1f}" for s in times) for times in (twin, bare)]
        return min(twin) / min(bare), f"twin {took[0]} s, bare sumo {took[1]} s on {n:,} vehicles"

    def demo_wall(self) -> tuple[float, str]:
        """``twin demo`` with its map, city already built."""
        self.say("running twin demo")
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "twin.cli", "demo", "--no-open"],
            cwd=self._demo_dir(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise ScenarioError(f"bench: twin demo failed: {done.stderr.decode()[-300:]}")
        return time.perf_counter() - began, "run, KPIs and map"

    def _demo_dir(self) -> Path:
        folder = self.dir / "demo"
        folder.mkdir(exist_ok=True)
        return folder

    def _demo_map(self) -> Path:
        page = self._demo_dir() / "runs" / "demo" / "map.html"
        if not page.exists():
            self.demo_wall()
        return page

    def map_size(self) -> tuple[float, str]:
        """Size of the one file."""
        return self._demo_map().stat().st_size / 1e6, "one file, everything in it"

    def map_ready(self) -> tuple[float | None, str]:
        """From opening the file to ready, in a headless browser."""
        page = self._demo_map()
        code = (
            "import sys,time\n"
            "from playwright.sync_api import sync_playwright\n"
            "flags=['--no-sandbox','--disable-gpu','--use-angle=swiftshader','--enable-unsafe-swiftshader']\n"
            "with sync_playwright() as p:\n"
            "  b=p.chromium.launch(executable_path=sys.argv[1],args=flags)\n"
            "  g=b.new_context(offline=True).new_page()\n"
            "  t=time.perf_counter(); g.goto('file://'+sys.argv[2])\n"
            "  while not g.evaluate('window.__ready===true'):\n"  # the page forbids what waits within it
            "    assert time.perf_counter()-t < 60, 'never ready'\n"
            "    time.sleep(0.02)\n"
            "  print(time.perf_counter()-t); b.close()\n"
        )
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        if browser is None:
            return None, "not measured: no browser found"
        done = subprocess.run(
            [sys.executable, "-c", code, browser, str(page)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return None, f"not measured: {done.stderr.strip().splitlines()[-1][:120]}"
        return float(done.stdout), "headless browser, software rendering"

    def city_load(self) -> tuple[float, str]:
        """City.load, imports included, in a fresh process."""
        from geo import qibu

        code = "import sys; from geo.city import City; City.load(sys.argv[1])"
        folder = str(qibu.cached())
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code, folder], check=True)
        return time.perf_counter() - began, "imports included"

    def jinan_3x4(self) -> tuple[float | None, str]:
        """|twin − sumo| / sumo of the mean travel time."""
        from scenarios.bench.jinan import compare

        value, note = compare(self)
        return value, note

    def adaptive(self) -> tuple[float | None, str]:
        """Mean travel time of the real demand under the adaptive policy; 420 s with fixed plans."""
        from scenarios.bench.signals import adaptive_mean_s

        return adaptive_mean_s()

    def alerts_nab(self) -> tuple[float | None, str]:
        """F1 of a rolling 4-sigma rule less that of the detectors: below 0 they are better."""
        from scenarios.bench.detectors import compare_nab

        return self._alerts("nab", compare_nab)

    def alerts_skab(self) -> tuple[float | None, str]:
        """F1 of the rule less that of the detectors on the valve of SKAB."""
        from scenarios.bench.detectors import compare_skab

        return self._alerts("skab", compare_skab)

    def _alerts(self, which: str, compare: Callable[[Path], Any]) -> tuple[float | None, str]:
        from scenarios.bench.detectors import data_folder, total

        folder = data_folder()
        if folder is None:
            return None, f"not measured: {Path('..') / 'shared' / 'data' / 'alerts'} is not there"
        c = compare(folder)
        return -c.gain(), f"{which}: detectors {total(c.ours).f1:.3f}, rule {total(c.baseline).f1:.3f}"

    def fresh_clone(self) -> tuple[float | None, str]:
        """Clone the repository this was installed from, and ``make demo`` in it."""
        root = Path(__file__).resolve().parents[2]
        if not (root / ".git").exists():
            return None, "not measured: not a git checkout"
        self.say("make demo in a fresh clone")
        clone = self.dir / "clone"
        subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True)
        env = {**os.environ, "XDG_CACHE_HOME": str(self.dir / "cache"), "TWIN_NO_OPEN": "1"}
        began = time.perf_counter()
        done = subprocess.run(["make", "demo"], cwd=clone, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            return None, f"not measured: make demo failed: {done.stderr.strip()[-200:]}"
        return time.perf_counter() - began, "environment, install, city, run, map"


def measure(names: Iterable[str] = (), say: Callable[[str], None] = lambda _: None) -> list[Row]:
    """Measure the named promises (default: all), in the order of the table."""
    wanted = list(names) or list(PROMISES)
    unknown = [n for n in wanted if n not in PROMISES]
    if unknown:
        raise ScenarioError(f"bench: unknown promise '{unknown[0]}'; known: {', '.join(PROMISES)}")
    bench = Bench(say)
    try:
        return [promise.row(*getattr(bench, name)()) for name, promise in PROMISES.items() if name in wanted]
    finally:
        bench.close()


def main(names: Iterable[str] = (), json_file: Path | None = None) -> int:
    """Measure, print one row per promise, and write JSON if asked; return 1 when a promise is broken."""
    from rich.console import Console
    from rich.table import Table

    err = Console(stderr=True)
    rows = measure(names, lambda text: err.print(f"[dim]{text} …[/dim]"))
    table = Table("name", "value", "unit", "reach", "goal", "holds", "note")
    for r in rows:
        holds = {True: "yes", False: "NO", None: "–"}[r.holds]
        table.add_row(r.name, "–" if r.value is None else f"{r.value:g}", r.unit, r.reach, r.goal, holds, r.note)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(r) for r in rows], ensure_ascii=False, indent=1), encoding="utf-8")
    return int(any(r.holds is False for r in rows))
