"""JSON lines become columns."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data.sources.json_lines import read_json_lines


def read(data: bytes) -> pl.DataFrame:
    return read_json_lines(lambda: iter([data]), "f.jsonl", "").collect()


def test_fields_become_columns() -> None:
    """Fields may come in any order and be left out."""
    frame = read(b'{"a": 1, "b": "x"}\n\n{"b": "y"}\n{"c": true, "a": 2.5}\n')
    assert frame.to_dict(as_series=False) == {"a": [1, None, 2.5], "b": ["x", "y", None], "c": [None, None, True]}


def test_a_field_of_several_types_becomes_text() -> None:
    """Numbers and words in one field are kept as they were written."""
    frame = read(b'{"a": 1}\n{"a": "x"}\n{"a": [2]}\n')
    assert frame["a"].to_list() == ["1", "x", "[2]"]


@given(st.lists(st.integers(-(10**45), 10**45) | st.integers(-(2**64), 2**64) | st.none(), min_size=1))
def test_no_digit_of_a_whole_number_is_lost(numbers: list[int | None]) -> None:
    """At every depth, however many there are: what no number of the engine holds is text."""
    lines = [json.dumps({"a": one, "in": {"a": one, "b": [{"a": one}, {"a": 1}]}}) for one in numbers]
    frame = read("\n".join(lines).encode())
    deep = frame["in"].struct.field("b").list.first().struct.field("a")
    for values in (frame["a"], frame["in"].struct.field("a"), deep):
        assert [one if one is None else int(one) for one in values] == numbers


@pytest.mark.parametrize("line", [b"{'a': 1}", b"[1]", b'{"a": ', b"3"])
def test_the_first_line_that_is_no_object_is_named(line: bytes) -> None:
    """The error says which line."""
    with pytest.raises(DataError, match=r"Line 2 of f\.jsonl"):
        read(b'{"a": 1}\n' + line + b"\n")


def test_an_empty_file_is_refused() -> None:
    """Blank lines hold no rows."""
    with pytest.raises(DataError, match="empty"):
        read(b" \n")
