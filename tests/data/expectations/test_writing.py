"""Expectations are written as TOML that reads back as it was."""

import string
import tomllib

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from heptad.data import ColumnExpectation, ExpectSettings, TableExpectation
from heptad.data.expectations.writing import expectations_toml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    st.dictionaries(
        st.text(string.printable, min_size=1, max_size=5),
        st.lists(
            st.builds(
                ColumnExpectation,
                min=st.one_of(st.none(), st.floats(-9, 9)),
                allowed=st.lists(TEXTS, max_size=2),
                about=TEXTS,
                severity=st.sampled_from(["error", "warning"]),
            ),
            min_size=1,
            max_size=2,
        ),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.builds(TableExpectation, check=TEXTS, ordered=st.lists(TEXTS, max_size=2)), max_size=2),
)
def test_expectations_read_back(columns: dict[str, list[ColumnExpectation]], table: list[TableExpectation]) -> None:
    """With a remark for each column, which may hold anything."""
    text = expectations_toml(columns, table, dict.fromkeys(columns, "a remark\nof two lines"))
    read = msgspec.convert(tomllib.loads(text)["expect"], ExpectSettings)
    assert read.table == table
    assert {name: part if isinstance(part, list) else [part] for name, part in read.columns.items()} == columns
