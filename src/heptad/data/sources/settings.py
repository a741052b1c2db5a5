"""The section `[sources]` of heptad.toml."""

import codecs
from typing import Annotated, Literal, TypeAlias

import msgspec

from heptad.core.errors import InputError
from heptad.core.settings import Settings


def _check_encoding(name: str) -> None:
    try:
        codecs.lookup(name or "utf-8")
    except LookupError as error:
        raise InputError(f"there is no encoding {name!r}.", allowed="utf-8, windows-1252, utf-16, ...") from error


Encoding: TypeAlias = Annotated[str, msgspec.Meta(extra={"check": _check_encoding})]
Character: TypeAlias = Annotated[str, msgspec.Meta(max_length=1, description="one character, or empty")]


class SourceSettings(Settings, frozen=True, kw_only=True):
    """`[sources.NAME]`: where rows come from."""

    uri: str
    """A path or glob relative to the project, or an address such as `python-package:NAME/FILE`."""
    time: str = ""
    """The column that says when a row happened; rows are collected up to a moment by it."""
    format: Literal["", "csv", "jsonl", "parquet"] = ""
    """Empty: by the file's name and content."""
    separator: Character = ""
    """CSV only; empty: detected."""
    quote: Character | None = None
    """CSV only; not set: detected, empty text: quotes are ordinary characters."""
    encoding: Encoding = ""
    """Empty: detected, which is reported."""
    header: bool | None = None
    """CSV only; not set: detected."""
    nulls: tuple[str, ...] = ("", "NA", "N/A", "NaN", "null", "NULL", "None", "?")
    """Texts that mean missing."""
    dates: str = ""
    """How times are written, as in `%d.%m.%Y %H:%M`; empty: detected, which is reported."""
    columns: list[str] = []
    """Names of the columns, for a file without a header."""
