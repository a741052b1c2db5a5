"""Calls decoded and replies encoded."""

import io
import math

import pytest

from heptad.api.messages import Request
from heptad.api.mlflow.codec import LARGEST, decode_call, metric_number
from heptad.api.mlflow.errors import ProtocolError
from heptad.api.mlflow.protocol import Call, Int64


class Asked(Call, frozen=True, kw_only=True):
    name: str = ""
    many: list[str] = []
    count: Int64 = 0


def request(method: str = "POST", body: bytes = b"", query: str = "") -> Request:
    return Request(method, "/", query, {}, io.BytesIO(body), len(body))


def test_fields_come_from_the_query_or_from_json() -> None:
    """Repeated ones are lists, whole numbers may be text, unknown ones are ignored, null counts as left out."""
    assert decode_call(request("GET", query="name=a&many=x&many=y&other=1&count=7"), Asked) == Asked(
        name="a", many=["x", "y"], count=7
    )
    body = b'{"name": null, "many": ["x"], "count": "9", "other": 1}'
    assert decode_call(request(body=body), Asked) == Asked(many=["x"], count=9)
    assert decode_call(request(), Asked) == Asked()


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"name": 1}', b'{"many": "x"}', b'{"count": 9223372036854775808}'])
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    """With 400: the client would send anything else again."""
    with pytest.raises(ProtocolError) as caught:
        decode_call(request(body=body), Asked)
    assert caught.value.status == 400


def test_a_body_that_ends_early_is_refused() -> None:
    """What was announced did not come."""
    with pytest.raises(ProtocolError, match="closed"):
        decode_call(Request("POST", "/", "", {}, io.BytesIO(b"{}"), 10), Asked)


def test_a_body_in_parts_of_which_none_came_is_refused() -> None:
    """It is no empty call: of such a body only the parts tell that it is whole."""
    with pytest.raises(ProtocolError, match="closed"):
        decode_call(Request("POST", "/", "", {}, io.BytesIO(b""), None), Asked)
    assert decode_call(Request("POST", "/", "", {}, io.BytesIO(b"{}"), None), Asked) == Asked()


def test_metrics_go_out_as_the_client_reads_them() -> None:
    """NaN by name, infinities as the largest number."""
    assert metric_number(math.nan) == "NaN"
    assert metric_number(-math.inf) == -LARGEST
    assert metric_number(0.5) == 0.5
