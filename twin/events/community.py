"""Facts of residents' reports, neighbour points and communities (F30-F33)."""

from __future__ import annotations
