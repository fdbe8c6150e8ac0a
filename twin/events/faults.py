"""Facts of faults that a scenario puts into the twin's own machinery: messages, controllers, clocks."""

from __future__ import annotations
