"""What can be swapped in the community desk: how a report that comes in is treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Way = Literal["forward", "review", "reject"]


@dataclass(frozen=True)
class ReportView:
    """A report that is new and repeats none. ``strikes``: reports of this account that were about nothing.

    ``today``: reports of this account on the same day, this one included; ``told_before``: of all time.
    """

    channel: str
    theme: str
    urgent: bool
    photo: bool
    strikes: int
    today: int
    told_before: int


class TriagePolicy(Protocol):
    """Decides what happens to a report at first."""

    def triage(self, view: ReportView) -> Way:
        """Return whether it is passed on at once, looked at by a clerk, or not taken."""


class ClerkFirst:
    """Urgent themes, the hotline and devices go on at once; the rest is looked at by a clerk.

    Whoever told of nothing ``STRIKES`` times is looked at in any case; more than ``A_DAY`` reports a day are not taken.
    """

    STRIKES = 3
    A_DAY = 20

    def triage(self, view: ReportView) -> Way:
        """See :class:`TriagePolicy`."""
        if view.channel != "snap":
            return "forward"
        if view.today > self.A_DAY:
            return "reject"
        return "forward" if view.urgent and view.strikes < self.STRIKES else "review"


class ForwardAll:
    """Every report goes on at once, whoever sent it."""

    def triage(self, view: ReportView) -> Way:  # noqa: ARG002
        """See :class:`TriagePolicy`."""
        return "forward"
