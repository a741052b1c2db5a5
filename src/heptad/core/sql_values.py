"""How values are kept in columns: scalars, moments, bodies and metric points, there and back."""

import math
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from heptad.core.errors import InputError
from heptad.core.records import Scalar, canonical_json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NAME_BYTES = 512
"""Longest id, key, scope, role or name, so that every index entry fits on PostgreSQL."""
PREFIX = 128
"""Characters of an attribute's text that are in `txt`: PostgreSQL refuses index entries above about 2.7 kB."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Columns = tuple[float | None, str | None, str | None]
"""An attribute's value as `num`, `txt`, `raw`. Numbers compare by `num`, text by `txt`, and `raw` says what these
do not say exactly: text longer than `txt` may be, whole numbers, booleans (which compare as 0 and 1), NaN (which
compares with nothing)."""


def to_columns(key: str, value: Scalar) -> Columns:
    """The columns of a value; raises `InputError` for what cannot be stored."""
    if isinstance(value, float):
        # Zero has no sign: SQLite keeps none.
        return (None, None, "NaN") if math.isnan(value) else (value + 0.0, None, None)
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            text(value, f"attribute {key!r}")
        return (None, value, None) if len(value) <= PREFIX else (None, value[:PREFIX], value)
    if isinstance(value, bool):
        return float(value), None, "true" if value else "false"
    if isinstance(value, int):
        try:
            return float(value), None, str(value)
        except OverflowError:
            raise InputError(
                f"The attribute {key!r} holds a whole number of {value.bit_length()} bits.", allowed="up to 1,023 bits"
            ) from None
    raise InputError(
        f"The attribute {key!r} holds a {type(value).__name__}.", allowed="text, a number, a boolean, or None"
    )


def from_columns(num: float | None, txt: str | None, raw: str | None) -> Scalar:
    """The value that `to_columns` was given."""
    if raw is None:
        return num if txt is None else txt
    if txt is not None:
        return raw
    if raw == "NaN":
        return math.nan
    return raw == "true" if raw in {"true", "false"} else int(raw)


def micros(moment: datetime) -> int:
    """Microseconds since 1970; refuses a moment without a zone."""
    if moment.tzinfo is None:
        raise InputError(
            f"The time {moment.isoformat()} names no zone.", allowed="an aware datetime", remedy="datetime.now(UTC)"
        )
    return (moment - EPOCH) // MICROSECOND


def moment(count: int) -> datetime:
    """The aware UTC moment of that many microseconds since 1970."""
    return EPOCH + timedelta(microseconds=count)


def text(value: str, what: str) -> str:
    """`value`, unless it holds what PostgreSQL or UTF-8 cannot: a NUL, half of a surrogate pair."""
    if found := _UNSTORABLE.search(value):
        raise InputError(
            f"The {what} holds the character U+{ord(found[0]):04X} at {found.start()}.",
            allowed="text without NUL and lone surrogates",
        )
    return value


def name(value: str, what: str) -> str:
    """`value`, unless it is empty or too long to be indexed."""
    if not value or len(text(value, what).encode()) > NAME_BYTES:
        problem = f"is {len(value):,} characters long" if value else "is empty"
        raise InputError(f"The {what} {value[:40]!r} {problem}.", allowed=f"1 to {NAME_BYTES} bytes of UTF-8")
    return value


def body_text(body: Mapping[str, Any], what: str, *, canonical: bool = False) -> str:
    """A body as JSON; refuses NaN and infinity, which JSON would turn into null in silence."""
    try:
        encoded = canonical_json(body) if canonical else msgspec.json.encode(body)
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise InputError(f"The body of {what} is not plain data: {error}.", allowed="what JSON can hold") from error
    if b"null" in encoded:
        for path in _not_finite(body, ""):
            raise InputError(
                f"The body of {what} holds a number that JSON does not have, at {path}.",
                allowed="finite numbers, or None where there is no value",
            )
    return encoded.decode()


def _not_finite(value: Any, path: str) -> Iterable[str]:
    if isinstance(value, float):
        if not math.isfinite(value):
            yield path.lstrip(".")
    elif isinstance(value, Mapping):
        for key, one in value.items():  # pyright: ignore[reportUnknownVariableType] - plain JSON data
            yield from _not_finite(one, f"{path}.{key}")
    elif isinstance(value, list | tuple | set | frozenset):
        for index, one in enumerate(value):  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - plain JSON data
            yield from _not_finite(one, f"{path}[{index}]")


_decoder = msgspec.json.Decoder(dict[str, Any])


def body_of(encoded: str) -> dict[str, Any]:
    """The body that `body_text` was given."""
    return _decoder.decode(encoded)


def pack_points(steps: Sequence[int], values: Sequence[float], times: Sequence[float]) -> bytes:
    """Points as little-endian columns: n int64 steps, n float64 values, n float64 times."""
    n = len(steps)
    try:
        return struct.pack(f"<{n}q{n}d{n}d", *steps, *values, *times)
    except struct.error as error:
        raise InputError(
            f"Metric points are not numbers: {error}.", allowed="steps of 64 bits, values, times"
        ) from error


def unpack_points(data: bytes) -> tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]]:
    """The three columns that `pack_points` was given."""
    n = len(data) // 24
    flat = struct.unpack(f"<{n}q{n}d{n}d", data)
    return flat[:n], flat[n : 2 * n], flat[2 * n :]
