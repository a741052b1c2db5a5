"""Rows are cleaned into a file, and all of them are somewhere."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import CleanRule, CleanSettings, RowRule, clean_file


@given(st.lists(st.tuples(st.none() | st.integers(-5, 5), st.sampled_from(["a", " b", "c"])), max_size=30))
def test_rows_written_and_rows_aside_are_the_rows_that_came(tmp_path_factory, values: list) -> None:
    """In their order, each set aside by one rule, counted."""
    folder = tmp_path_factory.mktemp("clean")
    rows = pl.LazyFrame(values, schema={"n": pl.Int64, "s": pl.String}, orient="row").with_row_index("id")
    settings = CleanSettings(
        columns={"n": CleanRule(max=3, outside="drop"), "s": CleanRule(trim=True)},
        rows={"letters": RowRule(where="s == 'c'")},
    )
    repairs = clean_file(rows, settings, folder / "kept.parquet", folder / "aside.parquet")
    expected = [(place, n, s.strip()) for place, (n, s) in enumerate(values) if s != "c" and (n is None or n <= 3)]
    assert pl.read_parquet(folder / "kept.parquet").rows() == expected
    gone = sum(one.rows for one in repairs)
    assert gone + len(expected) == len(values)
    if gone:
        assert len(pl.read_parquet(folder / "aside.parquet")) == gone
    assert sum(one.cells for one in repairs) == sum(s == " b" for _, s in values)


def test_without_a_rule_that_sets_rows_aside_all_are_written(tmp_path) -> None:
    """As they come, repaired."""
    settings = CleanSettings(columns={"n": CleanRule(fill=0)})
    (repair,) = clean_file(pl.LazyFrame({"n": [1, None]}), settings, tmp_path / "kept.parquet")
    assert pl.read_parquet(tmp_path / "kept.parquet")["n"].to_list() == [1, 0]
    assert (repair.rule, repair.cells) == ("fill", 1)


def test_a_refused_value_leaves_no_file(tmp_path) -> None:
    """Nor half of one."""
    settings = CleanSettings(columns={"s": CleanRule(regex="a", unmatched="refuse")})
    with pytest.raises(DataError, match="s: 1 values that regex refuses"):
        clean_file(pl.LazyFrame({"s": ["a", "b"]}), settings, tmp_path / "kept.parquet")
    assert list(tmp_path.iterdir()) == []
