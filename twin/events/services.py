"""Facts of cases, offices and channels (F34-F42)."""

from __future__ import annotations
