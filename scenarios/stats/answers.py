"""From values by seed to an answer: means, difference, interval, what pairing saved, verdict, how many more runs.

Everything about one variant follows from its own plan and its own pairs, so a further variant changes no number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scenarios.kpis.base import Better, Kpi
from scenarios.stats.guardrails import Guarded, guard
from scenarios.stats.paired import Joined, Summary, join, summary
from scenarios.stats.plan import Plan
from scenarios.stats.precision import pairs_needed, parse_precision, reached
from scenarios.stats.sequential import Decision, decide, skewness, too_skewed

Values = Mapping[int, float | None]
Verdict = Literal["better", "worse", "different", "indistinguishable", "inconclusive"]

MISSING_SHARE = 0.1  # of the planned seeds; with more missing no verdict is given, because what is missing may matter


def verdict_word(direction: int, better: Better) -> Verdict:
    """Return what a claimed sign of variant − base means for an indicator."""
    if direction == 0:
        return "indistinguishable"
    if better == "neither":
        return "different"
    return "better" if (direction > 0) == (better == "higher") else "worse"


@dataclass(frozen=True)
class Answer:
    """One indicator of one comparison. ``why``: in a few words, where the verdict needs them (else empty).

    ``at_look``: pairs at the look that decided. ``without``: planned seeds without a pair. ``more``: further pairs
    for an interval of ±``more_for`` (in the unit).
    """

    kpi: Kpi
    verdict: Verdict
    why: str
    summary: Summary | None
    at_look: int
    without: tuple[int, ...]
    more: int | None
    more_for: float | None
    guarded: Guarded | None = None
    joined: Joined | None = None


@dataclass(frozen=True)
class Reply:
    """All indicators of one comparison; ``done``: no further pair is needed under the plan."""

    plan: Plan
    answers: tuple[Answer, ...]
    guards: tuple[Answer, ...]
    done: bool
    pairs: int

    @property
    def safe(self) -> bool | None:
        """Whether all guardrails pass; None: cannot be told, or none is set."""
        states = [a.guarded.passed for a in self.guards if a.guarded is not None]
        if not states or (None in states and False not in states):
            return None
        return False not in states


def reply(
    plan: Plan,
    kpis: Sequence[Kpi],
    base: Mapping[str, Values],
    variant: Mapping[str, Values],
    ran: Sequence[int],
    advice_percent: float = 2.0,
) -> Reply:
    """Answer a plan. ``kpis``: those asked, in the plan's order, then guardrails; values: KPI name → seed → value.

    ``ran``: the planned seeds that were tried so far, in the plan's order.
    """
    by_name = {k.name: k for k in kpis}
    asked = [by_name[a.kpi] for a in plan.asked]
    joined = {name: join(base.get(name, {}), variant.get(name, {}), ran) for name in by_name}
    complete = len(ran) >= max(plan.looks)
    decisions = {k.name: _decision(plan, joined[k.name], joined, [a.name for a in asked], ran) for k in asked}
    answers = tuple(
        _answer(k, joined[k.name], plan, decisions[k.name], complete, len(ran), advice_percent) for k in asked
    )
    guards = tuple(_guard(by_name[g.kpi], joined[g.kpi], g.margin, g.percent, complete) for g in plan.guardrails)
    return Reply(plan, answers, guards, complete or _enough(plan, joined, decisions), len(ran))


def _enough(plan: Plan, joined: Mapping[str, Joined], decisions: Mapping[str, Decision]) -> bool:
    """Whether the plan lets the runs stop before its last look."""
    asked = [a.kpi for a in plan.asked]
    if plan.until:
        wanted = parse_precision(plan.until)
        return all(reached(joined[n].base, joined[n].differences, wanted).done for n in asked)
    return len(plan.looks) > 1 and all(bool(decisions[n].direction[0, 0]) for n in asked) and not plan.guardrails


def _decision(plan: Plan, own: Joined, joined: Mapping[str, Joined], asked: list[str], ran: Sequence[int]) -> Decision:
    """Decide one indicator, with Holm over all that were asked.

    Where seeds are missing here and there, each indicator is judged on all pairs it has, and Bonferroni takes Holm's
    place. A look at so many seeds is a look at the pairs among them.
    """
    names = [n for n in asked if len(joined[n].seeds) >= 2]
    mine = next((n for n in asked if joined[n] is own), None)
    if mine is None or mine not in names:
        none = np.zeros((1, 1))
        return Decision(none.astype(np.int8), none.astype(np.int64), none.astype(bool))
    pairs = len(own.seeds)
    there = np.isin(np.asarray(ran), np.asarray(own.seeds))
    looks = tuple(int(there[:n].sum()) if n <= len(ran) else pairs + n for n in plan.looks)
    if len(looks) == 1 or plan.until:
        looks = (pairs,)
    if any(joined[n].seeds != own.seeds for n in names):
        return decide(own.differences.reshape(1, -1, 1), looks, plan.alpha / len(names))
    whole = decide(np.stack([joined[n].differences for n in names], axis=1)[None], looks, plan.alpha)
    k = names.index(mine)
    return Decision(whole.direction[:, k : k + 1], whole.n[:, k : k + 1], whole.skewed[:, k : k + 1])


def _answer(
    kpi: Kpi, own: Joined, plan: Plan, decision: Decision, complete: bool, ran: int, advice_percent: float
) -> Answer:
    without = own.left_out
    if not own.seeds:
        return Answer(kpi, "inconclusive", "no run gave both a value", None, 0, without, None, None, joined=own)
    direction = int(decision.direction[0, 0])
    at = int(decision.n[0, 0]) or len(own.seeds)
    alpha = plan.alpha / len(plan.looks) if not plan.until else plan.alpha
    s = summary(own, alpha)
    more, more_for = _advice(s, advice_percent, plan)
    verdict, why = _verdict(kpi, s, plan, decision, direction, complete, ran, len(without))
    return Answer(kpi, verdict, why, s, at, without, more, more_for, joined=own)


def _verdict(
    kpi: Kpi, s: Summary, plan: Plan, decision: Decision, direction: int, complete: bool, ran: int, missing: int
) -> tuple[Verdict, str]:
    ends_early = direction != 0 and len(plan.looks) > 1
    reasons = (
        (missing > MISSING_SHARE * ran, f"{missing} of {ran} pairs are missing"),
        (s.n < 2 and s.difference != 0, "one pair tells nothing"),
        (not complete and not ends_early and not plan.until, f"{ran} of {max(plan.looks)} planned pairs have run"),
        (bool(decision.skewed[0, 0]), "the differences are too skewed for so few pairs"),
    )
    for holds, why in reasons:
        if holds:
            return "inconclusive", why
    word = verdict_word(direction, kpi.better)
    if direction == 0 and (s.low > 0 or s.high < 0):
        return word, "alone its interval leaves out 0; corrected for all indicators asked it is no evidence"
    small = next((a.smallest for a in plan.asked if a.kpi == kpi.name), None)
    if direction == 0 and small is not None:
        return (word, f"smaller than {small:g}") if -small < s.low and s.high < small else (word, "")
    return word, ""


def _guard(kpi: Kpi, own: Joined, margin: float, percent: bool, complete: bool) -> Answer:
    if not own.seeds:
        none = Guarded(None, float("inf"), margin)
        return Answer(kpi, "inconclusive", "no run gave both a value", None, 0, own.left_out, None, None, none, own)
    s = summary(own)
    limit = abs(s.base) * margin / 100 if percent else margin
    state = guard(own.differences, kpi.better, limit)
    why = "" if complete else "not all planned pairs have run"
    if own.left_out:
        state, why = Guarded(None, state.worst, limit), f"{len(own.left_out)} pairs are missing"
    return Answer(kpi, "inconclusive", why, s, s.n, own.left_out, None, None, state, own)


def _advice(s: Summary, percent: float, plan: Plan) -> tuple[int | None, float | None]:
    """Return how many further pairs an interval of ±percent of the base's mean (or of the plan's ±) needs."""
    target = parse_precision(plan.until).target(s.base) if plan.until else abs(s.base) * percent / 100
    needed = pairs_needed(s.spread, s.n, target)
    return (None if needed is None else max(0, needed - s.n)), target or None


def skew_of(own: Joined, alpha: float) -> tuple[float, bool]:
    """Return the sample skewness of the differences, and whether it forbids a t test at this number of pairs."""
    n = len(own.seeds)
    if n < 3:
        return 0.0, False
    g = skewness(own.differences.reshape(1, n, 1))
    return float(g[0, 0]), bool(too_skewed(g, n, alpha)[0, 0])
