"""A table as text, each column once as its different values and once as places in them."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.cleaning.suggesting.cells import encode


@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=1, max_size=30))
def test_a_column_can_be_read_back_from_its_places(cells: list[str | None]) -> None:
    """Every row keeps its text, null as the empty one, and counts add up to the rows."""
    column = encode(pl.Series("name", cells, dtype=pl.String))
    assert [column.text(row) for row in range(column.rows)] == [cell or "" for cell in cells]
    assert column.counts.sum() == len(cells)


def test_the_place_of_the_empty_text_is_known() -> None:
    """It is the first one, and -1 where no cell is empty."""
    assert encode(pl.Series(["b", None, "a"])).empty == 0
    assert encode(pl.Series(["b", "a"])).empty == -1
