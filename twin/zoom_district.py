"""The first part of a zoom: the whole district runs and tells who comes into the area – in a process of its own.

libsumo holds one simulation per process, and the heap that a district leaves behind slows down the next one. So the
district runs in ``python -m twin.zoom_district WORK PIPE``: it reads ``job.json`` in the folder WORK, tells its
progress over the pipe, and leaves ``inflow.npz`` and ``outcome.json`` there. It is a program and not a child of
multiprocessing, which would run the caller's main module again.

The pipe is also how it learns that it shall stop: when nobody listens any more, because the parent was interrupted or
is gone, its next word fails, and the run ends as interrupted with a complete log. It is in a process group of its
own, so that Ctrl-C reaches the parent alone and a second one does not disturb it while it writes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from geo.city import City
from geo.errors import CityError
from geo.network import Routes
from twin.errors import AdapterError, ControlError, ScenarioError
from twin.hosts import find_factory
from twin.log import Facts
from twin.run_folder import prepare
from twin.scenario import Scenario, zoom_period
from twin.scenario.mistakes import ScenarioProblems
from twin.simulation import Progress, Run, Simulation, carry_through
from twin.world.traffic.ports import Flow, NewVehicles, Stop
from twin.world.traffic.routing import join, pick
from twin.world.traffic.zoom import circle, cut, demand

WARM_UP_S = 600
WORD_EVERY_S = 0.1  # wall time between two words of progress
_SIGNALLED = 130  # exit code after Ctrl-C

Ints = npt.NDArray[np.int64]
_ERRORS: dict[str, type[BaseException]] = {
    e.__name__: e for e in (ScenarioProblems, ScenarioError, ControlError, AdapterError, CityError, KeyboardInterrupt)
}


@dataclass(frozen=True)
class Part:
    """What is run: a scenario with a zoom. ``folder``: of the district's run, kept as such only if ``kept``."""

    scenario: Scenario
    city_dir: Path
    seed: int
    folder: Path
    kept: bool

    @property
    def cut_dir(self) -> Path:
        """Folder of the city that is cut out."""
        return self.folder / "zoom_city"

    @property
    def whole(self) -> Scenario:
        """The scenario of the district: up to the end of the zoom, without recorded positions."""
        whole = self.scenario.changed(zoom=None, traffic={"fcd_period_s": 0})
        return whole.ending(zoom_period(self.scenario)[1])[0]

    @property
    def period(self) -> tuple[int, int]:
        """First and last second of the second part: the zoom's, and the time before in which its roads fill."""
        begin_s, end_s = zoom_period(self.scenario)
        return max(begin_s - WARM_UP_S, self.scenario.start_s), end_s


@dataclass(frozen=True)
class Inflow:
    """Vehicles for the cut-out city, by their second; and vehicle, road (of the district), second of crossings."""

    vehicles: NewVehicles
    crossed: tuple[Ints, Ints, Ints]


def run_district(
    part: Part,
    city: City,
    work: Path,
    progress: Progress | None = None,
    when_cut: Callable[[], None] | None = None,
) -> Inflow | Run:
    """Run the district; return what it brings to the area, or the run that was interrupted.

    It runs in a process of its own, with ``work`` as scratch folder, unless a controller cannot be made there: a
    local class, a lambda, or one of the caller's main module. Then it runs here, with the same facts. Raises what
    the run raises, and AdapterError when the process dies. ``city`` is the content of ``part.city_dir``. ``when_cut``
    is called once while the process runs, as soon as the area is cut out: what the zoom needs may be made in the
    meantime.
    """
    if not _can_be_made_elsewhere(part.scenario):
        return _run_here(part, city, progress)
    return _run_in_a_process(part, work, progress, when_cut)


# -- the district --------------------------------------------------------------------------------------


