"""Facts of signals, V2X messages and the cloud control platform (F19, F20, F27)."""

from __future__ import annotations
