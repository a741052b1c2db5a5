"""Marks for nothing are met by value; the other rules are tested in the table of test_kinds."""

import polars as pl
import pytest

from heptad.data import CleanRule, CleanSettings
from heptad.data.cleaning.rules import repair_cells


def cleaned(values: list, **rule: object) -> list:
    rows, _ = repair_cells(pl.LazyFrame({"a": values}), CleanSettings(columns={"a": CleanRule(**rule)}))  # type: ignore[arg-type]
    return rows.collect()["a"].to_list()


@pytest.mark.parametrize("text", ["9999999", "9999999.0", " 9999999", "+9999999", "9.999999e6"])
def test_a_number_is_met_in_a_text_however_it_is_written(text: str) -> None:
    """Also one of more digits than a short notation has; a text that is another number stays."""
    assert cleaned([text, "9999998", "x", None], missing=["?", 9999999]) == [None, "9999998", "x", None]


def test_a_mark_in_quotes_is_that_text_alone() -> None:
    """A text cannot stand among numbers."""
    assert cleaned(["?", "999", "999.0"], missing=["?", "999"]) == [None, None, "999.0"]
    assert cleaned([999, 7], missing=["?", "999", -1.5]) == [999, 7]


def test_a_text_is_compared_as_numbers_reads_it() -> None:
    """Where a point stands between thousands, `1.000` is not one."""
    assert cleaned(["$9,999,999.00", "(5)", "5"], missing=[9999999, -5], numbers="point") == [None, None, 5.0]
    assert cleaned(["1.000", "1,0", "1000"], missing=[1], numbers="comma") == [1000.0, None, 1000.0]