def _run_here(part: Part, city: City, progress: Progress | None) -> Inflow | Run:
    zoom = part.scenario.zoom
    assert zoom is not None
    if zoom.place is not None:
        centre = city.place(zoom.place).geometry
        x, y = float(centre.x), float(centre.y)
    else:
        assert zoom.lon is not None
        assert zoom.lat is not None
        x, y = (float(v) for v in city.to_local(zoom.lon, zoom.lat))
    area = cut(city, circle(x, y, zoom.radius_m), part.cut_dir)
    out = prepare(part.folder) if part.kept else None
    district = Simulation(part.whole, city, part.city_dir, part.seed, out)
    border = _Border(district, area.entries)
    done = carry_through(district, progress)
    if done.ended != "finished":
        return done
    start_s, end_s = part.period
    crossed = border.crossed()
    inside = (crossed[2] >= start_s) & (crossed[2] < end_s)
    new = demand(area, border.vehicles(), crossed, start_s, end_s).vehicles
    return Inflow(new, (crossed[0][inside], crossed[1][inside], crossed[2][inside]))


class _Border:
    """Watches the district: who set out when and along which way, and who came over the border."""

    def __init__(self, district: Simulation, entries: Ints) -> None:
        self._district = district
        self._new: list[NewVehicles] = []
        self._departed: dict[int, int] = {}
        self._crossed: list[tuple[Ints, Ints, Ints]] = []
        district.traffic.watch_entries(entries)
        district.observer = self._see
        district.admitted = self._new.append

    def _see(self, flow: Flow) -> None:
        self._departed.update(zip(flow.departed.tolist(), flow.departed_s.tolist(), strict=True))
        if flow.entered.size:
            self._crossed.append((flow.entered, flow.entered_road, flow.entered_s))

    def crossed(self) -> tuple[Ints, Ints, Ints]:
        """Return vehicle, road and second of every crossing, in order of time."""
        if not self._crossed:
            none = np.empty(0, dtype=np.int64)
            return none, none, none
        vehicle, road, t_s = (np.concatenate([c[k] for c in self._crossed]) for k in range(3))
        return vehicle, road, t_s

    def vehicles(self) -> NewVehicles:
        """Return everybody who set out, with the way really taken and the second really departed."""
        vehicle = np.concatenate([n.vehicle for n in self._new])
        kind = np.concatenate([n.type_index for n in self._new])
        routes = join([n.routes for n in self._new])
        first = np.cumsum([0] + [n.vehicle.size for n in self._new])
        stops = {int(a) + i: s for a, n in zip(first, self._new, strict=False) for i, s in n.stops.items()}
        went = np.asarray([v in self._departed for v in vehicle.tolist()], dtype=bool)
        place = np.cumsum(went) - 1
        stops = {int(place[i]): s for i, s in stops.items() if went[i]}
        vehicle, kind, routes = vehicle[went], kind[went], pick(routes, went)
        routes = _with_detours(routes, vehicle, self._district.drivers.detours)
        depart = np.asarray([self._departed[v] for v in vehicle.tolist()], dtype=np.int64)
        return NewVehicles(vehicle, kind, depart, routes, stops)


def _with_detours(routes: Routes, vehicle: Ints, detours: dict[int, npt.NDArray[np.int32]]) -> Routes:
    if not detours:
        return routes
    ways = [detours.get(v) for v in vehicle.tolist()]
    parts = [routes[i] if way is None else way for i, way in enumerate(ways)]
    offsets = np.concatenate([[0], np.cumsum([p.size for p in parts])]).astype(np.int64)
    return Routes(np.concatenate(parts).astype(np.int32), offsets, routes.time_s)


# -- the parent's side ---------------------------------------------------------------------------------


def _can_be_made_elsewhere(scenario: Scenario) -> bool:
    """Return whether the name of every controller leads a new process to the same factory."""
    names = scenario.resolved()["control"]
    for system, factory in scenario.control.factories().items():
        if names[system].startswith("__main__:"):
            return False
        if isinstance(factory, str):
            continue
        try:
            if find_factory(names[system]) is not factory:
                return False
        except ScenarioError:
            return False
    return True


