"""Reads a schema off a table: types, roles, the task that the target sets, and what values there are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.core.settings import Task
from heptad.data.columns.column_types import stored_type
from heptad.data.columns.dialogues import Asking, Dialogue, Rows, converse
from heptad.data.columns.keys import ROW
from heptad.data.expectations.settings import ColumnExpectation, text_of
from heptad.data.passes import ask
from heptad.data.records import Column, Role, Schema
from heptad.data.settings import ColumnType, DataSettings

LABEL_TIME = "_label_time"
"""When a row's label became known, where the settings name no column: its time and `label_delay`."""
PROBABILITY = "_label_probability"
"""How probable a label of labelling functions is; null: the label was given, or there is none."""
OWN = frozenset({ROW, LABEL_TIME, PROBABILITY})
"""Columns of tables that nobody has named."""
COUNT = "\0n"
"""The column of how often a value comes, beside columns of any name."""
CATEGORIES = 1000
"""The most values of a category that a schema lists, by frequency."""
CLASSES = 100
"""The most classes a target may have."""
CODES = 20
"""The most whole numbers in a row that are taken for classes."""
PROSE_WORDS = 3.0
PROSE_LENGTH = 50.0
"""Text is prose, to be read word by word, from this many words or characters on average."""
PROSE_DISTINCT = 0.2
"""And where at least this share of it is different."""
PROSE_SAMPLE = 10_000


def named_columns(columns: Iterable[str]) -> list[str]:
    """The columns that somebody has named, for errors that offer some."""
    return [one for one in columns if one not in OWN]


def infer_task(rows: Rows, target: str, given: Task | None = None) -> Task:
    """What a target asks for: classes (text, booleans, two numbers, codes counted from 0 or 1) or a number.

    Raises `DataError` for a target that nothing can be learnt of: empty, constant, times, a different text in
    every row.
    """
    kind = rows.lazy().select(target).collect_schema()[target]
    return converse(rows, [_task(target, kind, given)])[0]


def _task(target: str, kind: pl.DataType, given: Task | None) -> Dialogue[Task]:
    values = pl.col(target)
    numeric = kind.is_numeric()
    told = yield Asking(
        {
            "rows": pl.len(),
            "count": values.count(),
            "low": values.min() if numeric else pl.lit(0),
            "high": values.max() if numeric else pl.lit(0),
            "whole": (values == values.round()).all() if numeric else pl.lit(value=False),
        },
        {"first": values.drop_nulls().head(1)},
    )
    seen = told.values
    first = next(iter(told.samples["first"]), None)
    low, high, whole = float(seen["low"] or 0), float(seen["high"] or 0), bool(seen["whole"])
    # Of numbers that may be any, it is enough to know whether there are two: counting millions takes memory.
    many = numeric and given != "classification" and (not whole or high - low > CLASSES)
    others = ((values != seen["low"]) & (values != seen["high"])).sum()
    told = yield Asking({"different": others if many else values.drop_nulls().n_unique()})
    different = told.values["different"] + (1 if low == high else 2) * many
    check_target(target, kind, rows=seen["rows"], count=seen["count"], different=different, first=first)
    codes = low in {0.0, 1.0} and high - low + 1 == different and different <= CODES and whole
    task: Task = given or ("classification" if not numeric or different == 2 or codes else "regression")
    if task == "classification" and different > CLASSES:
        raise DataError(
            f"The target {target!r} has {different:,} different values in {seen['count']:,} rows.",
            allowed=f'at most {CLASSES} classes, or numbers with task = "regression"',
        )
    if task == "regression" and not numeric:
        raise DataError(f"The target {target!r} holds {kind}, such as {first!r}.", allowed="numbers")
    return task


def check_target(target: str, kind: pl.DataType, *, rows: int, count: int, different: int, first: object) -> None:
    """Raises `DataError` for a target that nothing can be learnt of, whatever the task."""
    if not count:
        raise DataError(
            f"The target {target!r} is empty in all {rows:,} rows.",
            allowed="a column with values",
            remedy="look at the values that are read as missing: [sources.NAME] nulls",
        )
    if different == 1:
        raise DataError(
            f"The target {target!r} is {first!r} in all {count:,} rows: there is nothing to learn.",
            allowed="at least two different values",
        )
    if kind.is_temporal():
        raise DataError(f"The target {target!r} holds times.", allowed="classes, or numbers to predict")


