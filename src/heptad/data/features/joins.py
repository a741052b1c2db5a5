"""Joins values of other sources to rows as they were known at each row's time, never from its future."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError, SettingsError, nearest
from heptad.core.memory import budget
from heptad.data.features.encodings import Encodings
from heptad.data.features.functions import EVENT, KNOWN
from heptad.data.features.revisions import states
from heptad.data.features.settings import FeatureSettings
from heptad.data.features.timelines import Timeline, gathered
from heptad.data.features.views import View
from heptad.data.parts import BATCH, PARTS, Parts, Scratch, gather

_VALUE = 16
"""Bytes that a value takes, about: numbers need half of it, short texts all of it."""
_ROW = "\0row"
_TIME = "\0time"


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a view's source, typed, and the column with their time (empty: a plain lookup)."""

    name: str
    settings: FeatureSettings
    rows: pl.LazyFrame
    time: str = ""


def added_names(present: Collection[str], name: str, feature: FeatureSettings) -> dict[str, str]:
    """The view's features and their names in the table: `NAME_feature` where the table has one of that name."""
    outputs = [*feature.columns, *feature.make]
    return {column: f"{name}_{column}" if column in present else column for column in outputs}


def join_features(
    rows: pl.LazyFrame,
    values: Sequence[Values],
    *,
    time: str,
    root: Path | None = None,
    memory: int = 0,
) -> pl.LazyFrame:
    """The rows in their order, with the features of each view behind them; null where nothing was known.

    A row gets the newest value of its entity (`on`) that was known at the row's `time`: of the events that were
    known by then the latest, and of values that are equal in this the last one read. A value older than `ttl` counts
    as missing. A source without time is a plain lookup, and must have one row for each entity. Null in a key matches
    nothing. Keys of different types are compared as text; whole numbers with others by their value, since a column of
    them that has a gap is often written as 1.0, 2.0.

    Nothing is read before the result is collected. What does not fit into `memory` bytes (0: what one operation may
    take of this machine) is parted on disk by keys; one part, a 64th, has to fit. Raises `SettingsError` and
    `DataError` for views that do not fit the rows.
    """
    joins: list[_Join] = []
    schema = dict(rows.collect_schema())
    own = list(schema)
    for one in values:
        view = View(one.name, one.settings, time=one.time, root=root)
        join = _Join(view, one.rows, added_names(schema, one.name, one.settings), schema, time)
        joins.append(join)
        schema |= join.schema
    if not joins:
        return rows
    joining = _Joining(rows, own, joins, time, memory or budget())
    return pl.io.plugins.register_io_source(joining.batches, schema=schema, is_pure=True, explain_name="features")


class _Join:
    """One view to be joined to rows with this schema."""

    def __init__(
        self, view: View, source: pl.LazyFrame, names: dict[str, str], rows: dict[str, pl.DataType], time: str
    ) -> None:
        self.view = view
        _check(view, rows, time)
        prepared = view.prepared(source)
        types = prepared.collect_schema()
        self.keys: list[pl.Expr] = []
        casts = []
        for column, key in zip(view.settings.on, view.keys, strict=True):
            asked, own = rows[column], types[key]
            alike, by_value = asked == own, _by_value(asked, own) or _by_value(own, asked)
            self.keys.append((pl.col(column) if alike else _common(column, asked, by_value)).alias(key))
            casts += [] if alike else [_common(key, own, by_value)]
        self.prepared = prepared.with_columns(casts).drop_nulls(view.keys) if casts else prepared
        self.names = names
        features = view.schema(self.prepared.collect_schema())
        self.schema = {names[feature]: kind for feature, kind in features.items()}

    @cached_property
    def encodings(self) -> Encodings | None:
        return Encodings(self.view, self.prepared) if self.view.scope == "all" else None

    def known(self, rows: pl.DataFrame) -> "_Known":
        """The index of prepared rows."""
        return _Known(self, rows)

    def asked(self, rows: pl.DataFrame, time: str) -> pl.DataFrame:
        """What is asked for each row: its entity, and its time where the view has one."""
        return rows.select(*self.keys, *([pl.col(time).alias(_TIME)] if self.view.time else []))


def _by_value(one: pl.DataType, other: pl.DataType) -> bool:
    return one.is_integer() and other.is_numeric()


def _common(column: str, kind: pl.DataType, by_value: bool) -> pl.Expr:
    """A key as it is compared with one of another type; null, which matches nothing, for a number that is not whole."""
    key = pl.col(column)
    if not by_value:
        return key.cast(pl.String)
    whole = key.cast(pl.Int64, strict=False)
    return pl.when(whole.cast(kind, strict=False) == key).then(whole).alias(column)


class _Known:
    """The values of one view, or of a part of it, found by entity and time."""

    def __init__(self, join: _Join, rows: pl.DataFrame) -> None:
        view = self._view = join.view
        if join.encodings is not None:
            rows = join.encodings.applied(rows)
        found = states(view, rows)
        self._values = found.select(pl.col(feature).alias(name) for feature, name in join.names.items())
        self._event = found[EVENT].to_physical().to_numpy() if view.time else None
        keys = found.select(view.keys)
        if view.time:
            self._timeline = Timeline(keys, found[KNOWN], found[EVENT] if view.is_revised else None)
        else:
            view.check_unique(found)
            self._timeline = Timeline(keys, _always(len(found)))

    def of(self, asked: pl.DataFrame) -> pl.DataFrame:
        """The features of each row."""
        times = asked[_TIME] if self._event is not None else _always(len(asked))
        places = self._timeline.find(asked.select(self._view.keys), times)
        if self._event is not None and self._view.ttl is not None and len(self._event):
            age = times.to_physical().fill_null(0).to_numpy() - self._event[places]
            places = np.where(age <= self._view.ttl / _MICROSECOND, places, -1)
        return gathered(self._values, places)