def _run_in_a_process(
    part: Part, work: Path, progress: Progress | None, when_cut: Callable[[], None] | None
) -> Inflow | Run:
    job = {
        "scenario": part.scenario.resolved(),
        "city_dir": str(part.city_dir),
        "seed": part.seed,
        "folder": str(part.folder),
        "kept": part.kept,
    }
    (work / "job.json").write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8")
    code, reached_s, interrupted = _conduct(work, progress, when_cut)
    outcome_file = work / "outcome.json"
    if not outcome_file.is_file():
        if interrupted:
            raise KeyboardInterrupt
        raise AdapterError(_how_it_died(code, reached_s) + _last_words(work))
    outcome = json.loads(outcome_file.read_text(encoding="utf-8"))
    if "error" in outcome:
        raise _error_of(outcome)
    if outcome["ended"] == "finished":
        if interrupted:  # the last moment: the district is complete, but nobody wants the zoom any more
            raise KeyboardInterrupt
        return read_inflow(work / "inflow.npz")
    facts = Facts.read(part.folder) if part.kept else Facts(table=pq.read_table(work / "events.parquet"))
    out = part.folder if part.kept else None
    return Run(facts, outcome["digest"], out, outcome["ended"], part.whole, part.seed, outcome["wall_s"])


def _conduct(
    work: Path, progress: Progress | None, when_cut: Callable[[], None] | None
) -> tuple[int, int | None, bool]:
    """Run the process to its end; return its exit code, the last second it told, and whether we were interrupted.

    Its first word comes when the area is cut out. After Ctrl-C it gets the time to complete its files; after a second
    one it is killed. In no case is it left.
    """
    reached_s, interrupted = None, False
    hear, tell = os.pipe()
    words = open(hear, encoding="utf-8")  # noqa: SIM115  (closed before the process is waited for)
    try:
        # what the caller can import, its controllers too, the process can import
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
        env["TMPDIR"] = str(work)  # what a process that dies leaves lying goes with the folder
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "twin.zoom_district", str(work), str(tell)],
            stdin=subprocess.DEVNULL,
            pass_fds=(tell,),
            env=env,
            process_group=0,
        )
    except BaseException:
        words.close()
        raise
    finally:
        os.close(tell)
    try:
        from twin.world.traffic.sumo import preload

        preload()  # the zoom, which comes next in this process, need not wait for it
        try:
            with words:
                for word in words:
                    if reached_s is None and when_cut is not None:
                        when_cut()
                    now_s, start_s, end_s, note = json.loads(word)
                    reached_s = now_s
                    if progress is not None:
                        progress(now_s, start_s, end_s, note)
        finally:
            child.wait()
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    return child.returncode, reached_s, interrupted


def _how_it_died(code: int, reached_s: int | None) -> str:
    when = "before it began" if reached_s is None else f"at about {reached_s} s"
    if code >= 0:
        return f"the process that ran the whole district ended with exit code {code} {when}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    why = " (the system kills a process so when memory runs out)" if -code == signal.SIGKILL else ""
    return f"the process that ran the whole district was ended by {name} {when}{why}"


def _last_words(work: Path) -> str:
    """Return what SUMO said last, unless it was a warning: it is in the file that catches its words."""
    for file in work.glob("twin-sumo-*/stderr.txt"):
        lines = file.read_text("utf-8", "replace").splitlines()
        said = [line.strip() for line in lines if line[:1] not in ("", "W", " ") or "what():" in line]
        if said:
            return f"; it said: {said[-1]}"
    return ""


def _error_of(outcome: dict[str, Any]) -> BaseException:
    kind = _ERRORS.get(outcome["error"])
    if kind is ScenarioProblems:
        return ScenarioProblems(outcome["problems"])
    if kind is None:
        error = AdapterError(f"the whole district of the zoom failed: {outcome['text']}")
        error.add_note(outcome["trace"])
        return error
    return kind(outcome["text"]) if outcome["text"] else kind()


