"""The life of a case as a table: state × event → state. Nothing else decides in which state a case is.

An event that a state does not know leaves it as it was and is counted: messages come twice, late, or never.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: states, in the order of their codes; numbers are part of every log, so only append
STATES = (
    "applied", "correcting", "reviewing", "supplementing", "visiting", "deciding", "delivering",
    "done", "refused", "appealing", "withdrawn", "expired", "rejected",
)  # fmt: skip
(
    APPLIED, CORRECTING, REVIEWING, SUPPLEMENTING, VISITING, DECIDING, DELIVERING,
    DONE, REFUSED, APPEALING, WITHDRAWN, EXPIRED, REJECTED,
) = range(len(STATES))  # fmt: skip
#: states in which nothing more happens; ``refused`` may still be appealed against and is final when nobody does
FINAL = frozenset((DONE, WITHDRAWN, EXPIRED, REJECTED))
CHINESE = (
    "申请", "补正", "审查", "补充材料", "现场踏勘", "决定", "送达", "办结",
    "不予许可", "复议", "撤回", "逾期", "维持不予许可",
)  # fmt: skip

EVENTS = (
    "check_failed",  # returned for correction, everything that is missing named at once 一次性告知
    "corrected",
    "check_passed",  # accepted 受理: the clock of the legal limit begins
    "supplement_asked",  # a reviewer needs more; the clock stands
    "supplemented",
    "reviews_done",  # only a visit on site and the decision are left
    "ready_to_decide",
    "granted",
    "refused",
    "result_taken",
    "appealed",
    "appeal_upheld",
    "appeal_failed",
    "withdrawn",
    "not_corrected",  # nobody came in the time that was given
)
EVENT = {name: i for i, name in enumerate(EVENTS)}

_OPEN_BEFORE_DECISION = ("applied", "correcting", "reviewing", "supplementing", "visiting", "deciding")

#: the table: (state, event) → state
TRANSITIONS: dict[tuple[str, str], str] = {
    ("applied", "check_failed"): "correcting",
    ("correcting", "corrected"): "applied",
    ("correcting", "not_corrected"): "expired",
    ("applied", "check_passed"): "reviewing",
    ("reviewing", "supplement_asked"): "supplementing",
    ("visiting", "supplement_asked"): "supplementing",
    ("deciding", "supplement_asked"): "supplementing",
    ("supplementing", "supplemented"): "reviewing",
    ("supplementing", "not_corrected"): "expired",
    ("reviewing", "reviews_done"): "visiting",
    ("reviewing", "ready_to_decide"): "deciding",
    ("visiting", "ready_to_decide"): "deciding",
    ("applied", "granted"): "delivering",
    ("reviewing", "granted"): "delivering",
    ("visiting", "granted"): "delivering",
    ("deciding", "granted"): "delivering",
    ("applied", "refused"): "refused",
    ("reviewing", "refused"): "refused",
    ("supplementing", "refused"): "refused",
    ("visiting", "refused"): "refused",
    ("deciding", "refused"): "refused",
    ("delivering", "result_taken"): "done",
    ("refused", "appealed"): "appealing",
    ("appealing", "appeal_upheld"): "reviewing",
    ("appealing", "appeal_failed"): "rejected",
    ("appealing", "withdrawn"): "withdrawn",
    **{(state, "withdrawn"): "withdrawn" for state in _OPEN_BEFORE_DECISION},
}

_ROW = {name: i for i, name in enumerate(STATES)}
#: the same as an array, state × event → state; -1: not in the table
TABLE: npt.NDArray[np.int8] = np.full((len(STATES), len(EVENTS)), -1, dtype=np.int8)
for (_state, _event), _to in TRANSITIONS.items():
    TABLE[_ROW[_state], EVENT[_event]] = _ROW[_to]
_NEXT: list[list[int]] = TABLE.tolist()


def advance(state: int, event: str) -> int:
    """Return the state after an event, or -1 where the table knows no such step."""
    return _NEXT[state][EVENT[event]]


def advance_all(state: npt.NDArray[np.int64], event: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the states of many cases after one event each; an event that is not in the table changes nothing."""
    to = TABLE[state, event].astype(np.int64)
    return np.where(to >= 0, to, state)
