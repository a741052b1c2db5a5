"""Each row has one text that names it."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heptad.data import Column, Schema, row_ids

PART = st.text("ab|\\", max_size=4)


def schema(*names: str) -> Schema:
    return Schema(columns=[Column(name=name, type="category", role="key") for name in names], task="regression")


def test_one_column_is_the_id_and_several_are_joined() -> None:
    """Numbers are written as they are, parts of a key are joined by a bar."""
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", "y|z"]})
    assert row_ids(frame, schema("a")).to_list() == ["1", "2"]
    assert row_ids(frame, schema("a", "b")).to_list() == ["1|x", r"2|y\|z"]


@given(st.lists(st.tuples(PART, PART), unique=True, max_size=20))
def test_different_keys_have_different_ids(keys: list[tuple[str, str]]) -> None:
    """Bars and backslashes inside of parts do not make two keys one."""
    frame = pl.DataFrame(keys, schema={"a": pl.String, "b": pl.String}, orient="row")
    assert row_ids(frame, schema("a", "b")).n_unique() == len(keys)
