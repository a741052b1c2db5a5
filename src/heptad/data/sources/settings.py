"""The section `[sources]` of heptad.toml."""

from typing import Literal

from heptad.core.settings import Settings


class SourceSettings(Settings, frozen=True, kw_only=True):
    """`[sources.NAME]`: where rows come from."""

    uri: str
    """A path or glob relative to the project, or an address such as `python-package:NAME/FILE`."""
    time: str = ""
    """The column that says when a row happened; rows are collected up to a moment by it."""
    format: Literal["", "csv", "jsonl", "parquet"] = ""
    """Empty: by the file's name and content."""
    separator: str = ""
    """CSV only; empty: detected."""
    quote: str | None = None
    """CSV only; `None`: detected, empty text: quotes are ordinary characters."""
    encoding: str = ""
    """Empty: detected, which is reported."""
    header: bool | None = None
    """CSV only; `None`: detected."""
    nulls: tuple[str, ...] = ("", "NA", "N/A", "NaN", "null", "NULL", "None", "?")
    """Texts that mean missing."""
    dates: str = ""
    """How times are written, as in `%d.%m.%Y %H:%M`; empty: detected, which is reported."""
    columns: list[str] = []
    """Names of the columns, for a file without a header."""
