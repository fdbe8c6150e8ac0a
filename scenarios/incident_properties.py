"""Properties that the incidents of every run must have, checked on its facts; each returns what is wrong.

They hold whatever fails in the city, as long as no part of the loop is switched off (``responders.verify: false``
breaks the first on purpose). ``ALL`` lists them by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from twin.domain.ids import unit_label
from twin.log import Facts

_SHOWN = 5
HEALING_S = 900  # until what waited for a desk has been worked off (assumed; as in the fault matrix)


def incidents_are_verified(facts: Facts) -> list[str]:
    """No incident is closed before somebody other than those who handled it has said that it is fixed."""
    steps = [
        facts.frame(kind)[["t_s", "incident", "who"]].assign(kind=kind)
        for kind in ("IncidentAdvanced", "IncidentVerified", "IncidentClosed")
    ]
    steps[0]["state"] = facts.frame("IncidentAdvanced")["state"].to_numpy()
    again = facts.frame("IncidentReopened")[["t_s", "incident"]].assign(kind="IncidentReopened")
    out: list[str] = []
    handlers: dict[str, set[str]] = {}
    verified: dict[str, str] = {}
    order = {"IncidentReopened": 0, "IncidentAdvanced": 1, "IncidentVerified": 2, "IncidentClosed": 3}
    story = pd.concat([*steps, again]).astype({"incident": str})
    story = story.assign(rank=story["kind"].map(order)).sort_values(["t_s", "rank"], kind="stable")
    for row in story.itertuples():
        if row.kind == "IncidentReopened":
            handlers.pop(row.incident, None)
            verified.pop(row.incident, None)
        elif row.kind == "IncidentAdvanced" and row.state == "handled":
            handlers.setdefault(row.incident, set()).add(str(row.who))
        elif row.kind == "IncidentVerified":
            verified[row.incident] = str(row.who)
        elif row.kind == "IncidentClosed":
            who = verified.get(row.incident, "")
            if not who or who in handlers.get(row.incident, set()):
                out.append(f"{row.incident} was closed at {row.t_s} s on the word of {who or 'nobody'}")
    return out[:_SHOWN]


def targets_are_watched(facts: Facts) -> list[str]:
    """No phase of an incident goes past its target without the incident being taken up.

    While the desk is down or slow somebody is told later: then, or at the latest ``HEALING_S`` after it is well again.
    """
    clocks = facts.frame("IncidentClockStarted")
    if clocks.empty:
        return []
    end_s = int(facts.frame("RunEnded")["t_s"].iloc[-1])
    up = facts.frame("IncidentEscalated")
    raised = set(zip(up["incident"].astype(str), up["t_s"], strict=True))
    closed = facts.frame("IncidentClosed")[["t_s", "incident"]]
    starts = clocks[["t_s", "incident", "phase", "due_s"]].assign(number=range(len(clocks)))
    stops = pd.concat([starts[["t_s", "incident"]], closed]).astype({"incident": str})
    by = {name: group["t_s"].tolist() for name, group in stops.groupby("incident")}
    ill = _ill(facts, end_s)
    told = {name: np.sort(group["t_s"].to_numpy()) for name, group in up.astype({"incident": str}).groupby("incident")}
    out = []
    for name, group in starts.astype({"incident": str}).groupby("incident"):
        times = sorted(by[name])
        for row in group.itertuples():
            same = times.count(row.t_s) > 1
            ended = min((t for t in times if t > row.t_s), default=end_s + 1) if not same else row.t_s
            until_s = next((e for b, e in ill if b <= row.due_s < e), row.due_s)
            late = told.get(name, np.empty(0))
            if until_s >= end_s or ended <= until_s or ((late >= row.due_s) & (late <= until_s)).any():
                continue
            if ended > row.due_s and row.due_s < end_s and (name, row.due_s) not in raised:
                out.append(f"{name}: {row.phase} was due at {row.due_s} s and nobody was told")
    return out[:_SHOWN]


def _ill(facts: Facts, end_s: int) -> list[tuple[int, int]]:
    """Return when the incident desk was down or slow: [from, until) with the time to heal, s."""
    began, ended = facts.frame("FaultBegan"), facts.frame("FaultEnded")
    out = []
    for fault in began.itertuples():
        if fault.fault in ("controller_down", "controller_slow") and fault.desk in ("all", "incidents"):
            over = ended.loc[(ended["cause"] == fault.cause) & (ended["t_s"] >= fault.t_s), "t_s"]
            out.append((int(fault.t_s), int(over.min() if len(over) else end_s) + HEALING_S))
    return out


def responders_are_in_one_place(facts: Facts) -> list[str]:
    """Nobody is on two tickets at once, and each way and each ticket ends at most once."""
    took = facts.frame("ResponderAccepted")[["t_s", "unit", "ticket"]]
    ends = pd.concat(
        [
            facts.frame(kind)[["t_s", "unit", "ticket"]]
            for kind in ("ResponderHandled", "ResponderFoundNothing", "ResponderUnable", "ResponderChecked",
                         "ResponderFailed", "ResponderRecalled")
        ]
    ).astype({"ticket": str})  # fmt: skip
    out = [f"ticket {t} ended {n} times" for t, n in Counter(ends["ticket"]).items() if n > 1]
    arrived = Counter(facts.frame("ResponderArrived")["ticket"].astype(str))
    out += [f"ticket {t} arrived {n} times" for t, n in arrived.items() if n > 1]
    on = took.astype({"ticket": str}).merge(ends[["ticket", "t_s"]], on="ticket", how="left", suffixes=("", "_end"))
    on = on.sort_values(["unit", "t_s"], kind="stable")
    before = on.groupby("unit")["t_s_end"].shift()
    first = on["unit"] != on["unit"].shift()
    clash = on[~first & ((before > on["t_s"]) | before.isna())]
    out += [f"{unit_label(r.unit)} took ticket {r.ticket} at {r.t_s} s while on another" for r in clash.itertuples()]
    return out[:_SHOWN]


def no_sign_is_lost(facts: Facts) -> list[str]:
    """Every alert that was passed on, every call, report and early sign is in exactly one incident.

    What the community platform passes on counts where there are responders: else there is no incident desk to take it.
    """
    told = facts.frame("SignTold")[["source", "ref"]]
    if len(facts.frame("ResponderDeployed")):
        reports, early = facts.frame("ReportForwarded"), facts.frame("EarlyOrderOpened")
        orders = early[["order_ref"]].rename(columns={"order_ref": "ref"}).assign(source="early sign")
        told = pd.concat([told, reports[["source", "ref"]], orders[["source", "ref"]]])
    signs = pd.concat([facts.frame(kind)[["source", "ref"]] for kind in ("IncidentCreated", "IncidentMerged")])
    homes = Counter(zip(signs["source"].astype(str), signs["ref"].astype(str), strict=True))
    sent = list(dict.fromkeys(zip(told["source"].astype(str), told["ref"].astype(str), strict=True)))
    out = [f"{source} {ref} is in {homes[source, ref]} incidents" for source, ref in sent if homes[source, ref] != 1]
    out += [f"{source} {ref} is in {n} incidents" for (source, ref), n in homes.items() if n > 1]
    return out[:_SHOWN]


def incidents_end(facts: Facts) -> list[str]:
    """Every incident is closed once more than it came back, or is open at the end, and nobody else's is."""
    created = facts.frame("IncidentCreated")["incident"].astype(str).tolist()
    closed = Counter(facts.frame("IncidentClosed")["incident"].astype(str))
    again = facts.frame("IncidentReopened")
    back = Counter(again.loc[again["state"] == "closed", "incident"].astype(str))
    still = set(facts.frame("IncidentOpen")["incident"].astype(str))
    out = [f"{n} was created twice" for n, k in Counter(created).items() if k > 1]
    out += [f"{n} was never created" for n in [*closed, *still] if n not in set(created)]
    for name in created:
        ends = closed[name] - back[name] + (name in still)
        if ends != 1:
            out.append(f"{name} has {ends} ends")
    return out[:_SHOWN]


ALL: Mapping[str, Callable[[Facts], list[str]]] = {
    "incidents_are_verified": incidents_are_verified,
    "targets_are_watched": targets_are_watched,
    "responders_are_in_one_place": responders_are_in_one_place,
    "no_sign_is_lost": no_sign_is_lost,
    "incidents_end": incidents_end,
}


def broken(facts: Facts) -> dict[str, list[str]]:
    """Return what is wrong with the incidents of a run, by property; empty for a sound one."""
    return {name: wrong for name, holds in ALL.items() if (wrong := holds(facts))}
