"""Expectations of the table: its columns and how many rows it has."""

import polars as pl
import pytest
from tests.data.expectations.conftest import context_of, one_of_table

from heptad.core.errors import SettingsError

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": [1, 1, 1]})


def test_volume_is_a_multiple_of_the_usual() -> None:
    """The median of the five versions before; without one there is nothing that would be usual."""
    context = context_of(FRAME, volumes=[10, 10, 1000, 12, 11, 0, 0])
    found = one_of_table(FRAME, context, volume={"min": 0.5})
    assert found.sentence == "rows as a multiple of the usual 11 is 0.272727, not at least 0.5"
    assert one_of_table(FRAME, volume={"min": 0.5}).passed


def test_a_volume_that_has_grown_says_how_it_may_go_on() -> None:
    """Versions that are refused do not move what is usual."""
    found = one_of_table(FRAME, context_of(FRAME, volumes=[1]), volume={"max": 2})
    assert found.sentence == (
        "rows as a multiple of the usual 1 is 3, not at most 2; a version that is refused does not change what is "
        "usual, so where so many are right, raise max until the versions before have them"
    )


def test_columns_that_differ_are_named() -> None:
    """Those that lack, and those besides."""
    assert one_of_table(FRAME, columns=["a", "c"]).sentence == "the columns are others: lacking c; besides b"
    assert one_of_table(FRAME, columns_in_order=["b", "a"]).sentence == "the columns are a, b, not b, a"


def test_rows_of_needs_sources() -> None:
    """Outside of a project there are none."""
    with pytest.raises(SettingsError, match="there are no sources here"):
        one_of_table(FRAME, rows_of={"source": "x", "min": 1})
