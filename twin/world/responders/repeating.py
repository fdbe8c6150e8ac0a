"""Signs are told again until they are on the books of the incident desk: at least once, then one effect.

What is told may be lost on the way. Whoever tells a sign waits for the desk to open an incident for it or to join it to
one, and tells it again after a minute, then after two, four … at most a quarter of an hour (assumed). A sign has one
key, so a desk that has heard it does nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from twin.clock import Clock, Phase
from twin.domain.incidents import Sign
from twin.domain.messages import Message

FIRST_S, MOST_S = 60, 900


class Repeating:
    """Between those who tell signs and the desk. ``tell``: the way to a desk."""

    def __init__(self, clock: Clock, tell: Callable[[str, Message], None], end_s: int) -> None:
        self._clock, self._tell, self._end_s = clock, tell, end_s
        self._open: dict[tuple[str, str], Sign] = {}

    def tell(self, desk: str, message: Message) -> None:
        """Tell a desk; a sign until it is :meth:`booked`."""
        self._tell(desk, message)
        if isinstance(message, Sign):
            self._open[message.source, message.ref] = message
            self._wait(desk, message, FIRST_S)

    def booked(self, source: str, ref: str) -> None:
        """Take note that the desk has a sign on its books."""
        self._open.pop((source, ref), None)

    def _wait(self, desk: str, sign: Sign, wait_s: int) -> None:
        at_s = self._clock.now_s + wait_s
        if at_s < self._end_s:
            self._clock.at(at_s, Phase.PERCEIVE, lambda: self._again(desk, sign, wait_s))

    def _again(self, desk: str, sign: Sign, waited_s: int) -> None:
        if (sign.source, sign.ref) in self._open:
            self._tell(desk, sign)
            self._wait(desk, sign, min(2 * waited_s, MOST_S))
