"""The benchmark of the detectors: its definitions, its readers, and the comparison on the labelled series."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scenarios.bench.detectors import (
    CLUSTER,
    Score,
    Series,
    compare_nab,
    compare_skab,
    data_folder,
    main,
    read_nab,
    read_skab,
    rolling_sigma,
    score,
    total,
)
from twin.errors import ScenarioError

MINUTE = 60


def series(windows=((500, 520), (700, 720)), n=1000, learns=100):
    t = np.arange(n) * MINUTE
    values = np.random.default_rng(0).standard_normal((n, 1))
    bounds = tuple((a * MINUTE, b * MINUTE) for a, b in windows)
    return Series("made", t, values, bounds, learns * MINUTE)


def at(*minutes):
    return np.array(minutes, np.int64) * MINUTE


@pytest.mark.parametrize(
    ("fired", "expected"),
    [
        (at(), Score(0, 2, 0)),
        (at(500, 501, 520), Score(1, 1, 0)),
        (at(499, 521), Score(0, 2, 1)),
        (at(710, 510), Score(2, 0, 0)),
        (at(50, 99), Score(0, 2, 0)),  # while learning
        (at(200, 200 + CLUSTER), Score(0, 2, 1)),
        (at(200, 201 + CLUSTER), Score(0, 2, 2)),
        (at(450, 510, 451 + CLUSTER), Score(1, 1, 2)),
    ],
)
def test_definitions(fired, expected):
    assert score(series(), fired) == expected


def test_f1_is_the_harmonic_mean():
    s = Score(3, 1, 2)
    assert s.f1 == pytest.approx(2 / (1 / s.precision + 1 / s.recall))
    assert (s.precision, s.recall) == (0.6, 0.75)
    assert Score().f1 == 0
    assert total({"a": Score(1, 0, 1), "b": Score(0, 1, 0)}) == Score(1, 1, 1)


def test_the_baseline_is_four_sigmas_of_the_past():
    s = series()
    s.values[600] = 50.0
    assert 600 * MINUTE in rolling_sigma(s)
    quiet = rolling_sigma(series())
    assert len(quiet) <= 2


def write_folder(folder):
    """Write one series of each form with one plain anomaly each."""
    nab, skab = folder / "nab_made", folder / "skab_made"
    nab.mkdir()
    skab.mkdir()
    rng = np.random.default_rng(1)
    stamps = np.datetime64("2026-03-02T00:00:00") + np.arange(2000) * np.timedelta64(300, "s")
    x = rng.standard_normal(2000)
    x[1500] = 40.0
    text = [str(t).replace("T", " ") for t in stamps]
    rows = "\n".join(f"{t},{v}" for t, v in zip(text, x, strict=True))
    (nab / "one.csv").write_text("timestamp,value\n" + rows, encoding="utf-8")
    windows = {"made/one.csv": [[text[1490], text[1510]]]}
    (nab / "windows.json").write_text(json.dumps(windows), encoding="utf-8")
    y = rng.standard_normal((900, 3))
    y[600:700, 1] += 5
    lines = ["datetime;A;B;C;anomaly;changepoint"]
    seconds = np.datetime64("2026-03-02T00:00:00") + np.arange(900) * np.timedelta64(1, "s")
    for j, (t, row) in enumerate(zip(seconds, y, strict=True)):
        values = ";".join(str(v) for v in row)
        lines.append(f"{str(t).replace('T', ' ')};{values};{float(600 <= j < 700)};0.0")
    (skab / "0.csv").write_text("\n".join(lines), encoding="utf-8")


def test_made_series_are_read_and_their_anomalies_found(tmp_path, capsys):
    write_folder(tmp_path)
    (nab,), (skab,) = read_nab(tmp_path / "nab_made"), read_skab(tmp_path / "skab_made")
    assert nab.period_s == 300
    assert skab.values.shape == (900, 3)
    assert skab.windows == ((int(skab.t_s[600]), int(skab.t_s[699])),)
    for comparison in (compare_nab(tmp_path), compare_skab(tmp_path)):
        assert total(comparison.ours) == Score(1, 0, 0)
    assert main(["--folder", str(tmp_path)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (rows[0]["set"], rows[0]["rule"]) == ("nab", "ours")
    assert len(rows) == 4


def test_bad_folders_are_one_clear_sentence(tmp_path, capsys):
    with pytest.raises(ScenarioError, match=r"has no windows\.json"):
        list(read_nab(tmp_path))
    (tmp_path / "windows.json").write_text('{"a/b.csv": []}', encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"b\.csv is not there"):
        list(read_nab(tmp_path))
    (tmp_path / "b.csv").write_text("timestamp,value\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="fewer than two rows"):
        list(read_nab(tmp_path))
    assert main(["--folder", str(tmp_path / "nowhere")]) == 1
    assert "are not there" in capsys.readouterr().err


needs_data = pytest.mark.skipif(data_folder() is None, reason="the labelled series are not beside the project")


@needs_data
def test_better_than_the_rolling_rule_on_traffic():
    comparison = compare_nab(data_folder())
    assert comparison.gain() > 0
    assert len(comparison.ours) == 7


@needs_data
def test_better_than_the_rolling_rule_on_the_pump():
    comparison = compare_skab(data_folder())
    assert comparison.gain() > 0
    assert len(comparison.ours) == 4
