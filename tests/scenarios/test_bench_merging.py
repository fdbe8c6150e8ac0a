"""Help at merges in a run: who joins a main road stands less where roadside units make room."""

from __future__ import annotations

import numpy as np

from scenarios.bench.merging import FIGURES, Case, figures, make, one


def test_help_takes_standstills_away_at_a_slip_road(tmp_path) -> None:
    """The same vehicles with and without, two seeds; the bench gives intervals over more."""
    rows = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        make(folder, Case(600, 300), seed)
        rows.append([one(folder, Case(600, 300), seed, helped=helped) for helped in (False, True)])
    without, helped = np.array(rows).mean(axis=0)
    of = {name: k for k, name in enumerate(FIGURES)}
    assert without[of["ramp_standstills"]] > 0.2  # there is something to gain
    assert helped[of["ramp_standstills"]] < 0.5 * without[of["ramp_standstills"]]
    assert helped[of["ramp_s"]] < without[of["ramp_s"]]
    assert helped[of["harsh"]] < without[of["harsh"]]
    assert (figures(folder / "with") == rows[-1][1]).all()


def test_nobody_connected_is_nobody_helped(tmp_path) -> None:
    make(tmp_path, Case(600, 300, penetration=0.0), 1)
    off, on = (one(tmp_path, Case(600, 300, penetration=0.0), 1, helped=helped) for helped in (False, True))
    assert (off == on).all()
