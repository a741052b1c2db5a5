"""The contract of a source: something outside that rows are read from, as often as needed."""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import msgspec
import polars as pl

from heptad.core import catalogue
from heptad.core.secrets import reveal
from heptad.data.progress import Estimate
from heptad.data.records import Repair
from heptad.data.sources.applying import refuse_unused
from heptad.data.sources.excel import split_sheet
from heptad.data.sources.html_tables import split_table
from heptad.data.sources.schemes import ADDRESS, is_stream
from heptad.data.sources.settings import SourceSettings


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What an address is relative to: the project's folder, and the zone of times that name none."""

    root: Path
    timezone: str = "UTC"
    cache: Path | None = None
    """Where sources may keep what they unpacked, converted or downloaded; without it, as long as the process."""


class SourceTable(msgspec.Struct, frozen=True, kw_only=True):
    """What a source holds: typed rows as a lazy frame, how they were understood, what reading had to repair."""

    rows: pl.LazyFrame
    understood: dict[str, str] = {}
    repairs: list[Repair] = []
    doubts: list[str] = []
    """Why these may not be all rows, in sentences; a version warns of them."""


class Source(Protocol):
    """Something outside that holds rows, made as `SourceType(address, settings, place)`; see `heptad.testing`.

    Promised: reading twice with equal digests gives equal rows in equal order; reading changes nothing outside and
    costs nothing before it is asked for. Not promised: that the digest and the rows are of the same instant where
    somebody writes in between. Errors: `DataError` for what cannot be used, `UnavailableError` where trying
    again may help.
    """

    def digest(self) -> str:
        """The watermark: it changes whenever the rows do. Much cheaper than reading."""
        ...

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        """All rows, in the types of `column_types.STORED`; columns in `keep_text` stay text as written."""
        ...

    def estimate(self) -> Estimate | None:
        """About how much `digest` and `read` will go through, in what they tell `note_done`; `None`: it cannot know.

        For a bar that somebody looks at, so it is asked only then, before the others; it counts nothing that is large.
        """
        ...


def open_source(settings: SourceSettings, place: Place) -> Source:
    """The source at the settings' `uri`: its scheme is looked up in the catalogue, a plain path is a file.

    Raises `NotFoundError` for a scheme that nothing installed reads, `SettingsError` for a setting that says nothing to
    a source of this kind.
    """
    address, sheet = split_sheet(reveal(settings.uri))
    address, table = split_table(address)
    settings = msgspec.structs.replace(settings, sheet=sheet) if sheet else settings
    settings = msgspec.structs.replace(settings, sheet=table, format="html") if table else settings
    scheme = ADDRESS.match(address)
    kind, location = (scheme[1], address[scheme.end() :]) if scheme else ("file", address)
    if kind == "file" and settings.format == "manifest":
        kind = "manifest"
    if kind == "file" and (place.root / location / "_delta_log").is_dir():
        kind = "delta+file"
    if "+" in kind and location.startswith("//") and kind not in catalogue.known("source"):
        kind = "database"  # dialect+driver, which only SQLAlchemy knows
    if is_stream(address):
        kind = "stream"
    dialect = scheme[1].partition("+")[0] if scheme and kind == "database" else ""
    refuse_unused("sqlite" if dialect == "sqlite" else kind, settings)
    made: Source = catalogue.find("source", kind)(location, settings, place)
    return made
