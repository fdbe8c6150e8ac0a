"""Fixed-time control (L0): every junction by its own plan."""

from __future__ import annotations

from twin.control.junctions.layout import Ints
from twin.control.junctions.plans import due_phase
from twin.control.junctions.ports import JunctionsView


class Fixed:
    """The junctions' own plans, as a policy; what cabinets do by themselves."""

    def wish(self, view: JunctionsView) -> Ints:
        """See the Protocol."""
        return view.or_stay(due_phase(view.layout, view.plans, view.phase, view.since_s, view.now_s))
