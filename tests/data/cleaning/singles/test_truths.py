"""Conditions say of a plain row what they say of a table's."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.cleaning.singles.truths import NotPlainError, as_moment, named_in, plain_truth
from heptad.data.columns.conditions import columns_of, compile_condition

TYPES = {"n": pl.Float64(), "i": pl.Int64(), "s t": pl.String(), "b": pl.Boolean(), "at": pl.Datetime("us", "UTC")}
WHEN = datetime(2026, 1, 10, 12, tzinfo=UTC)
ROWS = st.fixed_dictionaries(
    {
        "n": st.none() | st.sampled_from([-1.5, 0.0, 2.0, 7.0]),
        "i": st.none() | st.integers(-3, 3),
        "s t": st.none() | st.sampled_from(["a", "B", "", "é"]),
        "b": st.none() | st.booleans(),
        "at": st.none() | st.sampled_from([WHEN, WHEN.replace(year=2020)]),
    }
)
CONDITIONS = [
    "n > 1 and not b",
    "n is None or i == 2 or b",
    "not (n > 1 or i < 0)",
    "0 <= n <= 2 != i",
    "i in [1, 2] and n not in (7, 2.0)",
    'col("s t") >= "a" or col("s t") in ["B"]',
    'col("s t") is not None and n != None',
    'at >= date("2025-01-01") and at < date("2026-01-10T12:00:00+00:00")',
    "n + 2 * i - 1 > -i",
    "b",
    "b == True and n == 2",
]


@pytest.mark.parametrize("condition", CONDITIONS)
@given(rows=st.lists(ROWS, min_size=1, max_size=20))
def test_a_row_is_judged_as_in_a_table(condition: str, rows: list[dict[str, Any]]) -> None:
    """Missing values leave it open in the same rows."""
    expected = pl.DataFrame(rows, schema=TYPES).select(compile_condition(condition, TYPES, "where")).to_series()
    asked = plain_truth(condition)
    assert [asked(row) for row in rows] == expected.to_list()
    as_sent = [{**row, "at": row["at"] and row["at"].isoformat()} for row in rows]
    assert [asked(row) for row in as_sent] == expected.to_list()


@pytest.mark.parametrize(
    "condition", ["abs(n) > 1", "n / 2 > 1", "i // 2 == 1", 'lower(col("s t")) == "b"', "max(n, i) > 0"]
)
def test_what_is_not_plain_is_said(condition: str) -> None:
    """Somebody else has to answer it."""
    with pytest.raises(NotPlainError):
        plain_truth(condition)


@pytest.mark.parametrize("condition", [*CONDITIONS, 'year(at) > 2020 and contains(col("s t"), "col")'])
def test_the_columns_are_the_same(condition: str) -> None:
    """As they are named without a table."""
    assert sorted(named_in(condition)) == sorted(columns_of(condition))


def test_values_of_another_type_leave_it_open() -> None:
    """A model's signature refuses them later, with a better word."""
    assert plain_truth("n > 1")({"n": "x"}) is None
    assert plain_truth("at > date('2020-01-01')")({"at": "soon"}) is None
    assert as_moment("2026-01-10T13:00:00+01:00") == as_moment("2026-01-10T12:00:00") == WHEN
    assert as_moment(5) is None
