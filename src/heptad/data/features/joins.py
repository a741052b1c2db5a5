"""Joins values of other sources to rows as they were known at each row's time, never from its future."""

from collections.abc import Collection
from datetime import timedelta

import polars as pl

from heptad.core.errors import DataError, SettingsError, nearest
from heptad.core.settings import duration
from heptad.data.features.settings import FeatureSettings

_KNOWN = "\0known"
_AT = "\0at"
_PLACE = "\0place"
_TIME = "\0time"


def added_names(present: Collection[str], name: str, feature: FeatureSettings) -> dict[str, str]:
    """The source's columns and their names in the table: `NAME_column` where the table has one of that name."""
    return {column: f"{name}_{column}" if column in present else column for column in feature.columns}


def join_feature(
    rows: pl.DataFrame, values: pl.DataFrame, name: str, feature: FeatureSettings, *, time: str, value_time: str
) -> pl.DataFrame:
    """The rows in their order, with the feature's columns added; null where nothing was known.

    With `value_time`, a row gets the newest value of its group (`on`) whose time plus `lag` is not later than
    the row's `time`, and whose time is at most `ttl` before it; of values of one time the last one read. Without, it
    is a plain lookup, and the group must be unique in `values`. Null in a group matches nothing.
    """
    _check(rows, values, name, feature, time=time, value_time=value_time)
    names = added_names(rows.columns, name, feature)
    keys = feature.on
    kept = values.select(
        *keys,
        *(pl.col(old).alias(new) for old, new in names.items()),
        *([pl.col(value_time).alias(_AT)] if value_time else []),
    )
    kept = kept.with_columns(_same_kind(rows, kept, key) for key in keys)
    at = [pl.col(time).alias(_TIME)] if value_time else []
    left = rows.select(*(_same_kind(kept, rows, key) for key in keys), *at)
    joined = _as_of(left, kept, feature) if value_time else _look_up(left, kept, name, keys)
    return rows.hstack(joined.select(names.values()))


def _look_up(rows: pl.DataFrame, values: pl.DataFrame, name: str, keys: list[str]) -> pl.DataFrame:
    repeated = values.drop_nulls(keys).filter(pl.struct(keys).is_duplicated())
    if len(repeated):
        shown = ", ".join(f"{key} {repeated[key][0]!r}" for key in keys)
        raise DataError(
            f"[features.{name}] looks up by {', '.join(keys)}, which is not unique in its source: {shown}.",
            allowed="one row for each value",
            remedy="add columns to `on`, or give the source a `time`, so that the newest value counts",
        )
    return rows.join(values, on=keys, how="left", maintain_order="left")


def _as_of(rows: pl.DataFrame, values: pl.DataFrame, feature: FeatureSettings) -> pl.DataFrame:
    known = values.drop_nulls([_AT, *feature.on]).with_columns((pl.col(_AT) + duration(feature.lag)).alias(_KNOWN))
    in_order = rows[_TIME].is_sorted()
    left = rows if in_order else rows.with_row_index(_PLACE).sort(_TIME)
    joined = left.join_asof(
        known.sort(_KNOWN, maintain_order=True),
        left_on=_TIME,
        right_on=_KNOWN,
        by=feature.on or None,
        strategy="backward",
        # Both sides are sorted just above; with groups polars could not tell.
        check_sortedness=False,
    )
    joined = joined if in_order else joined.sort(_PLACE)
    if not feature.ttl:
        return joined
    fresh = pl.col(_TIME) - pl.col(_AT) <= duration(feature.ttl)
    added = [column for column in known.columns if column not in {*feature.on, _KNOWN, _AT}]
    return joined.with_columns(pl.when(fresh).then(pl.col(column)).alias(column) for column in added)


def _same_kind(other: pl.DataFrame, frame: pl.DataFrame, key: str) -> pl.Expr:
    """The key of `frame` in a type that compares with the one of `other`: text where they differ."""
    return pl.col(key) if other.schema[key] == frame.schema[key] else pl.col(key).cast(pl.String)


def _check(
    rows: pl.DataFrame, values: pl.DataFrame, name: str, feature: FeatureSettings, *, time: str, value_time: str
) -> None:
    for column in feature.on:
        if column not in rows.columns:
            raise DataError(
                f"There is no column {column!r} in the table, which [features.{name}] on names.",
                allowed=nearest(column, rows.columns),
            )
    for column in (*feature.on, *feature.columns):
        if column not in values.columns:
            raise DataError(
                f"There is no column {column!r} in the source {feature.source!r}, which [features.{name}] names.",
                allowed=nearest(column, values.columns),
            )
    if value_time and not time:
        raise SettingsError(
            f"[features.{name}] joins values of a time, but the table has none.",
            allowed="[data] time, the column that says when a row happened",
        )
    if not value_time and not feature.on:
        raise SettingsError(
            f"[features.{name}] looks up a source without time, and says by which columns nowhere.",
            allowed="on, the columns that both have",
        )
    if not value_time and (feature.ttl or duration(feature.lag) > timedelta()):
        raise SettingsError(
            f"[features.{name}] has ttl or lag, but its source has no time.",
            allowed=f"[sources.{feature.source}] time, or neither of the two",
        )
