"""Dust and noise around sites, as values of a place; the city brain's sensors may read them.

Dust: PM10 from 0.27 Mg per hectare and month of activity (US EPA AP-42 13.2.3 and WRAP's average for construction),
halved by sprinkling, none in rain; spread as a ground source with the wind from all sides in turn: C = Q · sqrt(2/π) /
(2π r u σz), σz = 0.06 r (1 + 0.0015 r)^-0.5 (Briggs, rural, neutral). Noise: 85 dB(A) at 10 m of a busy site
(assumed), -20 log10 r, sites add up as energies; the limit at the fence is 70 dB(A) by day (GB 12523-2011).
"""

from __future__ import annotations

import numpy as np

from twin.world.sites.files import Floats

EMISSION_G_M2_S = 0.27e6 / 1e4 / (30 * 10 * 3600)  # of working time: 30 days of 10 hours
SPRINKLED = 0.5
WIND_M_S = 2.5
BACKGROUND_UG_M3, QUIET_DB = 60.0, 48.0  # of the town without sites (assumed)
SOURCE_DB, SOURCE_M = 85.0, 10.0


def dust_ug_m3(
    x_m: Floats, y_m: Floats, sx_m: Floats, sy_m: Floats, site_m2: Floats, busy: Floats, wet: bool
) -> Floats:
    """Return PM10 at points from sites (``s…``) of which ``busy`` is the activity, 1 as planned."""
    active = busy > 0
    points = np.zeros(np.shape(x_m)) + BACKGROUND_UG_M3
    if wet or not active.any():
        return points
    sx, sy, ground = sx_m[active], sy_m[active], site_m2[active]
    emission = EMISSION_G_M2_S * SPRINKLED * ground * busy[active]
    r = np.hypot(np.subtract.outer(x_m, sx), np.subtract.outer(y_m, sy))
    r = np.maximum(r, np.sqrt(ground / np.pi))  # within the fence it is as at the fence
    sigma = 0.06 * r / np.sqrt(1 + 0.0015 * r)
    grams = emission * np.sqrt(2 / np.pi) / (2 * np.pi * r * WIND_M_S * sigma)
    return np.asarray(points + 1e6 * grams.sum(axis=-1))


def noise_db(x_m: Floats, y_m: Floats, sx_m: Floats, sy_m: Floats, busy: Floats) -> Floats:
    """Return the noise level at points, dB(A)."""
    active = busy > 0
    energy = np.zeros(np.shape(x_m)) + 10 ** (QUIET_DB / 10)
    if not active.any():
        return np.asarray(10 * np.log10(energy))
    r = np.maximum(np.hypot(np.subtract.outer(x_m, sx_m[active]), np.subtract.outer(y_m, sy_m[active])), SOURCE_M)
    level = SOURCE_DB - 20 * np.log10(r / SOURCE_M) + 10 * np.log10(np.clip(busy[active], 0.1, 2.0))
    return np.asarray(10 * np.log10(energy + (10 ** (level / 10)).sum(axis=-1)))
