"""Conditions on rows, one column against one value."""

from datetime import UTC, datetime

import polars as pl
import pytest

from heptad.data.cleaning.conditions import columns_of, condition_mistakes, rows_where
from heptad.data.cleaning.settings import RowRule

FRAME = pl.DataFrame(
    {
        "a b": ["x", "y", None],
        "n": [1, 2, None],
        "t": [True, False, None],
        "at": [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3)],
    }
)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (["a b == 'x'"], [True, False, False]),
        (["'a b' != 'x'"], [False, True, False]),
        (["n >= 2"], [False, True, False]),
        (["n < 2", "t == true"], [True, False, False]),
        (["n is missing"], [False, False, True]),
        (["n is present"], [True, True, False]),
        (["at > '2020-01-01T12:00'"], [False, True, True]),
    ],
)
def test_a_condition_holds_where_it_says(where: list[str], expected: list[bool]) -> None:
    """For a missing value no comparison does."""
    assert [one for text in where for one in condition_mistakes(text, FRAME.schema)] == []
    assert FRAME.select(rows_where(RowRule(where=where), FRAME.schema)).to_series().to_list() == expected


def test_an_exception_keeps_a_row() -> None:
    """If any of them holds."""
    rule = RowRule(where=["n is present"], unless=["n == 1", "t is missing"])
    assert FRAME.select(rows_where(rule, FRAME.schema)).to_series().to_list() == [False, True, False]
    assert columns_of(rule) == ["n", "n", "t"]
