"""What the sources of a project hold now, typed; read again only where something outside has changed."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

import msgspec
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.assembling.staging import is_small
from heptad.data.columns.column_types import Dates, as_moments, read_columns, type_word
from heptad.data.progress import under_way
from heptad.data.records import Repair, SourceRead
from heptad.data.sources.naming import called
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, Source, open_source


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What one source held under one digest. `rows` are in memory where they are small."""

    rows: pl.LazyFrame
    size: int
    """About how many bytes they take."""
    repairs: list[Repair]
    read: SourceRead
    doubts: list[str] = []
    """Why these may not be all rows."""


class Inputs:
    """The sources of one project. Small ones are kept in memory until their digests change."""

    def __init__(
        self, place: Place, sources: Mapping[str, SourceSettings], style: Dates, keep_text: Collection[str]
    ) -> None:
        self._settings = sources
        self._style = style
        self._keep_text = keep_text
        self._place = place
        self._held: dict[str, Input] = {}

    @cached_property
    def _sources(self) -> dict[str, Source]:
        """Opened when one is asked: what is stored can be read without the secrets of where it came from."""
        found: dict[str, Source] = {}
        for name, one in self._settings.items():
            with called(name):
                found[name] = open_source(one, self._place)
        return found

    def digest(self, name: str) -> str:
        """The watermark of one source: with the same one, the same rows come out."""
        source = self._sources[name]
        with called(name), under_way(name, source.estimate, last=False):
            return source.digest()

    def digests(self) -> dict[str, str]:
        return {name: self.digest(name) for name in sorted(self._sources)}

    def now(self) -> dict[str, Input]:
        """What every source holds now, its column of times read as times."""
        return {name: self.read(name) for name in self._sources}

    def read(self, name: str) -> Input:
        """What one source holds now."""
        digest = self.digest(name)
        held = self._held.get(name)
        if held is None or held.read.digest != digest:
            # What it held before is let go first: two of them may not fit.
            self._held.pop(name, None)
            with under_way(name, self._sources[name].estimate):
                self._held[name] = self._read(name, digest)
        return self._held[name]

    def reopen(self) -> None:
        """Forget what was read, and what sources remember: what they keep in the workspace was changed."""
        self._held.clear()
        self.__dict__.pop("_sources", None)

    def before(self, name: str, rows: pl.LazyFrame, until: datetime | None) -> pl.LazyFrame:
        """The rows of a source that happened before a moment, where it says when they did."""
        time = self._settings[name].time
        return rows if until is None or not time else rows.filter(pl.col(time) < until)

    def style_of(self, name: str) -> Dates:
        """How times are written in one source."""
        return msgspec.structs.replace(self._style, format=self._settings[name].dates)

    def _read(self, name: str, digest: str) -> Input:
        with called(name):
            table = self._sources[name].read(keep_text=self._keep_text)
        rows, time, repairs = table.rows, self._settings[name].time, table.repairs
        with blamed(name):
            types = rows.collect_schema()
            if time:
                if time not in types:
                    raise DataError(
                        f"There is no column {time!r}, which [sources.{name}] time names.",
                        allowed=nearest(time, types.names(), most=30),
                    )
                rows, _, found = read_columns(rows, {time: as_moments(time, types[time], self.style_of(name))})
                types, repairs = rows.collect_schema(), [*repairs, *found]
            height, size = _measured(rows, types)
            if is_small(size):
                rows = rows.collect(engine="streaming").lazy()
        uri = self._settings[name].uri
        read = SourceRead(
            name=name,
            uri=uri,
            rows=height,
            digest=digest,
            understood=table.understood,
            columns={column: type_word(kind) for column, kind in types.items()},
        )
        return Input(rows=rows, size=size, repairs=repairs, read=read, doubts=table.doubts)


def _measured(rows: pl.LazyFrame, types: pl.Schema) -> tuple[int, int]:
    """How many rows there are, and about how many bytes; texts are not looked at where there are too many without."""
    height = int(rows.select(pl.len()).collect(engine="streaming").item())
    size = 8 * height * len(types)
    texts = [pl.col(name).str.len_bytes().sum() for name, kind in types.items() if kind == pl.String]
    if texts and is_small(size):
        size += sum(rows.select(texts).collect(engine="streaming").row(0))
    return height, size


@contextmanager
def blamed(sources: str) -> Iterator[None]:
    """Where rows of sources are read: what the engine cannot read is told as a fault of theirs."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError(
            f"The rows of {sources} cannot be read: {str(error).splitlines()[0]}.",
            remedy="look whether what they come from is whole",
        ) from error
