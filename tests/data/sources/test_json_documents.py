"""A JSON document is a table where it holds one array of objects."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data.sources.json_documents import read_json_document


def read(text: str | bytes) -> tuple[list[dict[str, object]], str]:
    rows, taken = read_json_document(text.encode() if isinstance(text, str) else text, "t.json", "")
    return rows.collect().to_dicts(), taken


def test_an_array_of_objects_is_rows() -> None:
    """Written over several lines or on one; what was taken is told."""
    assert read('[\n {"a": 1,\r\n  "b": "x\\ny"},\n {"a": 2}\n]') == (
        [{"a": 1, "b": "x\ny"}, {"a": 2, "b": None}],
        "the array",
    )
    assert read('{"count": 2, "tags": [1], "rows": [{"a": 1}]}') == ([{"a": 1}], "the array 'rows'")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": [{"x": 1}], "b": [{"x": 1}]}', "2 arrays of objects: a, b"),
        ('{"a": 1}', "no array"),
        ("[]", "no rows"),
        ("[1, 2]", "Value 1 of the array in t.json is no object: 1"),
        ('[{"a": 1}, null]', "Value 2"),
        ('[{"a": 1}, {"a"', "not a JSON document"),
        ("", "not a JSON document"),
    ],
)
def test_other_documents_are_refused(text: str, problem: str) -> None:
    """The message says what is there."""
    with pytest.raises(DataError, match=problem):
        read(text)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"n": st.integers(-(2**60), 2**60), "s": st.text(st.characters(exclude_categories=["Cs"]))}
        ),
        min_size=1,
    ),
    st.sampled_from([None, 2]),
)
def test_rows_come_back_as_they_were_written(rows: list[dict[str, object]], indent: int | None) -> None:
    """Any text, any layout."""
    assert read(json.dumps(rows, indent=indent))[0] == rows
    assert read(json.dumps({"rows": rows}, indent=indent))[0] == rows