def read_inflow(file: Path) -> Inflow:
    """Read what :func:`write_inflow` wrote."""
    with np.load(file) as data:
        d = {name: data[name] for name in data.files}
    stops: dict[int, list[Stop]] = {}
    columns = (d[f"stop_{c}"].tolist() for c in ("of", "road", "pos_m", "duration_s", "until_s", "place"))
    for of, *what in zip(*columns, strict=True):
        stops.setdefault(of, []).append(Stop(*what))
    routes = Routes(d["roads"], d["offsets"], d["time_s"])
    vehicles = NewVehicles(d["vehicle"], d["type_index"], d["depart_s"], routes, stops)
    return Inflow(vehicles, (d["crossed_vehicle"], d["crossed_road"], d["crossed_s"]))


# -- the child's side ----------------------------------------------------------------------------------


def write_inflow(inflow: Inflow, file: Path) -> None:
    """Write what comes into an area (npz)."""
    new = inflow.vehicles
    stops = [(i, stop) for i, own in new.stops.items() for stop in own]
    np.savez(
        file,
        vehicle=new.vehicle,
        type_index=new.type_index,
        depart_s=new.depart_s,
        roads=new.routes.roads,
        offsets=new.routes.offsets,
        time_s=new.routes.time_s,
        stop_of=np.asarray([i for i, _ in stops], dtype=np.int64),
        stop_road=np.asarray([s.road for _, s in stops], dtype=np.int64),
        stop_pos_m=np.asarray([s.pos_m for _, s in stops], dtype=np.float64),
        stop_duration_s=np.asarray([s.duration_s for _, s in stops], dtype=np.int64),
        stop_until_s=np.asarray([s.until_s for _, s in stops], dtype=np.int64),
        stop_place=np.asarray([s.place for _, s in stops], dtype=np.str_),
        crossed_vehicle=inflow.crossed[0],
        crossed_road=inflow.crossed[1],
        crossed_s=inflow.crossed[2],
    )


class _Teller:
    """Progress over a pipe, not too often. When nobody listens any more, the run is interrupted."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._told = 0.0

    def __call__(self, now_s: int, start_s: int, end_s: int, note: str) -> None:
        now = time.monotonic()
        if now_s > start_s and now - self._told < WORD_EVERY_S:
            return
        self._told = now
        try:
            os.write(self._pipe, f"{json.dumps([now_s, start_s, end_s, note])}\n".encode())
        except BrokenPipeError:
            raise KeyboardInterrupt from None


def _carry_out(work: Path, progress: Progress) -> dict[str, Any]:
    job = json.loads((work / "job.json").read_text(encoding="utf-8"))
    scenario = Scenario.from_resolved(job["scenario"], f"scenario '{job['scenario']['name']}'")
    part = Part(scenario, Path(job["city_dir"]), job["seed"], Path(job["folder"]), job["kept"])
    came = _run_here(part, City.load(part.city_dir), progress)
    if isinstance(came, Inflow):
        write_inflow(came, work / "inflow.npz")
        return {"ended": "finished"}
    if not part.kept:
        pq.write_table(came.log.table(), work / "events.parquet")
    return {"ended": came.ended, "digest": came.digest, "wall_s": came.wall_s}


def _failure(error: BaseException) -> dict[str, Any]:
    """Return an error as data: the nearest class that the parent knows, its sentence, its problems if it has any."""
    known = next((c.__name__ for c in type(error).__mro__ if c.__name__ in _ERRORS), "")
    text = str(error) if known else f"{type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))
    return {"error": known, "text": text, "problems": list(getattr(error, "problems", ())), "trace": trace}


def main(work: Path, pipe: int) -> int:
    """Carry out the job in ``work``; return the exit code."""
    os.set_inheritable(pipe, False)  # no program that SUMO or a controller starts shall keep it open
    try:
        outcome = _carry_out(work, _Teller(pipe))
    except BaseException as error:
        outcome = _failure(error)
    part = work / "outcome.part"
    part.write_text(json.dumps(outcome, ensure_ascii=False), encoding="utf-8")
    part.replace(work / "outcome.json")
    return _SIGNALLED if outcome.get("error") == KeyboardInterrupt.__name__ else int("error" in outcome)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