def infer_schema(
    rows: Rows,
    settings: DataSettings,
    expected: Mapping[str, ColumnExpectation] | None = None,
    *,
    left_out: Mapping[str, str] | None = None,
    reference: Schema | None = None,
    task: Task | None = None,
) -> Schema:
    """The schema of rows in stored types.

    Types and roles of columns that the `reference` has are taken from it, since they bind, and columns that it lacks
    are ignored; otherwise types are the settings', or inferred, and columns in `left_out` (name to reason) are
    ignored. Raises `DataError` for a column that the settings name and the rows lack, and for an unusable target.
    """
    types = rows.lazy().collect_schema()
    check_columns(types.names(), settings)
    task = infer_task(rows, settings.target, settings.task or task or (reference.task if reference else None))
    kinds = infer_types(rows, settings, reference)
    reading = SchemaReading(types, kinds, task, settings, expected, left_out=left_out, reference=reference)
    schema: Schema = ask(rows.lazy(), reading)[0]
    return schema


def infer_types(rows: Rows, settings: DataSettings, reference: Schema | None = None) -> dict[str, ColumnType]:
    """The type of every column: the settings', the reference's, or what its values say."""
    types = rows.lazy().collect_schema()
    known: dict[str, ColumnType] = {column.name: column.type for column in reference.columns} if reference else {}
    known |= settings.types
    unknown = {name: kind for name, kind in types.items() if name not in known}
    read = converse(rows, [infer_type(name, kind) for name, kind in unknown.items()])
    found = dict(zip(unknown, read, strict=True)) | known
    return {name: found[name] for name in types}


class SchemaReading:
    """Asks for the schema of rows, given the type of each column (`kinds`) and the task."""

    def __init__(
        self,
        types: Mapping[str, pl.DataType],
        kinds: Mapping[str, ColumnType],
        task: Task,
        settings: DataSettings,
        expected: Mapping[str, ColumnExpectation] | None = None,
        *,
        left_out: Mapping[str, str] | None = None,
        reference: Schema | None = None,
    ) -> None:
        self._types = types
        self._task = task
        self._target = settings.target
        self._expected = expected or {}
        self._left_out = left_out or {}
        self._roles = _roles(types, settings, self._left_out)
        if reference is not None:
            before = {column.name: column.role for column in reference.columns}
            bound = [name for name, role in self._roles.items() if role in {"feature", "ignored"}]
            self._roles |= {name: before.get(name, "ignored") for name in bound if name not in settings.ignore}
        own: ColumnType = "category" if task == "classification" else "number"
        self._kinds: dict[str, ColumnType] = {**kinds, settings.target: own}
        self._counted = [name for name in types if self._is_counted(name)]

    def _is_counted(self, name: str) -> bool:
        closed = self._roles[name] == "feature" and name in self._expected and self._expected[name].allowed
        return not closed and self._kinds[name] == "category" and self._roles[name] in {"feature", "target"}

    def columns(self) -> list[Column]:
        """Name, type and role of every column, which are known before the rows are read."""
        return [Column(name=name, type=self._kinds[name], role=self._roles[name]) for name in self._types]

    def expressions(self) -> Sequence[pl.Expr]:
        numbers = [pl.col(name) for name, kind in self._types.items() if kind.is_numeric()]
        limits = [
            one for value in numbers for one in (value.min().name.prefix("min "), value.max().name.prefix("max "))
        ]
        return [pl.len().alias("rows"), pl.col(self._target).count().alias("count"), *limits]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        return [most_frequent(rows, name, CATEGORIES) for name in self._counted]

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> Schema:
        counted = {
            name: table[name].cast(pl.String).to_list() for name, table in zip(self._counted, tables, strict=True)
        }
        classes = sorted(counted.get(self._target, []))
        low, high = values.get(f"min {self._target}"), values.get(f"max {self._target}")
        check_target(
            self._target,
            self._types[self._target],
            rows=values["rows"],
            count=values["count"],
            different=(len(classes) or 2) if self._task == "classification" else 1 + (low != high),
            first=classes[0] if classes else low,
        )
        columns = [self._column(name, values, counted.get(name)) for name in self._types]
        if all(column.role != "feature" for column in columns):
            reasons = "".join(f"\n  {name}: {reason}" for name, reason in self._left_out.items())
            raise DataError(
                f"No column is left to learn {self._target!r} from.{reasons}", allowed="at least one feature"
            )
        return Schema(columns=columns, task=self._task, classes=classes)

    def _column(self, name: str, values: Mapping[str, Any], counted: list[str] | None) -> Column:
        expected, role = self._expected.get(name), self._roles[name]
        closed = bool(expected and expected.allowed)
        low, high = values.get(f"min {name}"), values.get(f"max {name}")
        promised = role in {"key", "time"} or (expected is not None and expected.missing == 0)
        return Column(
            name=name,
            type=self._kinds[name],
            role=role,
            nullable=not promised,
            unique=role == "key" or bool(expected and expected.unique),
            closed=closed,
            categories=[text_of(one) for one in expected.allowed] if closed and expected else counted,
            min=None if low is None else float(low),
            max=None if high is None else float(high),
        )


