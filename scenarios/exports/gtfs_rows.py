"""Lines of GTFS files that both kinds of bus service write."""

from __future__ import annotations

from typing import Any

DAILY = "daily"
BUS = "3"
HOME_URL = "https://example.org/qibu-twin"  # a name that is kept free for examples: these feeds belong to no agency


def clock(seconds: int) -> str:
    """Return HH:MM:SS; hours go on beyond 24 for what runs after midnight."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def agency(identity: str, name: str, timezone: str) -> dict[str, Any]:
    """Return a line of agency.txt."""
    return {"agency_id": identity, "agency_name": name, "agency_url": HOME_URL, "agency_timezone": timezone}


def route(identity: str, of: str, short: str, long: str) -> dict[str, Any]:
    """Return a line of routes.txt, for a bus."""
    return {
        "route_id": identity, "agency_id": of, "route_short_name": short,
        "route_long_name": "" if long == short else long, "route_type": BUS,
    }  # fmt: skip
