"""Facts of incidents, responders and verification (F1, F2, F11)."""

from __future__ import annotations
