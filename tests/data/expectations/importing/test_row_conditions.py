"""Conditions of pandas, held against pandas itself."""

import pandas as pd
import polars as pl
import pytest

from heptad.data.columns.conditions import compile_condition
from heptad.data.expectations.importing.row_conditions import from_pandas
from heptad.data.expectations.importing.translation import NoTwinError

ROWS = {
    "i": [1, 2, 3, 4, 5, 6],
    "f": [1.0, None, 2.5, None, 3.0, 4.0],
    "g": [1.0, 2.0, None, None, 3.5, 1.0],
    "s": ["a", "b", None, "a", None, "c"],
    "odd name": [1.0, None, 3.0, 4.0, 5.0, None],
    "flag": [True, False, True, False, True, True],
}


@pytest.mark.parametrize(
    "text",
    [
        "i > 3",
        "f != 2.5",
        "not f == 2.5",
        "not f != 2.5",
        "not (f > 2)",
        "not not f > 2",
        "~(f > 2)",
        "f in [1, 2.5]",
        "f not in [1, 2.5]",
        "not (f in [1, 2.5])",
        "not (f not in [1, 2.5])",
        's == "a"',
        "s != 'a' and i > 1",
        'not (s == "a" and f > 2)',
        'not (s == "a" or f > 2)',
        "(f > 1) & (f < 4)",
        "(f > 3) | (s == 'b')",
        "2 < f < 4",
        "not (2 < f < 4)",
        "not (1 <= f != g)",
        "f == f",
        "f != f",
        "f != g",
        "not f < g",
        "f + g != 2",
        "not (f - g > 0)",
        "abs(f) != 1",
        "s.isna()",
        "not s.isnull()",
        "s.notna() and f.notnull()",
        "not s.notna()",
        "`odd name` > 3",
        "not `odd name` > 3",
        "flag",
        "not flag",
        "flag == True and i > 1",
    ],
)
def test_the_rows_are_those_that_pandas_keeps(text: str) -> None:
    """With what is missing in a comparison, and what `not` makes of it."""
    frame = pl.DataFrame(ROWS)
    kept = frame.filter(compile_condition(from_pandas(text), frame.schema, "where"))["i"].to_list()
    assert kept == pd.DataFrame(ROWS).query(text, engine="python")["i"].tolist()


@pytest.mark.parametrize(
    "text",
    ["a >", "f == None", "not f != None", "s is None", "x" * 2001, "not " * 400 + "a", "(" * 300 + "a" + ")" * 300],
)
def test_what_pandas_does_not_read_is_no_condition(text: str) -> None:
    """Nor what asks for nothing there: nothing is equal to None."""
    if text.startswith("not not"):
        assert from_pandas(text) == "a"
    else:
        with pytest.raises(NoTwinError, match="row_condition"):
            from_pandas(text)
