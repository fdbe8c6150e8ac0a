"""The city's register of what can go wrong, as early signs are told it: where, and what belongs together (F43)."""

from __future__ import annotations

import numpy as np

from twin.domain.community import Assets
from twin.world.city_brain.causes import CAUSES, stretches
from twin.world.city_brain.kinds import KINDS
from twin.world.city_brain.sites import Places
from twin.world.community.themes import SEEN

APART = 10**6  # numbers of stretches of two causes lie so far apart; themes of one cause share theirs


def city_register(places: Places, now_s: int) -> Assets:
    """Return the sites of all themes, with the stretch of each (a collection round, a drain, a car park), -1: none."""
    theme: list[str] = []
    x, y, stretch = [np.empty(0)], [np.empty(0)], [np.empty(0, dtype=np.int64)]
    done: set[tuple[str, str]] = set()
    for name, kind in KINDS.items():
        if kind.theme not in SEEN or (kind.theme, kind.sites) in done:
            continue
        done.add((kind.theme, kind.sites))
        sites = places[kind.sites]
        theme += [kind.theme] * len(sites)
        x.append(sites.x_m)
        y.append(sites.y_m)
        own = stretches(places, name)
        cause = next((i for i, c in enumerate(CAUSES.values()) if name in c.kinds), 0)
        stretch.append(np.where(own >= 0, own + cause * APART, -1))
    return Assets(
        now_s, "early/assets", tuple(theme), np.concatenate(x), np.concatenate(y),
        np.concatenate(stretch).astype(np.int64),
    )  # fmt: skip
