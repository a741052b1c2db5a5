"""A feature view, compiled: what it needs of its source, and how its features come of that, on both sides."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl

from heptad.core.errors import DataError, SettingsError, nearest
from heptad.core.settings import duration
from heptad.data.columns.column_types import STORED
from heptad.data.features.expressions import Step, compile_steps
from heptad.data.features.functions import EVENT, KNOWN, Reach, Scope
from heptad.data.features.settings import FeatureSettings

_MOMENT = pl.Datetime("us", "UTC")


class View:
    """One view, made of its settings; it reads nothing before it is given rows.

    Inside frames of a view keys and times have names (`keys`, `times`) that no column of a source can have.
    """

    def __init__(self, name: str, settings: FeatureSettings, *, time: str = "", root: Path | None = None) -> None:
        """`time` is the source's own; functions of the project are found below `root`. Raises `SettingsError`."""
        self.name = name
        self.settings = settings
        self.time = settings.time or time
        self.keys = key_names(len(settings.on))
        self.steps: Sequence[Step] = compile_steps(name, settings, root)
        self.ttl = duration(settings.ttl) if settings.ttl else None
        _check(name, settings, self.time, self.steps)
        self.outputs = [*settings.columns, *settings.make]
        self.scope = _widest(self.steps)
        self.reach = _farthest(self.steps, self.outputs)

    @property
    def times(self) -> list[str]:
        """The columns of times in frames of this view; none for a lookup."""
        return [EVENT, KNOWN] if self.time else []

    @property
    def is_revised(self) -> bool:
        """Whether rows may become known in another order than they happened."""
        return bool(self.settings.known)

    @property
    def looks_back(self) -> bool:
        """Whether a feature depends on earlier rows of its entity."""
        return any(step.scope == "history" for step in self.steps)

    def inputs(self) -> list[str]:
        """The columns of the source that features are made of."""
        made: set[str] = set()
        names: dict[str, None] = dict.fromkeys(self.settings.columns)
        for step in self.steps:
            names |= dict.fromkeys(name for name in step.reads if name not in made)
            made.add(step.name)
        return list(names)

    def prepared(self, source: pl.LazyFrame) -> pl.LazyFrame:
        """The rows of the source that can ever be known, with nothing but keys, times and what features are made of."""
        settings, schema = self.settings, source.collect_schema()
        for column in (*settings.on, *self.inputs(), *filter(None, (self.time, settings.known))):
            if column not in schema:
                raise DataError(
                    f"There is no column {column!r} in the source {settings.source!r}, "
                    f"which [features.{self.name}] names.",
                    allowed=nearest(column, schema.names()),
                )
        keys = [pl.col(column).alias(key) for column, key in zip(settings.on, self.keys, strict=True)]
        if not self.time:
            return source.select(*keys, *self.inputs()).drop_nulls(self.keys)
        for column in filter(None, (self.time, settings.known)):
            if schema[column] != _MOMENT:
                raise DataError(
                    f"The column {column!r} of the source {settings.source!r}, by which [features.{self.name}] joins, "
                    f"holds {schema[column]}.",
                    allowed="times",
                    remedy=f"[sources.{settings.source}] time names the column that is read as times",
                )
        event, known = pl.col(self.time).alias(EVENT), self.known_time().alias(KNOWN)
        return source.select(*keys, event, known, *self.inputs()).drop_nulls([*self.keys, *self.times])

    def known_time(self) -> pl.Expr:
        """From when on a row of the source may be used; null: never."""
        event, given = pl.col(self.time), pl.col(self.settings.known or self.time)
        # A forecast is known before it happens, but it is no fact before that.
        known = pl.max_horizontal(event, given) + duration(self.settings.lag)
        return pl.when(event.is_not_null() & given.is_not_null()).then(known)

    def computed(self, rows: pl.DataFrame, by: Sequence[str] | None = None) -> pl.DataFrame:
        """Keys, times and features of prepared rows, each from the rows before it in order of events.

        Rows are taken to be known in that order; `by` are the columns that tell histories apart, by default the keys.
        What depends on other entities (`encodings.py`) is a column of `rows` already. The result is in order of events
        where features look back, else in the order given.
        """
        groups = list(self.keys if by is None else by)
        plan = rows.lazy()
        if self.looks_back:
            plan = plan.sort(self.times, maintain_order=True)
        for step in self.steps:
            if step.expression is not None:
                looks_back = step.scope == "history" and groups
                made = step.expression.over(groups) if looks_back else step.expression
                plan = plan.with_columns(made.alias(step.name))
        extra = [name for name in groups if name not in self.keys]
        try:
            computed = plan.select(*self.keys, *extra, *self.times, *self.outputs).collect()
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"The features of [features.{self.name}] cannot be computed: {error}.",
                allowed="functions that fit the types of their columns",
                remedy=f"look at the types of the columns {', '.join(self.inputs())}",
            ) from error
        return computed.with_columns(
            _stored(computed[name]) for name in self.outputs if computed[name].dtype not in _KEPT
        )

    def check_unique(self, rows: pl.DataFrame) -> None:
        """Raises `DataError` where a lookup's prepared rows hold an entity twice."""
        repeated = rows.filter(pl.struct(self.keys).is_duplicated())
        if repeated.is_empty():
            return
        on = self.settings.on
        shown = ", ".join(f"{column} {repeated[key][0]!r}" for column, key in zip(on, self.keys, strict=True))
        raise DataError(
            f"[features.{self.name}] looks up by {', '.join(on)}, which is not unique in its source: {shown}.",
            allowed="one row for each value",
            remedy="add columns to `on`, or give the source a `time`, so that the newest value counts",
        )

    def schema(self, prepared: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
        """The type of each feature, given those of prepared rows."""
        empty = pl.DataFrame(schema=dict(prepared))
        empty = empty.with_columns(
            pl.lit(None, pl.Float64).alias(step.name) for step in self.steps if step.expression is None
        )
        computed = self.computed(empty).schema
        return {name: computed[name] for name in self.outputs}


_KEPT = {*STORED.values()}
"""What features are kept as; whole and floating numbers of other sizes are widened."""


def key_names(count: int) -> list[str]:
    """What the keys of an entity are called inside frames of views."""
    return [f"\0key{place}" for place in range(count)]


def _stored(values: pl.Series) -> pl.Series:
    kind = values.dtype
    if kind.is_integer():
        return values.cast(pl.Int64)
    if kind.is_float() or kind == pl.Null:
        return values.cast(pl.Float64)
    raise DataError(
        f"The feature {values.name!r} would hold {kind}.",
        allowed="numbers, text, booleans and times in UTC",
        remedy="turn it into one of those in the function that makes it",
    )


def _widest(steps: Sequence[Step]) -> Scope:
    scopes = {step.scope for step in steps}
    return "all" if "all" in scopes else "history" if "history" in scopes else "row"


def _farthest(steps: Sequence[Step], outputs: Sequence[str]) -> Reach:
    """How far back any of the features looks, itself or through those that it is made of."""
    reaches: dict[str, Reach] = {}
    for step in steps:
        below = [reaches[name] for name in step.reads if name in reaches]
        reaches[step.name] = step.reach + _most(below)
    return _most([reach for name, reach in reaches.items() if name in outputs])


def _most(reaches: Sequence[Reach]) -> Reach:
    return Reach(
        max((reach.window for reach in reaches), default=timedelta()),
        max((reach.rows for reach in reaches), default=0),
        all(reach.bounded for reach in reaches),
    )


def _check(name: str, settings: FeatureSettings, time: str, steps: Sequence[Step]) -> None:
    """What can be said of a view without its source."""
    if not settings.columns and not settings.make:
        raise SettingsError(f"[features.{name}] has no features.", allowed="columns, or features in `make`")
    if settings.stream and not all(step.reach.bounded for step in steps):
        endless = ", ".join(step.name for step in steps if not step.reach.bounded)
        raise SettingsError(
            f"[features.{name}] stream = true, but {endless} looks back without an end.",
            allowed="windows and lags, whose rows can be kept beside the features",
        )
    if settings.stream and not time:
        raise SettingsError(f"[features.{name}] stream = true, but its source has no time.")
    if time:
        return
    needing = [step.name for step in steps if step.scope != "row"]
    if needing:
        raise SettingsError(
            f"[features.{name}] {', '.join(needing)} looks at other rows, but its source has no time.",
            allowed=f"[sources.{settings.source}] time, or functions of one row",
        )
    if not settings.on:
        raise SettingsError(
            f"[features.{name}] looks up a source without time, and says by which columns nowhere.",
            allowed="on, the columns that both have",
        )
    if settings.ttl or settings.known or duration(settings.lag) > timedelta():
        raise SettingsError(
            f"[features.{name}] has ttl, lag or known, but its source has no time.",
            allowed=f"[sources.{settings.source}] time, or none of the three",
        )
