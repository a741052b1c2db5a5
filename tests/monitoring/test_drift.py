"""Drift: nothing where nothing moved, whatever the size; found and told in words where something did."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from heptad.data import Column, Profile, distance, profile_frame
from heptad.monitoring.drift import chance, column_drift, drift

COLUMNS = [
    Column(name="temp", type="number"),
    Column(name="origin", type="category"),
    Column(name="paid", type="boolean"),
    Column(name="note", type="text"),
    Column(name="at", type="datetime"),
]


def frame(rows, *, temp=41.0, jfk=0.3, missing=0.0, seed=1, day=14):
    rng = np.random.default_rng(seed)
    temps = pl.Series(rng.normal(temp, 10, rows)).set(pl.Series(rng.random(rows) < missing), None)
    return pl.DataFrame(
        {
            "temp": temps,
            "origin": np.where(rng.random(rows) < jfk, "JFK", "EWR"),
            "paid": rng.random(rows) < 0.5,
            "note": ["x" * length for length in rng.integers(1, 20, rows)],
            "at": [datetime(2013, 2, day, hour, tzinfo=UTC) for hour in rng.integers(0, 24, rows)],
        }
    )


REFERENCE = profile_frame(frame(20_000), COLUMNS)


def drift_of(window, limit=0.2, minimum_rows=200):
    profile = profile_frame(window, COLUMNS, REFERENCE)
    return {each.column: each for each in drift(REFERENCE, profile, limit, minimum_rows, "training")}


def test_the_same_distribution_does_not_drift():
    """A window drawn like the reference has nearly no distance in any column."""
    found = drift_of(frame(6_500, seed=2))
    assert set(found) == {column.name for column in COLUMNS}
    assert all(each.distance < 0.01 and not each.drifted for each in found.values())


@pytest.mark.parametrize("rows", [200, 1_000])
def test_small_windows_do_not_seem_to_drift(rows):
    """What chance adds to the index of a small window is taken off: the mean distance left is near nothing."""
    raw = [profile_frame(frame(rows, seed=seed), COLUMNS, REFERENCE).columns[0] for seed in range(80)]
    corrected = [column_drift(REFERENCE.columns[0], each, 0.2, 0, "training").distance for each in raw]
    assert np.mean(corrected) < 0.35 * chance(REFERENCE.columns[0], raw[0])
    assert max(corrected) < 0.2


def test_chance_is_what_is_measured_on_average():
    """The expected index of two samples of one distribution is the mean of many measured ones."""
    column = REFERENCE.columns[0]
    profiles = [profile_frame(frame(300, seed=seed), COLUMNS, REFERENCE).columns[0] for seed in range(80)]
    measured = np.mean([distance(column, each) for each in profiles])
    assert measured == pytest.approx(chance(column, profiles[0]), rel=0.15)


def test_drift_is_told_in_words():
    """Each type of column says what changed: the mean, the share of a value, or the missing values."""
    warm = drift_of(frame(6_500, temp=63.0, jfk=0.7, seed=3, day=24))
    assert warm["temp"].drifted
    assert warm["temp"].sentence.startswith("`temp` moved by PSI ")
    assert _means(warm["temp"].sentence) == pytest.approx((41, 63), abs=0.5)
    assert "JFK in 3" in warm["origin"].sentence or "EWR in 7" in warm["origin"].sentence
    assert "mean 2013-02-14 then, 2013-02-24 now" in warm["at"].sentence
    holes = drift_of(frame(6_500, missing=0.6, seed=4))
    assert "missing in 0.0% of rows then, 59.8% now" in holes["temp"].sentence


def _means(sentence):
    words = sentence.split("(mean ")[1].removesuffix(" now)").split(" then, ")
    return float(words[0]), float(words[1])


def test_the_farthest_column_comes_first():
    """Columns are listed by distance, so that the reason stands on top."""
    profile = profile_frame(frame(6_500, temp=80.0, jfk=0.45, seed=6), COLUMNS, REFERENCE)
    found = drift(REFERENCE, profile, 0.2, 200, "training")
    assert found[0].column == "temp"
    assert [each.distance for each in found] == sorted((each.distance for each in found), reverse=True)


def test_too_few_rows_are_measured_but_not_called_drifted():
    """A window below the minimum shows its distance and raises nothing."""
    found = drift_of(frame(50, temp=90.0, seed=7))["temp"]
    assert found.distance > 1
    assert not found.drifted


def test_empty_columns_do_not_drift():
    """A column without a value, and a window without a row, are answered without an error."""
    nothing = pl.DataFrame({"x": [None, None]}, schema={"x": pl.Float64})
    columns = [Column(name="x", type="number")]
    empty = profile_frame(nothing, columns)
    assert drift(empty, profile_frame(nothing, columns, empty), 0.2, 1, "training")[0].distance == 0
    assert drift(REFERENCE, profile_frame(frame(0), COLUMNS, REFERENCE), 0.2, 1, "training") == []
    assert drift(Profile(rows=0, columns=[]), REFERENCE, 0.2, 1, "training") == []
