"""Groups: who can do a task. A window of an office (of one department, or of any), or a back office of a department."""

from __future__ import annotations

from collections.abc import Container

from twin.control.services.catalogue.items import APPEAL, CHECK, DECIDE, MAKE, REVIEW, VISIT

ANY = -1
_BACK = 1_000_000
_WIDE = 256


def window(office: int, dept: int = ANY) -> int:
    """Return the group of the windows of an office, for one department or for any."""
    return office * _WIDE + dept + 1


def back(dept: int, kind: int) -> int:
    """Return the group of those who review, visit, decide, make or hear appeals in a department."""
    return _BACK + dept * 16 + kind


def counter(staffed: Container[int], office: int, dept: int, one_window: bool) -> int:
    """Return the group that checks a case at an office: any window first or the department's own first."""
    any_item, own = window(office), window(office, dept)
    if own not in staffed:
        return any_item
    return any_item if one_window and any_item in staffed else own


def is_window(group: int) -> bool:
    """Whether a group works at windows."""
    return group < _BACK


def dept_of(group: int) -> int:
    """Return the department of a group; -1 for a window that takes any."""
    return group % _WIDE - 1 if group < _BACK else (group - _BACK) // 16


#: kinds of task that back offices do
BACK_KINDS = (REVIEW, VISIT, DECIDE, MAKE, APPEAL)
WINDOW_KINDS = (CHECK,)
