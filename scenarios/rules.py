"""A city's alerting rules; they are read by :mod:`twin.scenario.alert_rules`, for a run needs them too."""

from __future__ import annotations

from twin.scenario.alert_rules import find_rules, load_rules, parse_rules, read_book

__all__ = ["find_rules", "load_rules", "parse_rules", "read_book"]
