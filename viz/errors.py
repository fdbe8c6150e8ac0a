"""The one error of this room: the run folder cannot be shown, and why, in one sentence."""

from __future__ import annotations

from twin.errors import TwinError


class MapError(TwinError):
    """A run folder or a file in it cannot be shown: the message names the file, what is wrong, and what to do."""
