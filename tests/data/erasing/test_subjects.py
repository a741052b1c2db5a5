"""A row is somebody's where all columns hold their values, whichever types these came as."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.data.erasing.subjects import Subjects, subjects_of

KEYS = st.one_of(st.integers(-(2**53), 2**53).map(str), st.text(min_size=1, max_size=5))


@given(st.lists(KEYS, min_size=1, max_size=5), st.lists(st.one_of(st.none(), KEYS), max_size=20))
def test_a_table_and_json_agree_on_whose_a_row_is(keys: list[str], values: list[str | None]) -> None:
    """The rows of a table of text, and of the same rows as JSON, with nulls, empty texts and any character."""
    subjects = subjects_of(["k"], [[key] for key in keys])
    rows = pl.DataFrame({"k": pl.Series(values, dtype=pl.String)})
    found = rows.select(subjects.condition(rows.schema)).to_series().to_list() if values else []
    assert found == [value in keys or value in {repr(float(k)) for k in keys if _is_number(k)} for value in values]
    assert all(subjects.match({"k": value}) for value in values if value in keys)
    assert not subjects.match({"k": None})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([17, 18], "17"),
        ([17.0, 18.5], "17"),
        ([True, False], "true"),
        (["2026-01-01T00:00:00+00:00", "x"], "2026-01-01T00:00:00+00:00"),
    ],
)
def test_values_are_compared_as_what_they_are(values: list[object], text: str) -> None:
    """17 is 17.0, and a truth is one however it is spelled."""
    rows = pl.DataFrame({"k": values})
    assert rows.select(Subjects(columns=["k"], keys=[[text]]).condition(rows.schema)).to_series().to_list() == [1, 0]
    assert [Subjects(columns=["k"], keys=[[text]]).match({"k": value}) for value in values] == [True, False]


def test_times_are_the_same_in_any_zone() -> None:
    """One without a zone is in UTC."""
    rows = pl.DataFrame({"t": ["2026-01-01T00:00:00Z"]}).select(pl.col("t").str.to_datetime(time_zone="UTC"))
    for text in ("2026-01-01T00:00:00", "2026-01-01T02:00:00+02:00"):
        assert rows.select(Subjects(columns=["t"], keys=[[text]]).condition(rows.schema)).item()


def test_all_columns_count_and_a_missing_one_is_nobodys() -> None:
    """Two columns name one person together; a table without one of them has no row of theirs."""
    subjects = subjects_of(["a", "b"], [["1", "x"], ["2", "y"]])
    rows = pl.DataFrame({"a": [1, 1, 2, None], "b": ["x", "y", "y", "x"]})
    assert rows.select(subjects.condition(rows.schema)).to_series().to_list() == [True, False, True, False]
    assert subjects.condition({"a": pl.Int64()}).meta.eq(pl.lit(value=False))
    assert not subjects.match({"a": 1})


@pytest.mark.parametrize(("columns", "keys"), [([], [["1"]]), (["a"], []), (["a"], [[""]]), (["a", "b"], [["1"]])])
def test_nobody_and_half_a_key_are_refused(columns: list[str], keys: list[list[str]]) -> None:
    """An empty value would name every row that lacks one."""
    with pytest.raises(InputError):
        subjects_of(columns, keys)
