"""Signal temporal logic over signals of a run, with units: ``always (queue <= 20 and speed >= 20 km/h)``.

Formulas are those of rtamt (Ničković and Yamaguchi, "RTAMT: online robustness monitors from STL", ATVA 2020):
always, eventually, until, since, once, historically, implies, and, or, not, with bounds such as ``[0:30 min]``. The
robustness (Fainekos and Pappas 2009) says by how much a formula holds, or by how much it is broken. Numbers may carry
a unit, which must fit the signal they are compared with.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.checks.model import Outcome, Violation
from scenarios.checks.patterns import moment
from scenarios.checks.signals import STEP_S, Floats, Signal, steps
from scenarios.readings import Memory
from twin.errors import ScenarioError
from twin.scenario.mistakes import did_you_mean

#: unit → (what it measures, factor to the first unit of that kind)
_UNITS: dict[str, tuple[str, float]] = {
    "m/s": ("speed", 1.0), "km/h": ("speed", 1 / 3.6),
    "s": ("time", 1.0), "ms": ("time", 1e-3), "min": ("time", 60.0), "h": ("time", 3600.0),
    "m": ("length", 1.0), "km": ("length", 1000.0),
    "Wh": ("energy", 1.0), "kWh": ("energy", 1000.0),
    "/s": ("rate", 1.0), "/min": ("rate", 1 / 60), "/h": ("rate", 1 / 3600),
    "%": ("share", 0.01), "": ("share", 1.0),
    "mm/h": ("rain", 1.0), "m/s²": ("acceleration", 1.0), "l": ("volume", 1.0), "kg": ("mass", 1.0),
}  # fmt: skip
_UNIT_WORDS = "|".join(re.escape(u) for u in sorted(_UNITS, key=len, reverse=True) if u)
_NAME = r"[A-Za-z_]\w*"
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_COMPARISON = re.compile(
    rf"(?P<name>{_NAME})\s*(?P<op><=|>=|==|!==|<|>)\s*(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT_WORDS})?(?![\w/])"
)
_BOUNDS = re.compile(r"\[\s*([\d.]+)\s*(s|min|h)?\s*[:,]\s*([\d.]+)\s*(s|min|h)?\s*\]")
_TEMPORAL = ("always", "eventually", "until", "since", "once", "historically", "next", "prev", "rise", "fall")
_LOGIC = ("implies", "and", "or", "not", "xor", "iff", "true", "false", "abs", "sqrt", "exp", "pow")
_WORDS = frozenset((*_TEMPORAL, *_LOGIC, *"GFUSOHX", "unless", "s", "ms", "us", "ns", "ps"))
_ALWAYS = re.compile(r"\s*(?:always|G)\s*\((.*)\)\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Formula:
    """A formula over named signals. Made by :func:`formula`, which checks it."""

    name: str
    text: str
    signals: Mapping[str, Signal]
    step_s: int = STEP_S

    def check(self, facts: Memory) -> Outcome:
        """Judge one run. Where a signal is unknown (nan) the formula is not judged there."""
        at_s = steps(facts, self.step_s)
        if at_s.size == 0:
            return Outcome(self.name, None)
        sampled = {n: s.sample(facts, at_s) for n, s in self.signals.items()}
        known = np.all([np.isfinite(v) for v in sampled.values()], axis=0) if sampled else np.ones(at_s.size, bool)
        if not known.any():
            return Outcome(self.name, None)
        inner = always_of(self.text)
        series = evaluate(inner if inner is not None else self.text, sampled, self.step_s)
        judged = known if inner is not None else known & (np.arange(at_s.size) == np.flatnonzero(known)[0])
        values = np.where(judged, series, np.inf)
        worst = int(values.argmin())
        unit = self._unit()
        violations: tuple[Violation, ...] = ()
        if values[worst] < 0:
            first = int(np.flatnonzero(values < 0)[0])
            shown = ", ".join(f"{n} {_short(v[first])}{_spaced(self.signals[n].unit)}" for n, v in sampled.items())
            violations = (Violation(int(at_s[first]), f"at {moment(int(at_s[first]))}: {shown}"),)
        return Outcome(
            self.name, not violations, int(judged.sum()), int((~judged).sum()) if inner is not None else 0,
            float(values[worst]), unit, violations,
        )  # fmt: skip

    def _unit(self) -> str:
        units = {s.unit for s in self.signals.values()}
        return units.pop() if len(units) == 1 else ""


def always_of(text: str) -> str | None:
    """Return φ of a formula that is as a whole "always (φ)", else None."""
    match = _ALWAYS.match(text)
    if match is None:
        return None
    depth = 0
    for letter in match[1]:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return None
    return match[1]


def formula(name: str, text: str, signals: Mapping[str, Signal], step_s: int = STEP_S) -> Formula:
    """Return a checked formula with its units worked in. ScenarioError: one sentence on what is wrong with it."""
    used = [w for w in dict.fromkeys(re.findall(_NAME, _without_units(text))) if w not in _WORDS]
    for word in used:
        if word not in signals:
            raise ScenarioError(
                f"formula '{name}': '{word}' is no signal{did_you_mean(word, signals)}; declared: "
                f"{', '.join(signals) or 'none'}"
            )
    plain = _BOUNDS.sub(lambda m: f"[{_in_s(m[1], m[2] or m[4])}s:{_in_s(m[3], m[4])}s]", text)
    plain = _COMPARISON.sub(lambda m: _in_units_of(name, signals, m), plain)
    made = Formula(name, plain, {w: signals[w] for w in used}, step_s)
    try:
        evaluate(plain, {w: np.zeros(3) for w in used}, step_s)
    except ScenarioError as error:
        raise ScenarioError(f"formula '{name}': {error}") from None
    return made


def _without_units(text: str) -> str:
    text = _BOUNDS.sub(" ", text)
    return _COMPARISON.sub(lambda m: f"{m['name']} {m['op']} {m['number']} ", text)


def _in_units_of(name: str, signals: Mapping[str, Signal], m: re.Match[str]) -> str:
    if m["unit"] is None or m["name"] not in signals:
        return f"{m['name']} {m['op']} {m['number']}"
    of = signals[m["name"]].unit
    kind, factor = _UNITS[m["unit"]]
    own_kind, own = _UNITS.get(of, ("", 1.0))
    if kind != own_kind:
        raise ScenarioError(
            f"formula '{name}': {m['name']} is in {of or 'plain numbers'}, compared with {m['number']} {m['unit']}"
        )
    return f"{m['name']} {m['op']} {float(m['number']) * factor / own!r}"


def _in_s(number: str, unit: str | None) -> int:
    return round(float(number) * _UNITS[unit or "s"][1])


def evaluate(text: str, sampled: Mapping[str, Floats], step_s: int) -> Floats:
    """Return the robustness of a formula at every step. ScenarioError when it is not one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its parser imports typing.io
        import rtamt

    logging.getLogger().addFilter(_quiet)
    spec: Any = rtamt.StlDiscreteTimeSpecification()
    n = len(next(iter(sampled.values()))) if sampled else 0
    try:
        for name in sampled:
            spec.declare_var(name, "float")
        spec.set_sampling_period(step_s, "s", 0.1)
        spec.spec = text
        spec.parse()
        if not n:
            return np.empty(0)
        data = {"time": (np.arange(n) * step_s).tolist()}
        data.update({name: np.nan_to_num(v).tolist() for name, v in sampled.items()})
        return np.asarray([value for _, value in spec.evaluate(data)], dtype=np.float64)
    except ScenarioError:
        raise
    except Exception as error:
        what = " ".join(str(error).replace("RTAMT Exception:", "").split())[:160]
        raise ScenarioError(f"'{text}' is no formula ({what})") from None


def _quiet(record: logging.LogRecord) -> bool:
    return "explicitely declared" not in record.getMessage()


def _short(value: float) -> str:
    return f"{value:,.4g}"


def _spaced(unit: str) -> str:
    return unit if unit.startswith("/") else f" {unit}" if unit else ""
