"""V2X messages with ETSI/SAE names, as objects (F20, F27)."""

from __future__ import annotations