def most_frequent(rows: pl.LazyFrame, name: str, most: int) -> pl.LazyFrame:
    """The values of a column that come most often, and how often (`COUNT`); of equals the least first."""
    return value_counts(rows, name).sort([COUNT, name], descending=[True, False]).head(most)


def value_counts(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The values of a column that are there, each once, and how often it comes (`COUNT`)."""
    return rows.select(pl.col(name).drop_nulls()).group_by(name).agg(pl.len().alias(COUNT))


def check_columns(names: Collection[str], settings: DataSettings, *, features: bool = True) -> None:
    """Raises `DataError` for the first column that the settings name and a table with these names does not have.

    Without `features`, the columns that features add are not there yet, and those that may be one are not looked for.
    """
    named = {
        "target": [settings.target],
        "key": settings.key,
        "time": [settings.time],
        "label_time": [settings.label_time],
        "ignore": settings.ignore if features else [],
        "types": list(settings.types) if features else [],
    }
    for setting, wanted in named.items():
        for name in wanted:
            if name and name not in names:
                raise DataError(
                    f"There is no column {name!r}, which [data] {setting} names.",
                    allowed=nearest(name, list(names), most=30),
                )


def infer_type(name: str, kind: pl.DataType) -> Dialogue[ColumnType]:
    """The type of a column in a stored dtype; text is told from categories by how it reads."""
    only = stored_type(kind)
    if only is not None:
        return only
    told = yield Asking(samples={"texts": pl.col(name).drop_nulls().head(PROSE_SAMPLE)})
    return "text" if is_prose(told.samples["texts"]) else "category"


def is_prose(texts: pl.Series) -> bool:
    """Whether texts (no nulls) are sentences rather than names: several words or long, and mostly different."""
    if len(texts) < 2 or texts.n_unique() < PROSE_DISTINCT * len(texts):
        return False
    words = float(texts.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type] # counts
    length = float(texts.str.len_chars().mean() or 0)  # type: ignore[arg-type] # counts
    return words >= PROSE_WORDS or (length >= PROSE_LENGTH and words >= PROSE_WORDS / 2)


def _roles(names: Collection[str], settings: DataSettings, left_out: Mapping[str, str]) -> dict[str, Role]:
    roles: dict[str, Role] = dict.fromkeys(names, "feature")
    roles |= dict.fromkeys([*left_out, *settings.ignore], "ignored")
    roles |= {name: "ignored" for name in (PROBABILITY,) if name in roles}
    roles |= {name: "key" for name in settings.key or [ROW] if name in roles}
    roles |= {name: "label_time" for name in (settings.label_time, LABEL_TIME) if name in roles}
    if settings.time:
        roles[settings.time] = "time"
    roles[settings.target] = "target"
    return roles
