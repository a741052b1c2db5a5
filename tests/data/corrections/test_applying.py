"""A correction finds its cell by row and wrong value."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.corrections.applying import correction_steps

TYPES = {"k": pl.String(), "x": pl.Float64(), "n": pl.Int64()}


def applied(rows: pl.DataFrame, cells: list[tuple[str, str, str | None, str]]) -> pl.DataFrame:
    frame = pl.DataFrame(cells, schema=dict.fromkeys(("id", "column", "was", "value"), pl.String()), orient="row")
    steps = correction_steps(frame, rows.schema, ["k"])
    return rows.with_columns(step.repair(pl.col(step.column)).alias(step.column) for step in steps)


CELLS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.integers(0, 3)), max_size=8)


@given(CELLS)
def test_every_corrected_cell_is_right_and_no_other_is_touched(cells: list[tuple[str, int, int]]) -> None:
    """Against a loop over the rows."""
    told = {(key, was): value for key, was, value in cells}
    rows = pl.DataFrame({"k": list("abcdef"), "n": [0, 1, 2, 3, 0, 1]})
    made = applied(rows, [(key, "n", str(was), str(value)) for (key, was), value in told.items()])
    assert made["n"].to_list() == [told.get((key, was), was) for key, was in rows.rows()]


def test_a_missing_cell_is_filled_and_another_value_stands() -> None:
    """What the source says by now counts more than what it said when it was wrong."""
    rows = pl.DataFrame({"k": ["a", "b", "c"], "x": [None, 2.0, 5.0]})
    made = applied(rows, [("a", "x", None, "1.5"), ("b", "x", "3.0", "9.0"), ("c", "x", "5", "6")])
    assert made["x"].to_list() == [1.5, 2.0, 6.0]


def test_columns_that_are_gone_are_left_alone() -> None:
    """A correction of a column that nobody collects any more does nothing."""
    rows = pl.DataFrame({"k": ["a"], "x": [1.0]})
    assert applied(rows, [("a", "gone", "1", "2")]).equals(rows)
