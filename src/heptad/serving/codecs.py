"""Requests out of JSON and replies into it; what cannot be read is named by its field."""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from heptad.core.errors import HeptadError, RequestError
from heptad.serving.messages import PredictRequest, Problem, Refusal, Row

_request = msgspec.json.Decoder(PredictRequest)
_anything = msgspec.json.Decoder(float_hook=float)
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])
_encoder = msgspec.json.Encoder()
encode = _encoder.encode

SHAPE = '{"rows": [{column: value, ...}, ...], "ids": ["...", ...]}, ids may be left out'


def decode_request(body: bytes, most_rows: int) -> PredictRequest:
    """A request as it came, held to its shape; raises `RequestError` with status 400 (no JSON) or 422."""
    try:
        request = _request.decode(body)
    except msgspec.ValidationError as error:
        raise _other_shape(body, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(
            f"The body is not JSON: {_without_values(error)}.",
            allowed="JSON in UTF-8; numbers are finite, NaN and Infinity are no JSON",
            remedy="send null where a value is not known",
        ) from error
    _check_counts(request, most_rows)
    return request


def _check_counts(request: PredictRequest, most_rows: int) -> None:
    rows, ids = len(request.rows), request.ids
    if not 0 < rows <= most_rows:
        raise RequestError(
            f"The request has {rows:,} rows.",
            status=422,
            field="rows",
            allowed=f"1 to {most_rows:,} rows",
            remedy="split it into several requests" if rows else "",
        )
    if ids is None:
        return
    if len(ids) != rows:
        raise RequestError(
            f"There are {len(ids):,} ids for {rows:,} rows.", status=422, field="ids", allowed="one id a row, or none"
        )
    if len(set(ids)) != rows:
        doubled = Counter(ids).most_common(1)[0][0]
        raise RequestError(
            f"The id {doubled!a} is given to two rows.", status=422, field="ids", allowed="each id once a request"
        )
    for one in ids:
        if not one.isprintable():
            raise RequestError(f"The id {one!a} holds a character that cannot be printed.", status=422, field="ids")


def _other_shape(body: bytes, found: str) -> RequestError:
    """JSON of another shape than a request: name the place, and in a row the column."""
    what, _, where = found.partition(" - at `$.")
    field = where.rstrip("`")
    if field.startswith("rows[") and field.endswith("[...]"):
        position = int(field[len("rows[") : field.index("]")])
        column = _odd_column(body, position)
        where = f"Column {column!r} of row {position}" if column else f"Row {position}"
        return RequestError(
            f"{where} holds something that is no single value: {what}.",
            status=422,
            field=column or f"rows[{position}]",
            allowed="a text, a finite number, true, false, or null",
        )
    return RequestError(
        f"The request has another shape: {what}.", status=422, field=field or _named(what), allowed=SHAPE
    )


def _odd_column(body: bytes, position: int) -> str:
    """The column of that row whose value is a list, an object, or beyond all numbers; empty where none can be named."""
    try:
        row: Row = _anything.decode(body)["rows"][position]
    except (msgspec.DecodeError, RecursionError):
        return ""
    return next((name for name, value in row.items() if isinstance(value, dict | list) or value == math.inf), "")


def _named(what: str) -> str:
    """The field that msgspec names in back quotes, as in "Object missing required field `rows`"."""
    return what.rsplit("`", 2)[1] if "field `" in what else ""


def _without_values(error: Exception) -> str:
    """What is wrong, without a piece of the body in it: that may be somebody's data."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).removeprefix("JSON is malformed: ").rstrip(".")


def encode_error(error: HeptadError) -> bytes:
    """The body that says why a request was refused."""
    field = error.field if isinstance(error, RequestError) else ""
    parts = (error.problem, field, error.allowed, error.remedy)
    # A client may send half of a surrogate pair, which has no UTF-8.
    problem, field, allowed, remedy = (text.encode("utf-8", "backslashreplace").decode() for text in parts)
    return encode(Refusal(Problem(problem=problem, field=field, allowed=allowed, remedy=remedy)))


def reply_head(endpoint: str, generation: int) -> bytes:
    """How a reply begins; the JSON array of its answers and `REPLY_TAIL` follow."""
    return encode({"endpoint": endpoint, "generation": generation})[:-1] + b',"predictions":'


REPLY_TAIL = b"}"


def split_answers(replies: bytes) -> list[msgspec.Raw]:
    """The answers of a JSON array, each byte for byte."""
    return _raw_list.decode(replies)


def join_answers(answers: list[msgspec.Raw]) -> bytes:
    """The JSON array of answers."""
    return encode(answers)


def in_order(positions: Sequence[Sequence[int]], replies: Sequence[bytes]) -> bytes:
    """One JSON array of the answers in several: `positions` say where the answers of each belong."""
    rows = sum(len(places) for places in positions)
    answers = [msgspec.Raw()] * rows
    for places, part in zip(positions, replies, strict=True):
        for place, one in zip(places, split_answers(part), strict=True):
            answers[place] = one
    return join_answers(answers)
