"""One past, several futures: a live run is forked, and each child goes on as another scenario.

What a future may change is what lies after the branch: interventions that begin then or later, the code of a desk, and
a fleet's policy. Everything else would change the past; :func:`check_branch` says so in a sentence.

A forked child inherits the open files of its parent with their place in them, SUMO's among them. So each child gets
copies: every open file below the past's folder is copied to the child's as it stands, and the child's descriptor is
turned to the copy. Files go on in the middle of a Parquet row group as if nothing had happened. Fork is used on Linux,
in a process with no second thread; elsewhere each future runs from the start, by the same code, to the same result.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twin.errors import ScenarioError
from twin.hosts import Factory, find_factory
from twin.interventions import INVITED_S
from twin.scenario import Scenario, clock_text
from twin.scenario.interventions import Event, Intervention
from twin.scenario.mistakes import show_path
from twin.simulation import Simulation

WORDS = ("name", "title", "title_zh", "question", "question_zh", "waived")
FLEETS = ("bus", "delivery", "sanitation", "supervision")
DAY_S = 86_400


def can_fork() -> bool:
    """Whether a live run can be forked here."""
    return hasattr(os, "fork") and sys.platform.startswith("linux") and Path("/proc/self/fd").is_dir()


# -- what may differ -----------------------------------------------------------------------------------


def check_branch(base: Scenario, variant: Scenario, at_s: int) -> None:
    """Raise ScenarioError unless a variant differs from the base only in what lies after the branch."""
    when = _clock(at_s)
    if not base.start_s < at_s < base.end_s:
        span = f"{_clock(base.start_s)} and {_clock(base.end_s)}"
        raise ScenarioError(f"--at {when}: must lie between {span}, the beginning and the end of {base.name}")
    if base.zoom is not None:
        raise ScenarioError(
            f"{base.name}: has a zoom, which runs after the whole district; it cannot branch; branch it without "
            "(--set zoom=null), or compare whole runs (twin compare)"
        )
    for path in _differences(_plain(base), _plain(variant)):
        if _is_control(path):
            _check_swap(base, variant, path)
        elif path[0] != "interventions":
            raise ScenarioError(
                f"{variant.name}: {show_path(path)} differs from {base.name}, which changes the past; "
                f"a branch at {when} may change interventions that begin then or later, control, and policies"
            )
    a, b = base.interventions, variant.interventions
    for k in range(max(len(a), len(b))):
        mine, theirs = (items[k] if k < len(items) else None for items in (b, a))
        if mine != theirs and any(item is not None and begins_s(item) < at_s for item in (mine, theirs)):
            item = mine if mine is not None else theirs
            raise ScenarioError(
                f"{variant.name}: interventions[{k}] ({item.kind} at {_clock(item.at_s)}) differs from {base.name}, "  # type: ignore[union-attr]
                f"and one of the two begins before the branch at {when}; list what has begun first, and unchanged"
            )


def begins_s(item: Intervention) -> int:
    """Return when an intervention begins to have an effect: visitors of an event decide two hours before it."""
    return item.at_s - (INVITED_S if isinstance(item, Event) else 0)


def _plain(s: Scenario) -> dict[str, Any]:
    return {k: v for k, v in s.resolved().items() if k not in WORDS}


def _differences(a: Any, b: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths of keys that differ; lists count as a whole."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in dict.fromkeys([*a, *b]):
            yield from _differences(a.get(key), b.get(key), (*path, key))
    elif a != b:
        yield path


def _is_control(path: tuple[str, ...]) -> bool:
    if path[0] == "control" and len(path) == 2:
        return True
    return (
        len(path) == 2 and path[1] in ("policy", "desk") and path[0] in ("bus", "delivery", "sanitation", "supervision")
    )


def _check_swap(base: Scenario, variant: Scenario, path: tuple[str, ...]) -> None:
    both = [getattr(getattr(s, path[0], None), path[1], None) for s in (base, variant)]
    if None in both:
        raise ScenarioError(
            f"{variant.name}: {show_path(path)} is switched {'off' if both[1] is None else 'on'}, and a desk is there "
            "from the start or never; a branch can put other code in a desk, not add or remove one (twin compare can)"
        )


def swaps(base: Scenario, variant: Scenario) -> dict[str, Factory]:
    """Return the desks whose code a variant changes, by name, with what makes the new code."""
    out: dict[str, Factory] = {}
    for path in _differences(_plain(base), _plain(variant)):
        if path[0] == "control":
            spec = getattr(variant.control, path[1])
            out[path[1]] = find_factory(spec) if isinstance(spec, str) else spec
        elif _is_control(path):
            from twin.world.fleets.desks import desk_factory

            part = getattr(variant, path[0])
            out[path[0]] = desk_factory(path[0], part.desk, part.policy)
    return out


def afar(scenario: Scenario) -> bool:
    """Whether a controller lives at an address: it has one state, which no fork copies."""
    return any(isinstance(spec, str) and "://" in spec for spec in scenario.control.factories().values())


def _clock(t_s: int) -> str:
    day, of_day = divmod(t_s, DAY_S)
    return clock_text(of_day) if day == 0 else f"day {day + 1}, {clock_text(of_day)}"


# -- live ----------------------------------------------------------------------------------------------


def go_on(simulation: Simulation, base: Scenario, variant: Scenario) -> None:
    """Let a simulation that stands at the branch go on as ``variant``."""
    changed = swaps(base, variant)
    simulation.branch(variant, changed)
    # a run from the start under the base's name has the same facts, unless code was put in its place on the way
    simulation.stamped = variant if changed else variant.model_copy(update={"name": base.name})


def own_outputs(simulation: Simulation, out: Path) -> None:
    """In a forked child: give the run its own files below ``out``, with everything written so far in them."""
    assert simulation.out is not None
    past = simulation.out.absolute()
    out = out.absolute()
    moves = {past: out}
    traffic: Any = simulation.traffic
    scratch = getattr(traffic, "_folder", None)  # SUMO's words are caught in a file there
    if isinstance(scratch, Path):
        moves[scratch.absolute()] = traffic._folder = Path(tempfile.mkdtemp(prefix="twin-sumo-"))
    for folder, target in moves.items():
        shutil.copytree(folder, target, dirs_exist_ok=True)
    for fd, file in open_files():
        for folder, target in moves.items():
            if file.is_relative_to(folder):
                _turn(fd, target / file.relative_to(folder))
    simulation.out = out
    simulation.log.moved(out / "events.parquet")
    for host in simulation.desks:
        host.moved(out / "journal" / f"{host.name}.jsonl")


def open_files() -> list[tuple[int, Path]]:
    """Return the open regular files of this process: descriptor and path (Linux)."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("/") and Path(target).is_file():
            found.append((int(name), Path(target)))
    return found


def _turn(fd: int, file: Path) -> None:
    """Turn a descriptor to another file, at the same place and opened in the same way."""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    place = os.lseek(fd, 0, os.SEEK_CUR)
    new = os.open(file, flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR | os.O_APPEND))
    os.lseek(new, place, os.SEEK_SET)
    os.dup2(new, fd, inheritable=False)
    os.close(new)


def check_alone() -> None:
    """Raise RuntimeError where a second Python thread runs: a fork would lose it."""
    if threading.active_count() > 1:
        raise RuntimeError("a process with more than one thread must not fork a live run")
