"""What a junction can do by its grade (F19): loops suffice for gaps, not for queues, so L1 is vehicle-actuated."""

from __future__ import annotations

import numpy as np

from twin.control.junctions.actuated import Actuated
from twin.control.junctions.layout import Ints
from twin.control.junctions.ports import JunctionsView, SignalPolicy

L1 = 1


class ByGrade:
    """``policy`` where roadside units see queues (L2, L3); vehicle-actuated control at junctions of grade L1.

    Junctions of grade L0 perceive nothing, so they are never in hand and keep their plans.
    """

    def __init__(self, policy: SignalPolicy) -> None:
        self.policy = policy
        self._loops = Actuated()

    def wish(self, view: JunctionsView) -> Ints:
        """See the Protocol."""
        wish = self.policy.wish(view)
        simple = view.layout.told.grade == L1
        if isinstance(self.policy, Actuated) or not simple.any():
            return wish
        return np.asarray(np.where(simple, self._loops.wish(view), wish))
