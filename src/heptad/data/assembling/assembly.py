"""From sources to the one table: the project's function, features as of each row's time, types, repairs, order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import DataError, SettingsError, nearest
from heptad.core.settings import ProjectSettings, Task, duration
from heptad.data.assembling.function import ProjectFunction
from heptad.data.cleaning.rules import repair_cells
from heptad.data.cleaning.settings import CleanSettings
from heptad.data.columns.column_types import Dates, as_moments, as_target, conform
from heptad.data.columns.keys import ROW
from heptad.data.columns.schema import LABEL_TIME, check_columns, infer_task
from heptad.data.features.joins import added_names, join_feature
from heptad.data.features.settings import FeatureSettings
from heptad.data.records import Repair, SourceRead
from heptad.data.settings import DataSettings
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.sniffing import check_names
from heptad.data.sources.source import Place, Source, SourceTable, open_source

_TEXTS = {"category", "text"}


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """Every row of the table in order, none set aside yet, in stored types; what was read and what was repaired."""

    frame: pl.DataFrame
    task: Task
    sources: list[SourceRead]
    repairs: list[Repair]


class Assembly:
    """Builds the table of one project. What sources held is kept in memory until their digests change."""

    def __init__(
        self,
        place: Place,
        project: ProjectSettings,
        sources: Mapping[str, SourceSettings],
        data: DataSettings,
        clean: CleanSettings,
        features: Mapping[str, FeatureSettings],
    ) -> None:
        self._settings = sources
        self._data = data
        self._clean = clean
        self._features = features
        self._function = ProjectFunction(place.root, data.function) if data.function else None
        self._sources: dict[str, Source] = {name: open_source(one, place) for name, one in sources.items()}
        self._style = Dates(timezone=project.timezone)
        self._read: dict[str, tuple[str, SourceTable, int]] = {}
        self._check_features()
        self._rows_from = "" if self._function else self._main_source()

    def fingerprint(self) -> dict[str, Any]:
        """What the rows depend on besides the sources: settings, and the digest of the function's file."""
        parts = {"data": self._data, "clean": self._clean, "sources": self._settings, "features": self._features}
        plain: dict[str, Any] = msgspec.to_builtins(parts)
        return plain | {"timezone": self._style.timezone, "function": self._function.digest() if self._function else ""}

    def watermark(self) -> dict[str, str]:
        """The digest of every source: with the same ones, the same rows come out."""
        return {name: source.digest() for name, source in sorted(self._sources.items())}

    def build(self, until: datetime | None = None, task: Task | None = None) -> Assembled:
        """The table of rows before `until`, from what sources held before it; all their labels, known by then or not.

        `task` decides how the target is kept; without it, it is inferred. Raises `DataError` and `SettingsError`
        for what cannot be used, `TaskError` where the project's function fails.
        """
        tables = {name: self._table(name) for name in self._sources}
        rows = {name: self._before(name, table.rows, until) for name, table in tables.items()}
        frame, repairs = conform(self._own_rows(rows), self._data.types, self._style)
        check_columns(frame, self._data, features=False)
        frame, found = self._in_order(frame, until)
        repairs += found
        frame, found = self._with_features(frame, rows)
        repairs += found
        check_columns(frame, self._data)
        _check_case(frame.columns)
        task = infer_task(frame[self._data.target], self._data.task or task)
        target, found = as_target(frame[self._data.target], task)
        repairs += found
        frame = frame.with_columns(target)
        frame, found = repair_cells(frame, self._clean, protected=() if task == "regression" else [target.name])
        read = [
            SourceRead(
                name=name,
                uri=self._settings[name].uri,
                rows=self._read[name][2],
                digest=self._read[name][0],
                understood=table.understood,
            )
            for name, table in tables.items()
        ]
        repairs = [*(repair for table in tables.values() for repair in table.repairs), *repairs, *found]
        return Assembled(frame=frame, task=task, sources=read, repairs=repairs)

    def _main_source(self) -> str:
        """The source that the rows come from: the one named, the only one, or the only one not used for features."""
        names = sorted(self._settings)
        if self._data.source:
            if self._data.source not in names:
                raise SettingsError(
                    f"[data] source = {self._data.source!r} names no source.", allowed=nearest(self._data.source, names)
                )
            return self._data.source
        looked_up = {feature.source for feature in self._features.values()}
        rest = names if len(names) == 1 else [name for name in names if name not in looked_up]
        if len(rest) != 1:
            raise SettingsError(
                f"Which source holds the rows? There are {len(names)}: {', '.join(names) or 'none'}.",
                allowed='[data] source = "NAME", or function = "module:function"',
            )
        return rest[0]

    def _check_features(self) -> None:
        for name, feature in self._features.items():
            if feature.source not in self._settings:
                raise SettingsError(
                    f"[features.{name}] source = {feature.source!r} names no source.",
                    allowed=nearest(feature.source, sorted(self._settings)),
                )

    def _table(self, name: str) -> SourceTable:
        """What a source holds now, its column of times read as times; read again only where its digest changed."""
        digest = self._sources[name].digest()
        if name not in self._read or self._read[name][0] != digest:
            # With a function, the types of its result do not speak of columns of sources that share a name.
            text = () if self._function else [one for one, kind in self._data.types.items() if kind in _TEXTS]
            table = self._sources[name].read(keep_text=text)
            time, rows = self._settings[name].time, table.rows.collect()
            if time:
                if time not in rows.columns:
                    raise DataError(
                        f"There is no column {time!r}, which [sources.{name}] time names.",
                        allowed=nearest(time, rows.columns, most=30),
                    )
                moments, found = as_moments(rows[time], self._style_of(name))
                table = msgspec.structs.replace(
                    table, rows=rows.with_columns(moments).lazy(), repairs=[*table.repairs, *found]
                )
            self._read[name] = digest, table, len(rows)
        return self._read[name][1]

    def _style_of(self, source: str) -> Dates:
        return msgspec.structs.replace(self._style, format=self._settings[source].dates)

    def _before(self, name: str, rows: pl.LazyFrame, until: datetime | None) -> pl.LazyFrame:
        time = self._settings[name].time
        return rows if until is None or not time else rows.filter(pl.col(time) < until)

    def _own_rows(self, rows: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
        frame = self._function(rows) if self._function else rows[self._rows_from].collect()
        check_names(frame.columns, "The table")
        if frame.is_empty():
            raise DataError(
                f"The table made of {', '.join(sorted(rows))} has no rows.",
                allowed="at least one row; with `until`, one before that moment",
            )
        return frame

    def _in_order(self, frame: pl.DataFrame, until: datetime | None) -> tuple[pl.DataFrame, list[Repair]]:
        """Rows by time and key (or as read), each with a key, and with the time its label became known."""
        data, order = self._data, list(self._data.key)
        repairs: list[Repair] = []
        if data.time:
            order.insert(0, data.time)
            moments, repairs = as_moments(
                frame[data.time], self._style if self._function else self._style_of(self._rows_from)
            )
            frame = frame.with_columns(moments)
            # Rows without a time stay, to be set aside and counted rather than lost here.
            frame = frame if until is None else frame.filter(pl.col(data.time).lt(until).fill_null(value=True))
            frame, found = self._with_label_time(frame)
            repairs = [*repairs, *found]
        if frame.is_empty():
            raise DataError(f"There are no rows before {until}.", allowed="a later moment")
        frame = frame.sort(order, nulls_last=True, maintain_order=True) if order else frame
        if data.key:
            return frame, repairs
        if ROW in frame.columns:
            raise DataError(f"The column {ROW!r} has the name that Heptad gives to row numbers.", remedy="rename it")
        return frame.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64)), repairs

    def _with_features(
        self, frame: pl.DataFrame, rows: Mapping[str, pl.LazyFrame]
    ) -> tuple[pl.DataFrame, list[Repair]]:
        own = set(frame.columns)
        repairs: list[Repair] = []
        for name, feature in self._features.items():
            values, found = self._repaired(rows[feature.source].collect(), added_names(frame.columns, name, feature))
            repairs += found
            value_time = self._settings[feature.source].time
            frame = join_feature(frame, values, name, feature, time=self._data.time, value_time=value_time)
        added = [name for name in frame.columns if name not in own]
        if not added:
            return frame, repairs
        joined, found = conform(frame.select(added), self._data.types, self._style)
        return frame.select(pl.exclude(added)).hstack(joined), [*repairs, *found]

    def _repaired(self, values: pl.DataFrame, names: Mapping[str, str]) -> tuple[pl.DataFrame, list[Repair]]:
        """A feature's source with the rules of `[clean.columns]` for what its columns are called in the table.

        They are applied here, so that a wrong value is counted once where it stands and not once a row that joins it.
        """
        rules = {
            old: self._clean.columns[new]
            for old, new in names.items()
            if new in self._clean.columns and old in values.columns
        }
        if not rules:
            return values, []
        repaired, repairs = repair_cells(values.select(list(rules)), CleanSettings(columns=rules))
        return values.with_columns(repaired), repairs

    def _with_label_time(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Repair]]:
        data = self._data
        if not data.label_time:
            return frame.with_columns((pl.col(data.time) + duration(data.label_delay)).alias(LABEL_TIME)), []
        moments, repairs = as_moments(frame[data.label_time], self._style)
        frame = frame.with_columns(moments)
        without = int(
            frame.select((pl.col(data.label_time).is_null() & pl.col(data.target).is_not_null()).sum()).item()
        )
        if without:
            # Null says never known, so a label beside it would be one that nobody could have had.
            frame = frame.with_columns(pl.when(pl.col(data.label_time).is_not_null()).then(pl.col(data.target)))
            repairs = [*repairs, Repair(rule="label_without_time", column=data.target, cells=without)]
        return frame, repairs


def _check_case(names: list[str]) -> None:
    """Delta tables, like most databases, do not tell `Id` from `id`."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise DataError(
                f"The columns {other!r} and {name!r} differ only in upper and lower case.",
                allowed="names that differ otherwise too",
                remedy="rename one in [data] function, or with [sources.NAME] columns and header = true",
            )
