"""Earned value and earned schedule of many projects at once.

Terms of ANSI/EIA-748 and the PMI Practice Standard for Earned Value Management: PV, EV, AC, BAC, SPI = EV / PV,
CPI = EV / AC, EAC = BAC / CPI. Earned schedule ES (Lipke 2003, "Schedule is different"): the time at which the plan
had the value that stands now; SPI(t) = ES / AT, forecast duration = PD / SPI(t).
"""

from __future__ import annotations

import numpy as np

from twin.domain.messages import Floats

_GRID = np.linspace(0.0, 1.0, 201)

#: C and K of the planned S-curve by kind of project (building, municipal, garden, water); assumed, all rising
CURVES = ((0.05, 3.8), (0.0, 5.0), (-0.10, 4.6), (0.10, 4.2))


def s_curve(share: Floats, c: Floats, k: Floats) -> Floats:
    """Return the planned progress after a share of the planned time, element by element.

    The standard form of the DHSS (Hudson 1978, "DHSS expenditure forecasting method"; Skitmore 1992):
    y = x + C x² - C x - (6 x³ - 9 x² + 3 x) / K. It rises everywhere when K >= 3 / (1 - |C|).
    """
    x = np.clip(share, 0.0, 1.0)
    return np.asarray(x + c * x * x - c * x - (6.0 * x**3 - 9.0 * x * x + 3.0 * x) / k)


def rises(c: float, k: float) -> bool:
    """Say whether an S-curve never falls."""
    return k > 0 and abs(c) < 1 and bool((np.diff(s_curve(_GRID, np.float64(c), np.float64(k))) >= -1e-12).all())  # type: ignore[arg-type]


def inverse_s_curve(progress: Floats, c: Floats, k: Floats) -> Floats:
    """Return the share of the planned time after which the plan has this progress (bisection to 2**-30)."""
    y = np.clip(progress, 0.0, 1.0)
    low, high = np.zeros(y.shape), np.ones(y.shape)
    for _ in range(30):
        middle = 0.5 * (low + high)
        below = s_curve(middle, c, k) < y
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where(y >= 1.0, 1.0, np.where(y <= 0.0, 0.0, 0.5 * (low + high)))


def ratio(a: Floats, b: Floats) -> Floats:
    """Return a / b, nan where b is not above 0."""
    out: Floats = np.full(np.shape(a), np.nan)
    np.divide(a, b, out=out, where=np.asarray(b) > 0)
    return out
