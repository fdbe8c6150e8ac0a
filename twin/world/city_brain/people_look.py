"""People who look at a picture and say whether an alert is true (人防+技防, F10), where no incident desk does."""

from __future__ import annotations

from collections.abc import Callable

from twin.clock import Phase
from twin.domain.city_brain import AskConfirmation, Confirmation
from twin.scenario.city_brain import Alerting
from twin.world.ports import RunContext

LEAST_S = 8.0  # until anybody has opened the picture (assumed)


class Lookers:
    """Answer after a while: right about what is there with ``operator_hit``, wrong about nothing with ``…_false``."""

    def __init__(
        self, context: RunContext, settings: Alerting, number_of: Callable[[str], int], said: Callable[..., None]
    ) -> None:
        self._c, self._s, self._number_of, self._said = context, settings, number_of, said
        self._draw = context.dice.stream("city_brain.look_at_picture")

    def asked(self, ask: AskConfirmation, hazard: int, now_s: int) -> None:
        """Look at the picture of an alert; ``hazard``: number of what is truly there, -1 nothing."""
        entity, first = self._number_of(ask.alert), 4 * ask.episode
        wait_s = LEAST_S + float(self._draw.exponential(self._s.answer_s, entity, first)[0])
        limit = self._s.operator_hit if hazard >= 0 else self._s.operator_false
        confirmed = float(self._draw.uniform(entity, first + 1)[0]) < limit
        at_s = now_s + max(1, round(wait_s))

        def answers() -> None:
            told = Confirmation(at_s, f"confirmation/{ask.alert}#{ask.episode}", ask.alert, confirmed, "operator")
            self._said(told, hazard)

        if at_s < self._c.end_s:
            self._c.clock.at(at_s, Phase.PERCEIVE, answers)
