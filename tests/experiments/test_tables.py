"""Tables of the usual libraries are kept with what they hold, and what cannot be kept is refused in words."""

import io
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import polars as pl
import pytest

from heptad.core.errors import InputError
from heptad.experiments.tables import table_bytes


def read(table: object) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(table_bytes("t", table)[1]))


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pl.LazyFrame({"a": [1, 2], "b": ["x", None]}),
        {"a": [1, 2], "b": ["x", None]},
        [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
    ],
)
def test_tables_are_kept_as_parquet(table):
    """Frames, columns by name, rows."""
    path, data = table_bytes("t", table)
    assert path == "t.parquet"
    assert pl.read_parquet(io.BytesIO(data)).rows() == [(1, "x"), (2, None)]


def test_tables_of_pandas_need_no_pyarrow():
    """They go column by column."""
    frame = pd.DataFrame({"a": [1.5, None], "b": ["x", "y"], 3: [True, False]})
    _, data = table_bytes("t", frame)
    assert pl.read_parquet(io.BytesIO(data)).columns == ["a", "b", "3"]


def test_a_table_may_be_kept_as_csv():
    """Where its path says so."""
    assert table_bytes("t.csv", {"a": [date(2026, 1, 2)]})[1] == b"a\n2026-01-02\n"
    with pytest.raises(InputError, match="no table"):
        table_bytes("t", 3)


def test_columns_of_pandas_keep_their_types():
    """Moments, spans, categories, numbers with gaps; what is missing is null, and NaN in a float column NaN."""
    frame = pd.DataFrame(
        {
            "moment": pd.to_datetime(["2026-01-02", None]),
            "zoned": pd.to_datetime(["2026-01-02T03:04:05Z", None]),
            "span": pd.to_timedelta([1.5, None], unit="s"),
            "category": pd.Categorical(["u", None]),
            "gap": pd.array([1, None], dtype="Int64"),
            "number": [1.5, None],
        }
    )
    first, second = read(frame).rows(named=True)
    assert first == {
        "moment": datetime(2026, 1, 2),  # noqa: DTZ001 - as it is in the frame
        "zoned": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "span": timedelta(seconds=1.5),
        "category": "u",
        "gap": 1,
        "number": 1.5,
    }
    assert list(second.values())[:5] == [None] * 5
    assert str(second["number"]) == "nan"


def test_what_fits_together_in_no_type_is_text():
    """A column of anything."""
    assert read(pd.DataFrame({"a": [{"x": 1}, [1, 2], None]}))["a"].to_list() == ["{'x': 1}", "[1, 2]", None]


def test_an_index_with_a_name_is_a_column():
    """One without is only a count."""
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert read(frame).columns == ["a", "b"]
    assert read(frame.set_index("a")).rows() == [(1, 3), (2, 4)]


def test_a_column_by_itself_is_a_table():
    """Of either library."""
    assert read(pd.Series([1, 2], name="a")).rows() == read(pl.Series("a", [1, 2])).rows() == [(1,), (2,)]


def test_rows_that_gain_a_column_late_keep_it():
    """Nothing is decided by the first rows alone."""
    assert read([{"a": 1}] * 200 + [{"a": 1.5, "z": "x"}]).rows()[-1] == (1.5, "x")


def test_two_columns_of_one_name_are_refused():
    """One of them would be lost."""
    with pytest.raises(InputError, match="Several columns are called 'a'"):
        read(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_csv_has_no_lists():
    """Parquet does."""
    with pytest.raises(InputError, match=r"cannot be kept as csv.*\n.*keep it as parquet"):
        table_bytes("t.csv", {"a": [[1, 2]]})
