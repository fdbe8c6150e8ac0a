"""Which facts a property speaks of: a kind, a condition on its fields, and a key that tells things apart."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from scenarios.readings import Memory
from twin import events
from twin.domain.ids import unit_label, vehicle_label
from twin.errors import ScenarioError
from twin.scenario.mistakes import did_you_mean

_COMPARE = {"<=": operator.le, ">=": operator.ge, "!=": operator.ne, "<": operator.lt, ">": operator.gt}
_CONDITION = re.compile(r"\s*(<=|>=|!=|<|>)\s*(.+?)\s*\Z")

#: fields whose numbers people know under another name
LABELS = {"unit": unit_label, "vehicle": vehicle_label}


@dataclass(frozen=True)
class Facts:
    """Facts of one kind that meet a condition.

    ``where``: field → value, list of values, or a text such as ``"> 3"``; all must hold. ``kind`` is checked when it is
    made: an unknown kind or field is a ScenarioError that names the nearest known one.
    """

    kind: str
    where: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = events.kinds()
        if self.kind not in known:
            raise ScenarioError(f"'{self.kind}' is no kind of fact{did_you_mean(self.kind, known)}")
        for name in self.where:
            self.check_field(name)

    def check_field(self, name: str) -> None:
        """Raise ScenarioError unless facts of this kind have a field."""
        fields = ["t_s", *events.kinds()[self.kind].__dataclass_fields__]  # type: ignore[attr-defined]
        if name not in fields:
            raise ScenarioError(
                f"{self.kind} has no field '{name}'{did_you_mean(name, fields)}; it has {', '.join(fields)}"
            )

    def read(self, facts: Memory) -> pd.DataFrame:
        """Return them as a frame in the order of time: ``t_s`` and the kind's fields."""
        frame = pd.DataFrame(facts.columns(events.kinds()[self.kind]))
        for name, wanted in self.where.items():
            frame = frame[_meets(frame[name], wanted)]
        return frame.reset_index(drop=True)


def _meets(column: pd.Series[Any], wanted: Any) -> Any:
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return column.isin(list(wanted))
    match = _CONDITION.match(wanted) if isinstance(wanted, str) else None
    if match is None:
        return column == wanted
    try:
        bound: Any = float(match[2])
    except ValueError:
        bound = match[2].strip("\"'")
    return _COMPARE[match[1]](column, bound)


def thing(names: Sequence[str], values: Sequence[Any]) -> tuple[str, ...]:
    """Return what a violation involves, by the names people search for: ``robot-3``, ``alert drowning{…}``."""
    return tuple(_called(n, v) for n, v in zip(names, values, strict=True))


def _called(name: str, value: Any) -> str:
    if name in LABELS:
        try:
            return LABELS[name](int(value))
        except KeyError:  # no number of a unit or vehicle
            pass
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
