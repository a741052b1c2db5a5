"""JSON messages become typed rows; what does not fit is told apart with its reason, which shows no value."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.data.streams.decoding import PAYLOAD_BYTES, JsonDecoder


def decoded(*messages: Any, decoder: JsonDecoder | None = None) -> tuple[list[dict[str, Any]], dict[int, str]]:
    payloads = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in messages]
    found = (decoder or JsonDecoder({})).decode(payloads)
    assert sorted([*found.places, *found.rejected]) == list(range(len(messages)))
    return found.rows.to_dicts(), found.rejected


def test_objects_become_rows() -> None:
    """Missing fields are null, objects inside are columns of their own, lists JSON text."""
    rows, rejected = decoded(
        {"a": 1, "b": {"c": "x", "d": {"e": True}}, "f": [1, {"g": None}]}, {"a": None, "b": None}, {"b": {"c": "y"}}
    )
    assert rows == [
        {"a": 1, "b.c": "x", "b.d.e": True, "f": '[1,{"g":null}]'},
        {"a": None, "b.c": None, "b.d.e": None, "f": None},
        {"a": None, "b.c": "y", "b.d.e": None, "f": None},
    ]
    assert rejected == {}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "empty"),
        (b"{broken", "not JSON"),
        (b'{"a": 1} {"a": 2}', "not JSON"),
        (b'{"a": "x", broken', "not JSON"),
        (b'{"a": 1, "b": "\xff"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
        (b"[1]", "not an object but a list"),
        (b"null", "not an object but null"),
        (b'"text"', "not an object but a text"),
        (b'{"a": "secret"}', "field a: expected an integer, got a text"),
        (b'{"a": 1e400}', "not JSON"),
        (b'{"a": 9223372036854775808}', "an integer of more than 64 bits in field a"),
        (b'{"o": {"p": [1]}}', "field o.p: expected a text, got a list"),
        (b'{"o": 5}', "field o: expected an object, got an integer"),
        (b'{"A": 5}', "field A: another column has this name"),
        (b'{"stream_time": 5}', "names that begin with 'stream_'"),
        (b'{"": 5}', "a field has no name"),
        (b'{"b": "' + b"x" * PAYLOAD_BYTES + b'"}', "longer than 16 MiB"),
    ],
    ids=range(19),
)
def test_what_does_not_fit_has_its_reason(message: bytes, reason: str) -> None:
    """Beside rows that do; the value is not part of it."""
    rows, rejected = decoded({"a": 1, "b": "x", "o": {"p": "q"}}, message, {"a": 2, "o": {"p": "r"}}, {"a": 3})
    assert reason in rejected[1]
    assert "secret" not in rejected[1]
    assert [row["a"] for row in rows] == [1, 2, 3]


def test_what_comes_later_adds_columns_and_makes_numbers_of_integers() -> None:
    """Earlier rows of the batch fit as well."""
    decoder = JsonDecoder({})
    assert decoded({"a": 1}, decoder=decoder)[0] == [{"a": 1}]
    rows, rejected = decoded({"a": 2}, {"a": 2.5, "b": "x"}, {"b": "y", "c": None}, decoder=decoder)
    assert rows == [{"a": 2.0, "b": None}, {"a": 2.5, "b": "x"}, {"a": None, "b": "y"}]
    assert rejected == {}
    assert decoder.fields == {("a",): "number", ("b",): "text"}
    assert decoded({"c": 5}, decoder=decoder)[0] == [{"a": None, "b": None, "c": 5}]


def test_messages_without_fields_are_rows() -> None:
    """Also where there are no columns yet."""
    found = JsonDecoder({}).decode([b"{}", b"{}", b'{"a": null}'])
    assert (found.places, found.rejected, found.rows.width) == ([0, 1, 2], {}, 0)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abAB."), inner, max_size=3),
    max_leaves=6,
)
messages = st.dictionaries(st.sampled_from(["a", "b", "A", "a.b"]), values, max_size=3).map(
    lambda one: json.dumps(one).encode()
) | st.binary(max_size=8)


@given(st.lists(messages, max_size=12), st.integers(0, 12), st.integers(0, 12))
@settings(deadline=None, max_examples=50)
def test_once_columns_are_there_a_message_is_decided_alike_however_batches_are_cut(
    payloads: list[bytes], first: int, second: int
) -> None:
    """That is what a batch rests on that comes again after an accident."""
    whole = JsonDecoder({})
    before = whole.decode(payloads)
    fields = whole.fields
    for cuts in ([payloads], [payloads[:first], payloads[first:]], [[one] for one in payloads]):
        again = JsonDecoder(fields)
        rejected, rows, start = [], [pl.DataFrame()], 0
        for cut in cuts:
            found = again.decode(cut)
            rejected += [start + place for place in sorted(found.rejected)]
            rows.append(found.rows)
            start += len(cut)
        assert rejected == sorted(before.rejected)
        assert again.fields == fields
        if fields:
            assert pl.concat(rows[1:]).equals(before.rows)
