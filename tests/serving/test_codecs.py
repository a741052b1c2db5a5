"""Requests out of JSON: everything else is named."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError, RequestError
from heptad.serving.codecs import decode_request, encode_error, in_order, reply_head


def refused(body: bytes, most_rows: int = 10) -> RequestError:
    with pytest.raises(RequestError) as caught:
        decode_request(body, most_rows)
    return caught.value


def test_a_request_is_rows_and_perhaps_ids() -> None:
    """Cells keep the types that JSON gives them."""
    request = decode_request(b'{"rows": [{"a": 1, "b": 1.5, "c": "x", "d": true, "e": null}], "ids": ["r1"]}', 10)
    assert request.rows == [{"a": 1, "b": 1.5, "c": "x", "d": True, "e": None}]
    assert request.ids == ["r1"]
    assert decode_request(b'{"rows": [{}]}', 1).ids is None


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, ""),
        (b"{", 400, ""),
        (b'{"rows": [{"a": NaN}]}', 400, ""),
        (b'{"rows": [{"a": Infinity}]}', 400, ""),
        (b'{"rows": [{"a": "\xff"}]}', 400, ""),
        (b'{"rows": [{"a": "\\ud800"}]}', 400, ""),
        (b"\xef\xbb\xbf{}", 400, ""),
        (b'{"rows": [{"a": 1}]} and more', 400, ""),
        (b"[]", 422, ""),
        (b'"text"', 422, ""),
        (b"{}", 422, "rows"),
        (b'{"rows": [], "colour": 1}', 422, "colour"),
        (b'{"rows": {"a": 1}}', 422, "rows"),
        (b'{"rows": [1]}', 422, "rows[0]"),
        (b'{"rows": []}', 422, "rows"),
        (b'{"rows": [{}, {"a": 1, "b": [2]}]}', 422, "b"),
        (b'{"rows": [{"a": {"b": 1}}]}', 422, "a"),
        (b'{"rows": [{"a": 1e400}]}', 422, "a"),
        (b'{"rows": [{"a": ' + b"9" * 5000 + b"}]}", 422, "rows[0]"),
        (b'{"rows": [{"a": ' + b"[" * 100_000, 422, "rows[0]"),
        (b"[" * 100_000, 422, ""),
        (b'{"rows": [{}], "ids": "r1"}', 422, "ids"),
        (b'{"rows": [{}], "ids": [1]}', 422, "ids[0]"),
        (b'{"rows": [{}], "ids": [""]}', 422, "ids[0]"),
        (b'{"rows": [{}], "ids": []}', 422, "ids"),
        (b'{"rows": [{}], "ids": ["a", "b"]}', 422, "ids"),
        (b'{"rows": [{}, {}], "ids": ["a", "a"]}', 422, "ids"),
        (b'{"rows": [{}], "ids": ["a\\nb"]}', 422, "ids"),
        (b'{"rows": [{}], "ids": ["' + b"x" * 201 + b'"]}', 422, "ids[0]"),
        (b'{"rows": [' + b"{}," * 10 + b"{}]}", 422, "rows"),
    ],
)
def test_what_is_no_request_is_refused_by_its_field(body: bytes, status: int, field: str) -> None:
    """No JSON is 400, another shape is 422, and the field at fault is named."""
    error = refused(body)
    assert (error.status, error.field) == (status, field)


@given(st.binary(max_size=200))
def test_no_bytes_whatsoever_raise_anything_else(body: bytes) -> None:
    """Any bytes are a request or a `RequestError`."""
    status = 200
    try:
        decode_request(body, 10)
    except RequestError as error:
        status = error.status
    assert status in {200, 400, 422}


def test_an_error_that_quotes_half_a_character_can_be_sent() -> None:
    """A column's name may hold half of a surrogate pair; the reply that names it is UTF-8 all the same."""
    body = encode_error(RequestError("No column '\ud800'.", status=422, field="\ud800"))
    assert msgspec.json.decode(body) == {
        "error": {"problem": "No column '\\ud800'.", "field": "\\ud800", "allowed": "", "remedy": ""}
    }


def test_every_kind_of_error_has_the_same_body() -> None:
    """Errors without a field have an empty one."""
    sent = msgspec.json.decode(encode_error(InputError("Wrong.", allowed="right", remedy="mend it")))
    assert sent == {"error": {"problem": "Wrong.", "field": "", "allowed": "right", "remedy": "mend it"}}


def test_answers_of_several_versions_come_in_the_order_of_the_rows() -> None:
    """Each answer stands where its row stood, byte for byte."""
    joined = in_order([[2, 0], [1]], [b'[{"id":"c"},{"id":"a"}]', b'[{"id": "b"}]'])
    assert joined == b'[{"id":"a"},{"id": "b"},{"id":"c"}]'
    assert reply_head("tiny", 3) == b'{"endpoint":"tiny","generation":3,"predictions":'
