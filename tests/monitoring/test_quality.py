"""Quality of inputs: missing, unseen and out of range, each as a share of all rows, and against training."""

import polars as pl
import pytest

from heptad.data import Column, profile_frame
from heptad.monitoring.quality import quality
from heptad.training import Input

INPUTS = [
    Input(name="temp", type="number"),
    Input(name="origin", type="category", categories=["EWR", "JFK"]),
    Input(name="note", type="text"),
]
COLUMNS = [Column(name=one.name, type=one.type) for one in INPUTS]
TRAINING = pl.DataFrame(
    {"temp": [10.0, 20.0, 30.0, None], "origin": ["EWR", "JFK", "JFK", "EWR"], "note": ["a", "b", "c", "d"]}
)
REFERENCE = profile_frame(TRAINING, COLUMNS)


def quality_of(window):
    found = quality(window, INPUTS, REFERENCE, profile_frame(window, COLUMNS, REFERENCE))
    return {each.column: each for each in found}


def test_shares_are_of_all_rows():
    """Of five rows one is missing, two are out of range, and two categories were never seen."""
    window = pl.DataFrame(
        {
            "temp": [5.0, 20.0, 31.0, None, 30.0],
            "origin": ["EWR", "LGA", "SFO", None, "JFK"],
            "note": ["x", "", "z", None, None],
        }
    )
    found = quality_of(window)
    assert (found["temp"].missing, found["temp"].missing_at_reference) == (0.2, 0.25)
    assert found["temp"].outside_range == 0.4
    assert (found["origin"].missing, found["origin"].unseen) == (0.2, 0.4)
    assert (found["note"].missing, found["note"].unseen, found["note"].outside_range) == (0.4, 0, 0)


def test_the_edges_of_training_are_inside():
    """The smallest and the largest value of training are not out of range; NaN and infinity are missing."""
    window = pl.DataFrame({"temp": [10.0, 30.0, float("nan"), float("inf")], "origin": ["EWR"] * 4, "note": [""] * 4})
    found = quality_of(window)["temp"]
    assert found.outside_range == 0
    assert found.missing == 0.5


@pytest.mark.parametrize("kind", [pl.Null, pl.String])
def test_columns_without_a_value_or_kept_as_text_are_counted(kind):
    """A column that was never logged is missing in all rows, and numbers kept as text are still numbers."""
    temps = pl.Series("temp", ["5", "20"] if kind == pl.String else [None, None], dtype=kind)
    found = quality_of(pl.DataFrame([temps, pl.Series("origin", ["EWR", "EWR"]), pl.Series("note", ["", ""])]))
    expected = (0.0, 0.5) if kind == pl.String else (1.0, 0.0)
    assert (found["temp"].missing, found["temp"].outside_range) == expected


def test_no_rows_are_no_entries():
    """A window without a row says nothing about any column."""
    assert quality_of(TRAINING.clear()) == {}
