"""The three kinds of error the twin tells apart: the user's input, a controller's contract, an adapter."""

from __future__ import annotations


class TwinError(Exception):
    """Base of the errors that are shown as one sentence, never as a traceback."""


class ScenarioError(TwinError):
    """The user's input is wrong: the message names the file, the key, the value and what is allowed."""


class ControlError(TwinError):
    """A controller broke its contract: the message names who, what, when and what was allowed."""


class AdapterError(TwinError):
    """SUMO or another outside program failed: the message names it, the second, and what it said."""
