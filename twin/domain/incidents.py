"""What the incident desks and responders say to each other: incidents, dispatch, verification (F1, F2, F11)."""

from __future__ import annotations
