"""Facts of hazards, sensing and alerts (F5-F12)."""

from __future__ import annotations