_MICROSECOND = timedelta(microseconds=1)


def _always(rows: int) -> pl.Series:
    return pl.zeros(rows, pl.Int64, eager=True)


class _Joining:
    """What is read, computed and given out when a joined table is collected."""

    def __init__(self, rows: pl.LazyFrame, own: list[str], joins: list[_Join], time: str, memory: int) -> None:
        self._rows, self._own, self._joins, self._time, self._memory = rows, own, joins, time, memory

    def batches(
        self, columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        """The joined rows in order, as polars asks a source for them."""
        wanted = (
            columns if columns is not None else [*self._own, *(name for join in self._joins for name in join.schema)]
        )
        joins = [join for join in self._joins if not set(wanted).isdisjoint(join.schema)]
        rows = self._rows.select(self._needed(wanted, joins))
        if limit is not None and predicate is None:
            rows = rows.head(limit)
        left = limit
        with Scratch() as scratch:
            for batch in self._joined(rows, joins, len(wanted), scratch):
                found = batch.select(wanted) if predicate is None else batch.filter(predicate).select(wanted)
                yield found if left is None else found.head(left)
                left = left if left is None else left - len(found)
                if left is not None and left <= 0:
                    return

    def _needed(self, wanted: Sequence[str], joins: Sequence[_Join]) -> list[str]:
        names = {*wanted, *(column for join in joins for column in join.view.settings.on)}
        names |= {self._time for join in joins if join.view.time}
        return [name for name in self._own if name in names]

    def _joined(
        self, rows: pl.LazyFrame, joins: Sequence[_Join], columns: int, scratch: Scratch
    ) -> Iterator[pl.DataFrame]:
        share = self._memory // (2 * max(1, len(joins)))
        held: dict[int, _Known] = {}
        parted: dict[int, Parts] = {}
        with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
            indices = {}
            for place, join in enumerate(joins):
                found = gather(join.prepared, join.view.keys, share, scratch)
                if isinstance(found, Parts):
                    parted[place] = found
                else:
                    indices[place] = pool.submit(join.known, found)
            held = {place: index.result() for place, index in indices.items()}
            chunks = self._chunks(rows, max(BATCH, self._memory // (4 * _VALUE * columns)))
            if parted:
                chunks = self._from_parts(chunks, [(joins[place], parts) for place, parts in parted.items()], scratch)
            for chunk in chunks:
                asked = [(index, joins[place].asked(chunk, self._time)) for place, index in held.items()]
                features = pool.map(lambda one: one[0].of(one[1]), asked)
                yield pl.concat([chunk, *features], how="horizontal") if asked else chunk

    def _chunks(self, rows: pl.LazyFrame, size: int) -> Iterator[pl.DataFrame]:
        """The rows, about `size` at once: an index is searched quicker by many."""
        held: list[pl.DataFrame] = []
        for batch in rows.collect_batches(chunk_size=BATCH, maintain_order=True, engine="streaming"):
            held.append(batch)
            if sum(map(len, held)) >= size:
                yield pl.concat(held).rechunk()
                held = []
        if held:
            yield pl.concat(held).rechunk()

    def _from_parts(
        self, chunks: Iterator[pl.DataFrame], parted: Sequence[tuple[_Join, Parts]], scratch: Scratch
    ) -> Iterator[pl.DataFrame]:
        """The chunks with the features of views that are on disk: what is asked is parted by key as they are."""
        folder, count = scratch.folder(), 0
        asked = [Parts(scratch.folder(), join.view.keys, self._memory // 8) for join, _ in parted]
        for count, chunk in enumerate(chunks, 1):
            chunk.write_ipc(folder / f"{count}.arrow")
            for (join, _), parts in zip(parted, asked, strict=True):
                numbers = pl.Series(_ROW, np.arange(len(chunk)) + (count << 32))
                parts.add(join.asked(chunk, self._time).with_columns(numbers))
        for number, ((join, values), parts) in enumerate(zip(parted, asked, strict=True)):
            for part in range(PARTS):
                self._answer_part(join, values.part(part), parts.part(part), folder, f"{number}-{part}")
        for place in range(1, count + 1):
            chunk = pl.read_ipc(folder / f"{place}.arrow")
            for number in range(len(parted)):
                answers = [pl.read_ipc(file) for file in folder.glob(f"{place}-{number}-*.arrow")]
                chunk = chunk.hstack(pl.concat(answers).sort(_ROW).drop(_ROW))
            yield chunk

    def _answer_part(
        self, join: _Join, values: pl.DataFrame | None, asked: pl.DataFrame | None, folder: Path, name: str
    ) -> None:
        if asked is None:
            return
        if values is None:
            values = pl.DataFrame(schema=join.prepared.collect_schema())
        found = join.known(values).of(asked).with_columns(asked[_ROW])
        for (chunk,), answers in found.group_by(pl.col(_ROW) // (1 << 32), maintain_order=True):
            answers.write_ipc(folder / f"{chunk}-{name}.arrow")


def _check(view: View, rows: Collection[str], time: str) -> None:
    for column in view.settings.on:
        if column not in rows:
            raise DataError(
                f"There is no column {column!r} in the table, which [features.{view.name}] on names.",
                allowed=nearest(column, list(rows)),
            )
    if view.time and not time:
        raise SettingsError(
            f"[features.{view.name}] joins values of a time, but the table has none.",
            allowed="[data] time, the column that says when a row happened",
        )
    if view.time and time not in rows:
        raise DataError(f"There is no column {time!r} in the table.", allowed=nearest(time, list(rows)))
