"""What residents and the community platform say to each other: reports, answers, points (F30-F33)."""

from __future__ import annotations
