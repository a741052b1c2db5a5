"""Reads a schema off a table: types, roles, the task that the target sets, and what values there are."""

from collections.abc import Mapping

import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.core.settings import Task
from heptad.data.columns.column_types import stored_type
from heptad.data.columns.keys import ROW
from heptad.data.expectations.settings import ColumnExpectation
from heptad.data.records import Column, Role, Schema
from heptad.data.settings import ColumnType, DataSettings

LABEL_TIME = "_label_time"
"""When a row's label became known, where the settings name no column: its time and `label_delay`."""
CATEGORIES = 1000
"""The most values of a category that a schema lists, by frequency."""
CLASSES = 100
"""The most classes a target may have."""
PROSE_WORDS = 3.0
PROSE_LENGTH = 50.0
"""Text is prose, to be read word by word, from this many words or characters on average."""
PROSE_DISTINCT = 0.2
"""And where at least this share of it is different."""


def infer_task(target: pl.Series, given: Task | None = None) -> Task:
    """What a target asks for: classes (text, booleans, two numbers, codes counted from 0 or 1) or a number.

    Raises `DataError` for a target that nothing can be learnt of: empty, constant, times, a different text in
    every row.
    """
    present = target.drop_nulls()
    if present.is_empty():
        raise DataError(
            f"The target {target.name!r} is empty in all {len(target):,} rows.",
            allowed="a column with values",
            remedy="look at the values that are read as missing: [sources.NAME] nulls",
        )
    different = present.n_unique()
    if different == 1:
        raise DataError(
            f"The target {target.name!r} is {present[0]!r} in all {len(present):,} rows: there is nothing to learn.",
            allowed="at least two different values",
        )
    if present.dtype.is_temporal():
        raise DataError(f"The target {target.name!r} holds times.", allowed="classes, or numbers to predict")
    task = given or _likely_task(present, different)
    if task == "classification" and different > CLASSES:
        raise DataError(
            f"The target {target.name!r} has {different:,} different values in {len(present):,} rows.",
            allowed=f'at most {CLASSES} classes, or numbers with task = "regression"',
        )
    if task == "regression" and not present.dtype.is_numeric():
        raise DataError(f"The target {target.name!r} holds {present.dtype}, such as {present[0]!r}.", allowed="numbers")
    return task


def _likely_task(present: pl.Series, different: int) -> Task:
    if not present.dtype.is_numeric() or different == 2:
        return "classification"
    low, high = float(present.min() or 0), float(present.max() or 0)  # type: ignore[arg-type] # a numeric column
    codes = low in {0.0, 1.0} and high - low + 1 == different and different <= 20 and (present == present.round()).all()
    return "classification" if codes else "regression"


def infer_schema(
    frame: pl.DataFrame,
    settings: DataSettings,
    expected: Mapping[str, ColumnExpectation] | None = None,
    *,
    left_out: Mapping[str, str] | None = None,
    reference: Schema | None = None,
    task: Task | None = None,
) -> Schema:
    """The schema of a frame in stored types.

    Types and roles of columns that the `reference` has are taken from it, since they bind, and columns that it lacks
    are ignored; otherwise types are the settings', or inferred, and columns in `left_out` (name to reason) are
    ignored. Raises `DataError` for a column that the settings name and the frame lacks, and for an unusable target.
    """
    check_columns(frame, settings)
    known = {column.name: column for column in reference.columns} if reference else {}
    task = infer_task(frame[settings.target], settings.task or task or (reference.task if reference else None))
    roles = _roles(frame, settings, left_out or {})
    columns = []
    for values in frame:
        before, role = known.get(values.name), roles[values.name]
        if reference is not None and role in {"feature", "ignored"} and values.name not in settings.ignore:
            role = before.role if before is not None else "ignored"
        kind = settings.types.get(values.name) or (before.type if before else infer_type(values))
        if role == "target":
            kind = "category" if task == "classification" else "number"
        columns.append(_column(values, kind, role, (expected or {}).get(values.name)))
    if all(column.role != "feature" for column in columns):
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in (left_out or {}).items())
        raise DataError(
            f"No column is left to learn {settings.target!r} from.{reasons}", allowed="at least one feature"
        )
    classes = frame[settings.target].drop_nulls().cast(pl.String).unique().sort().to_list()
    return Schema(columns=columns, task=task, classes=classes if task == "classification" else [])


def check_columns(frame: pl.DataFrame, settings: DataSettings, *, features: bool = True) -> None:
    """Raises `DataError` for the first column that the settings name and the frame does not have.

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
    for setting, names in named.items():
        for name in names:
            if name and name not in frame.columns:
                raise DataError(
                    f"There is no column {name!r}, which [data] {setting} names.",
                    allowed=nearest(name, frame.columns, most=30),
                )


def infer_type(values: pl.Series) -> ColumnType:
    """The type of a column in a stored dtype; text is told from categories by how it reads."""
    only = stored_type(values.dtype)
    if only is not None:
        return only
    return "text" if is_prose(values) else "category"


def is_prose(texts: pl.Series) -> bool:
    """Whether texts are sentences rather than names: several words or long, and mostly different."""
    sample = texts.drop_nulls().head(10_000)
    if len(sample) < 2 or sample.n_unique() < PROSE_DISTINCT * len(sample):
        return False
    words = float(sample.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type] # counts
    length = float(sample.str.len_chars().mean() or 0)  # type: ignore[arg-type] # counts
    return words >= PROSE_WORDS or (length >= PROSE_LENGTH and words >= PROSE_WORDS / 2)


def _roles(frame: pl.DataFrame, settings: DataSettings, left_out: Mapping[str, str]) -> dict[str, Role]:
    roles: dict[str, Role] = dict.fromkeys(frame.columns, "feature")
    roles |= dict.fromkeys([*left_out, *settings.ignore], "ignored")
    roles |= {name: "key" for name in settings.key or [ROW] if name in roles}
    roles |= {name: "label_time" for name in (settings.label_time, LABEL_TIME) if name in roles}
    if settings.time:
        roles[settings.time] = "time"
    roles[settings.target] = "target"
    return roles


def _column(values: pl.Series, kind: ColumnType, role: Role, expected: ColumnExpectation | None) -> Column:
    closed = bool(expected and expected.allowed)
    categories = None
    if closed and expected:
        categories = expected.allowed
    elif kind == "category" and role in {"feature", "target"}:
        counted = values.drop_nulls().value_counts(name="n").sort(["n", values.name], descending=[True, False])
        categories = counted[values.name].head(CATEGORIES).cast(pl.String).to_list()
    numeric = values.dtype.is_numeric() and values.count()
    promised = role in {"key", "time"} or (expected is not None and expected.missing == 0)
    return Column(
        name=values.name,
        type=kind,
        role=role,
        nullable=not promised,
        unique=role == "key" or bool(expected and expected.unique),
        closed=closed,
        categories=categories,
        min=float(values.min()) if numeric else None,  # type: ignore[arg-type] # a numeric column
        max=float(values.max()) if numeric else None,  # type: ignore[arg-type] # a numeric column
    )
