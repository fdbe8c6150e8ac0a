"""The one contract between the world and control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twin.domain.commands import Command
from twin.domain.messages import Message


class Controller(Protocol):
    """A deterministic fold over messages: same messages in, same commands out.

    A controller has no clock, no random numbers and no sight of the world; ``now_s`` (seconds since midnight of
    the first day) is all the time it gets. It asks to be called again by returning ``WakeAt(t_s)``. It is made
    by a factory without arguments, so no state survives from one run to the next; after a crash it is made anew
    and its journal is replayed into it.
    """

    def decide(self, now_s: int, messages: Sequence[Message]) -> Sequence[Command]:
        """Take the messages received since the last call, in order, and answer with commands."""
