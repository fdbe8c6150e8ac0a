"""What applicants, windows and officers say to each other: cases, materials, decisions (F34-F42)."""

from __future__ import annotations
