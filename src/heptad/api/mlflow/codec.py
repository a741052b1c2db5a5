"""Calls decoded and replies encoded, for all handlers in one place."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from heptad.api.messages import Request
from heptad.api.mlflow.errors import ProtocolError, invalid
from heptad.api.mlflow.protocol import Call

PASSED_OVER = 64 << 20
"""Bytes of a request that is too long, up to which it is read all the same."""
LARGEST = 1.7976931348623157e308

C = TypeVar("C", bound=Call)


def decode_call(request: Request, kind: type[C]) -> C:
    """The call in a request: JSON for POST, PATCH and DELETE, the query for GET; raises `ProtocolError`."""
    is_read = request.method in {"GET", "HEAD"}
    values = _from_query(request.query, kind) if is_read else _from_json(read_body(request, kind.most_bytes))
    return convert_call({**values, **request.captured}, kind)


def convert_call(values: Mapping[str, Any], kind: type[C]) -> C:
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(f"{_named(str(error))}.") from None
    except (RecursionError, OverflowError):
        raise invalid("The call is nested too deeply or holds a number too large.") from None


def read_body(request: Request, most: int) -> bytes:
    """The whole body; raises where it is longer than `most` or ends early."""
    if request.length is not None and request.length > most:
        _pass_over(request)
        raise invalid(f"The request has more than {most:,} bytes.")
    body = request.body.read(most + 1 if request.length is None else request.length)
    if len(body) > most:
        raise invalid(f"The request has more than {most:,} bytes.")
    # Of a body in parts the end is not told from a connection that was cut; with nothing in it, it was.
    if len(body) < (1 if request.length is None else request.length):
        raise ProtocolError("BAD_REQUEST", "The connection was closed before the whole request was there.")
    return body


def _pass_over(request: Request) -> None:
    """Read what is refused, unless it is huge: a client that cannot send it sees no answer, and sends it again."""
    left = request.length or 0
    while 0 < left <= PASSED_OVER and (part := request.body.read(min(left, 1 << 20))):
        left -= len(part)


def _from_query(query: str, kind: type[Call]) -> dict[str, Any]:
    try:
        given = parse_qs(query, keep_blank_values=True, max_num_fields=10_000, errors="strict")
    except ValueError:
        raise invalid(
            "The query cannot be read: it must be UTF-8, percent-encoded, of at most 10,000 fields."
        ) from None
    lists = _list_fields(kind)
    return {name: values if name in lists else values[-1] for name, values in given.items()}


_lists: dict[type[Call], frozenset[str]] = {}


def _list_fields(kind: type[Call]) -> frozenset[str]:
    if kind not in _lists:
        _lists[kind] = frozenset(
            one.encode_name
            for one in msgspec.structs.fields(kind)
            if isinstance(msgspec.inspect.type_info(one.type), msgspec.inspect.ListType)
        )
    return _lists[kind]


def _from_json(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError("BAD_REQUEST", f"The request is not JSON: {error}.") from None
    if not isinstance(values, dict):
        raise ProtocolError("BAD_REQUEST", "The request is not a JSON object.")
    return values


def _named(problem: str) -> str:
    """`Expected `int`, got `str` - at `$.max_results`` with the field in front."""
    what, _, where = problem.partition(" - at ")
    return f"Invalid value for parameter {where.strip('`').removeprefix('$.')!r}: {what}" if where else what


def encode_reply(value: Any) -> bytes:
    return msgspec.json.encode(value)


def metric_number(value: float) -> float | str:
    """A metric as it goes out: NaN by name, infinities as the largest number."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else math.copysign(LARGEST, value)
