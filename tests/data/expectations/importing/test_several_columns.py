"""What breaks expectations about several columns, above all in rows with missing values."""

from typing import Any

import polars as pl
import pytest
from tests.data.expectations.conftest import hold

from heptad.data.expectations.importing.great_expectations import read_suite

# Which of the rows break it where those with all values missing, with any missing, and where none are left out, as
# Great Expectations 1.24 tells of a table of pandas.
PARTLY_MISSING = pl.DataFrame(
    {
        "a": [1, 2, 3, None, None, None, 1],
        "b": [1, 5, None, 4, None, None, 1],
        "c": [2, 6, 7, None, None, None, 2],
        "p": ["u", "u", "u", None, None, None, "u"],
        "q": ["u1", "v1", None, "u1", None, None, "u1"],
    }
)
PAIR: dict[str, Any] = {"column_A": "a", "column_B": "b"}
TEXTS: dict[str, Any] = {"column_A": "p", "column_B": "q"}
LIST: dict[str, Any] = {"column_list": ["a", "b"]}
THREE: dict[str, Any] = {"column_list": ["a", "b", "c"]}
OF_SEVERAL: list[tuple[str, dict[str, Any], int, int, int]] = [
    ("column_pair_values_to_be_equal", PAIR, 3, 1, 5),
    ("column_pair_values_a_to_be_greater_than_b", PAIR, 5, 3, 7),
    ("column_pair_values_a_to_be_greater_than_b", {**PAIR, "or_equal": True}, 3, 1, 5),
    ("column_pair_values_to_be_in_set", {**TEXTS, "value_pairs_set": [["u", "u1"]]}, 3, 1, 5),
    ("column_pair_values_to_be_in_set", {**TEXTS, "value_pairs_set": [["u", "u1"], ["u", None]]}, 2, 1, 4),
    ("compound_columns_to_be_unique", LIST, 2, 2, 4),
    ("compound_columns_to_be_unique", THREE, 2, 2, 4),
    ("select_column_values_to_be_unique_within_record", LIST, 2, 2, 4),
    ("select_column_values_to_be_unique_within_record", THREE, 3, 2, 5),
    ("multicolumn_sum_to_equal", {**LIST, "sum_total": 2}, 3, 1, 5),
    ("multicolumn_sum_to_equal", {**THREE, "sum_total": 4}, 3, 1, 5),
]


@pytest.mark.parametrize("mostly", [1, 0.001])
@pytest.mark.parametrize(("kind", "arguments", "but_all", "but_any", "of_every_row"), OF_SEVERAL)
def test_rows_with_missing_values_break_what_they_break_there(
    kind: str, arguments: dict[str, Any], but_all: int, but_any: int, of_every_row: int, mostly: float
) -> None:
    """Without `ignore_row_if`, rows with all of the values missing are left out, and no others."""
    in_pairs = "column_A" in arguments
    named: dict[str | None, tuple[int, int]] = {
        None: (but_all, 5),
        "both_values_are_missing" if in_pairs else "all_values_are_missing": (but_all, 5),
        "either_value_is_missing" if in_pairs else "any_value_is_missing": (but_any, 3),
        "neither" if in_pairs else "never": (of_every_row, 7),
    }
    for ignored, (broken, looked_at) in named.items():
        given = arguments | {"ignore_row_if": ignored, "mostly": mostly}
        found = read_suite({"expectations": [{"type": f"expect_{kind}", "kwargs": given}]})
        assert found.left_out == []
        told = hold(PARTLY_MISSING, table=found.table)
        assert sum(one.failing_rows for one in told) == broken, (ignored, found.table)
        if mostly < 1:
            assert [one.looked_at for one in told] == [looked_at]


def test_rows_that_are_left_out_are_those_of_both_conditions() -> None:
    """What the row has to be, and what has to be there."""
    arguments = {**PAIR, "row_condition": "c > 2 or c == 2", "condition_parser": "pandas"}
    found = read_suite({"expectations": [{"type": "expect_column_pair_values_to_be_equal", "kwargs": arguments}]})
    (one,) = found.table
    assert one.where == "((c > 2 or c == 2)) and (a is not None or b is not None)"
    assert [told.failing_rows for told in hold(PARTLY_MISSING, table=[one])] == [2]
