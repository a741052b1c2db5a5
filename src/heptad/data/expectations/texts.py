"""Expectations of each text of a column, by itself."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from heptad.data.columns.conditions import check_pattern
from heptad.data.expectations.definitions import (
    Definition,
    ExpectationError,
    Kind,
    Subject,
    Test,
    comparable,
    of_values,
    range_text,
)
from heptad.data.expectations.settings import Format, Range, Readable

_TEXTS: tuple[Kind, ...] = ("text",)
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"({_BYTE}\.){{3}}{_BYTE}"
_HEX = "[0-9a-fA-F]{1,4}"
_LAST = rf"({_HEX}:{_HEX}|{_IPV4})"
_IPV6 = "|".join(
    [rf"({_HEX}:){{6}}{_LAST}"]
    # Two colons stand for at least one group of zeros; `before` are the most that may come in front of them.
    + [rf"(({_HEX}:){{0,{before - 1}}}{_HEX})?::({_HEX}:){{{5 - before}}}{_LAST}" for before in range(1, 6)]
    + [rf"::({_HEX}:){{5}}{_LAST}", rf"(({_HEX}:){{0,5}}{_HEX})?::{_HEX}", rf"(({_HEX}:){{0,6}}{_HEX})?::"]
)
"""As RFC 3986 has it: eight groups, the last two of them also as an address of version 4."""
FORMATS: dict[Format, str] = {
    "email": r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
    "url": r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]+[^\s]*$",
    "uuid": r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "ipv4": rf"^{_IPV4}$",
    "ipv6": rf"^({_IPV6})$",
    "date": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "datetime": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9]"
    r"(:[0-5][0-9](\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?$",
    "slug": r"^[a-z0-9]+(-[a-z0-9]+)*$",
    "hex": r"^[0-9a-fA-F]+$",
}
"""How each format is written; what a shape cannot tell, such as whether a month has 31 days, `reads_as` does."""


def _of_texts(subject: Subject, held: Callable[[pl.Expr], pl.Expr], words: str) -> Test:
    """As `of_values`, for categories too."""
    return of_values(subject, lambda value: held(comparable(value, subject.type)), words)


def _matches(subject: Subject, pattern: str) -> Test:
    check_pattern(pattern, f"{subject.name}.matches")
    return _of_texts(subject, lambda value: value.str.contains(pattern), f"texts without a match of {pattern}")


def _matches_any(subject: Subject, patterns: Sequence[str]) -> Test:
    wanted = [check_pattern(one, f"{subject.name}.matches_any") for one in patterns]
    return _of_texts(
        subject,
        lambda value: pl.any_horizontal(*(value.str.contains(one) for one in wanted)),
        f"texts without a match of any of {', '.join(patterns)}",
    )


def _matches_none(subject: Subject, patterns: Sequence[str]) -> Test:
    unwanted = [check_pattern(one, f"{subject.name}.matches_none") for one in patterns]
    return _of_texts(
        subject,
        lambda value: ~pl.any_horizontal(*(value.str.contains(one) for one in unwanted)),
        f"texts with a match of {' or '.join(patterns)}",
    )


def _piece(name: str, words: str, held: Callable[[pl.Expr, str], pl.Expr]) -> Definition:
    def build(subject: Subject, piece: str) -> Test:
        return _of_texts(subject, lambda value: held(value, piece), f"texts that do not {words} {piece!r}")

    return Definition(name, "texts", build, _TEXTS)


def _length(subject: Subject, wanted: Range) -> Test:
    def held(value: pl.Expr) -> pl.Expr:
        length = value.str.len_chars()
        if wanted.min is None or wanted.max is None:
            return length >= wanted.min if wanted.min is not None else length <= wanted.max
        return length.is_between(wanted.min, wanted.max)

    return _of_texts(subject, held, f"texts whose length is not {range_text(wanted)}")


def _format(subject: Subject, wanted: Format) -> Test:
    return _of_texts(
        subject, lambda value: value.str.contains(FORMATS[wanted]), f"texts that are not written as {wanted}"
    )


def _is_json(texts: pl.Series) -> pl.Series:
    def read(text: str) -> bool:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True

    return texts.map_elements(read, return_dtype=pl.Boolean)


_READ: dict[Readable, Callable[[pl.Expr], pl.Expr]] = {
    "integer": lambda text: text.cast(pl.Int64, strict=False).is_not_null(),
    "number": lambda text: text.cast(pl.Float64, strict=False).is_not_null(),
    "boolean": lambda text: text.str.to_lowercase().is_in(["true", "false"]),
    "date": lambda text: text.str.to_date("%Y-%m-%d", strict=False).is_not_null(),
    "datetime": lambda text: (
        text.str.contains(FORMATS["datetime"])
        & text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).is_not_null()
    ),
    "json": lambda text: text.map_batches(_is_json, return_dtype=pl.Boolean, is_elementwise=True),
}


def _reads_as(subject: Subject, wanted: Readable) -> Test:
    return _of_texts(
        subject,
        lambda value: pl.when(value.is_not_null()).then(_READ[wanted](value)),
        f"texts that cannot be read as {wanted}",
    )


def _date_format(subject: Subject, wanted: str) -> Test:
    def held(value: pl.Expr) -> pl.Expr:
        # Hours without minutes make no time of their own, and a month without a day no date.
        read = value.str.strptime(pl.Datetime("us"), wanted, strict=False)
        return pl.when(value.is_not_null()).then(read.is_not_null())

    try:
        pl.DataFrame({"x": ["2026-01-31"]}).select(held(pl.col("x")))
    except pl.exceptions.PolarsError as error:
        raise ExpectationError(
            f"{subject.name}.date_format = {wanted!r} cannot be used: {str(error).splitlines()[0]}.",
            allowed="a format such as %Y-%m-%d or %d.%m.%Y %H:%M:%S",
        ) from error
    return _of_texts(subject, held, f"texts that are no date or time in {wanted}")


def _trimmed(subject: Subject, wanted: Any) -> Test:
    if not wanted:
        raise ExpectationError("trimmed = false expects nothing.", allowed="trimmed = true, or leaving it out")

    def held(value: pl.Expr) -> pl.Expr:
        text = value
        return (text == text.str.strip_chars()) & (text.str.len_bytes() > 0)

    return _of_texts(subject, held, "texts that are empty, or begin or end with blanks")


def _letters(subject: Subject, wanted: str) -> Test:
    def held(value: pl.Expr) -> pl.Expr:
        text = value
        return text == (text.str.to_lowercase() if wanted == "lower" else text.str.to_uppercase())

    return _of_texts(subject, held, f"texts with letters that are not {wanted} case")


DEFINITIONS = [
    Definition("matches", "texts", _matches, _TEXTS),
    Definition("matches_any", "texts", _matches_any, _TEXTS),
    Definition("matches_none", "texts", _matches_none, _TEXTS),
    _piece("starts_with", "begin with", lambda text, piece: text.str.starts_with(piece)),
    _piece("ends_with", "end with", lambda text, piece: text.str.ends_with(piece)),
    _piece("contains", "contain", lambda text, piece: text.str.contains(piece, literal=True)),
    Definition("length", "texts", _length, _TEXTS),
    Definition("format", "texts", _format, _TEXTS),
    Definition("reads_as", "texts", _reads_as, _TEXTS),
    Definition("date_format", "texts", _date_format, _TEXTS),
    Definition("trimmed", "texts", _trimmed, _TEXTS),
    Definition("letters", "texts", _letters, _TEXTS),
]
