"""Facts of construction projects, sites and their supervision (F13-F18)."""

from __future__ import annotations
