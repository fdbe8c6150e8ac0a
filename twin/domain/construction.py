"""What sites, supervisors and builders tell the construction desk, and what it answers (F13-F18)."""

from __future__ import annotations
