"""Facts of hazards, sensing, alerts, incidents and responders (F1-F12, F43)."""

from __future__ import annotations
