"""The labels of predictions: rows of a table with the time of the event and the time it became known."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from heptad.core.errors import DataError
from heptad.core.files import locked, make_folder
from heptad.core.settings import Task
from heptad.serving.delta_log import DeltaLog

COLUMNS = ("id", "value", "at", "known_at")
_TIME = pl.Datetime("us", "UTC")


class Labels:
    """One endpoint's labels. A label that is corrected comes again with a later `known_at`; the old one stays."""

    def __init__(self, table: Path, lock: Path) -> None:
        self._table = DeltaLog(table)
        self._lock = lock

    def add(self, labels: pl.DataFrame) -> int:
        """Add labels with the columns `COLUMNS`; answers how many were new.

        The same id known at the same time is the same label: adding it again changes nothing. Raises `DataError` for
        missing columns, nulls, times without a zone, and for a label that says something else than the one there.
        """
        given = _checked(labels)
        make_folder(self._lock.parent)
        with locked(self._lock):
            there, _ = self._table.read()
            if there is not None and not given.is_empty():
                since = given["known_at"].min()
                present = there.filter(pl.col("known_at") >= since).select("id", "known_at", there_value="value")
                given = given.join(present.collect(), on=["id", "known_at"], how="left")
                _refuse_contradictions(given)
                given = given.filter(pl.col("there_value").is_null()).select(COLUMNS)
            if not given.is_empty():
                self._table.append(given)
        return given.height

    def scan(
        self,
        task: Task,
        start: datetime | None = None,
        end: datetime | None = None,
        known_at: datetime | None = None,
        among: pl.LazyFrame | None = None,
    ) -> pl.LazyFrame:
        """One row an id, the newest that was known at `known_at`, of events in `[start, end)`; in no particular order.

        `value` is text for classification and a number for regression. `among` has a column `id` and limits the ids.
        """
        labels, _ = self._table.read()
        if labels is None:
            labels = pl.LazyFrame(schema=dict(zip(COLUMNS, (pl.String, pl.String, _TIME, _TIME), strict=True)))
        if known_at is not None:
            labels = labels.filter(pl.col("known_at") <= known_at)
        if among is not None:
            labels = labels.join(among.select("id"), on="id", how="semi")
        labels = labels.sort("known_at").unique("id", keep="last")
        if start is not None:
            labels = labels.filter(pl.col("at") >= start)
        if end is not None:
            labels = labels.filter(pl.col("at") < end)
        return labels if task == "classification" else labels.with_columns(pl.col("value").cast(pl.Float64))


def read_labels(path: Path, timezone: str) -> pl.DataFrame:
    """Labels out of a CSV or Parquet file; times are ISO 8601, those that name no zone are of `timezone`."""
    try:
        parquet = path.suffix.lower() == ".parquet"
        frame = pl.read_parquet(path) if parquet else pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"The labels in {path} cannot be read: {error}.", allowed="CSV or Parquet") from error
    _check_columns(frame)
    zone = ZoneInfo(timezone)
    return frame.with_columns(_moments(frame[name], zone) for name in ("at", "known_at"))


def _moments(times: pl.Series, zone: ZoneInfo) -> pl.Series:
    if times.dtype == pl.String:
        return pl.Series(times.name, [_moment(text, times.name, zone) for text in times], dtype=_TIME)
    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is None:
        return times.dt.replace_time_zone(zone.key).dt.convert_time_zone("UTC")
    return times


def _moment(text: str | None, column: str, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(
            f"{text!r} in column {column!r} is no time.", allowed="ISO 8601, for example 2013-04-01T06:30:00Z"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _checked(labels: pl.DataFrame) -> pl.DataFrame:
    _check_columns(labels)
    labels = labels.select(COLUMNS)
    for column in labels.get_columns():
        if column.null_count():
            raise DataError(
                f"{column.null_count():,} of {labels.height:,} labels have no {column.name!r}.",
                remedy="leave out what is not known yet, and add it when it is",
            )
    for name in ("at", "known_at"):
        kind = labels.schema[name]
        if not isinstance(kind, pl.Datetime) or kind.time_zone is None:
            raise DataError(f"Column {name!r} of the labels is {kind}.", allowed="times with a zone")
    labels = labels.with_columns(
        pl.col("id", "value").cast(pl.String), pl.col("at", "known_at").dt.convert_time_zone("UTC").cast(_TIME)
    ).unique(maintain_order=True)
    doubled = labels.filter(pl.struct("id", "known_at").is_duplicated())
    if not doubled.is_empty():
        raise DataError(f"Prediction {doubled['id'][0]!r} has two labels that became known at the same time.")
    return labels


def _check_columns(labels: pl.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in labels.columns]
    if missing:
        raise DataError(
            f"The labels have no column {missing[0]!r}.",
            allowed=f"the columns {', '.join(COLUMNS)}",
            remedy="id names the prediction, at the time of the event, known_at the time its outcome became known",
        )


def _refuse_contradictions(given: pl.DataFrame) -> None:
    other = given.filter(pl.col("there_value") != pl.col("value"))
    if not other.is_empty():
        row = other.row(0, named=True)
        raise DataError(
            f"The label of {row['id']!r} known at {row['known_at'].isoformat()} is {row['there_value']!r}, "
            f"and {row['value']!r} is given.",
            remedy="a corrected label carries the later time at which it became known",
        )
