"""Does to the rows of a request what the rules of a version did to its table, with the same expressions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import polars as pl

from heptad.data.cleaning.aside import MARK, without_marks
from heptad.data.cleaning.kinds import read_as
from heptad.data.cleaning.rules import CellRepairs, Mark, rows_where
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.cleaning.singles.rules import RequestRules
from heptad.data.cleaning.singles.truths import as_moment
from heptad.data.columns.column_types import STORED
from heptad.data.columns.conditions import columns_of
from heptad.data.records import DatasetVersion

_CAME, _ROWS = f"{MARK}request ", f"{MARK}rows "


class RowRepair(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule did to a cell of a request, or would have done: `row` from 0; no column where it is about the row."""

    row: int
    rule: str
    column: str = ""
    value: str | None = None
    """The cell as it came."""
    done: Literal["applied", "warned"]


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a request that a rule does not let pass, and why."""

    row: int
    rule: str
    column: str = ""
    value: str | None = None
    reason: str


class CleanedRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that pass, repaired and in their order, what was done to them, and those that do not pass."""

    rows: pl.DataFrame
    repairs: list[RowRepair]
    refused: list[RefusedRow]


def clean_rows(version: DatasetVersion, rows: pl.DataFrame) -> CleanedRows:
    """Cleans rows as they come, columns of the table before it was cleaned, by the rules and statistics of a version.

    No row is set aside: where a rule of the table would, a request is answered with a warning and its value as it is,
    refused where the rule refuses, or as the rule's `request` says. Rules that compare rows (duplicates) do nothing.
    Rules of columns that the request lacks do nothing. Raises `DataError` for a column of a wrong type.
    """
    settings = _applicable(msgspec.convert(version.settings["clean"], CleanSettings), rows.columns)
    typed = rows.with_columns(_typed(version, rows.schema, settings))
    target = version.schema.target
    protected = [target] if version.schema.task == "classification" else []
    repairing = CellRepairs(typed.schema, settings, protected, version.fitted)
    cleaned = repairing.rows(typed.lazy().with_columns(pl.all().name.prefix(_CAME)))
    types = cleaned.collect_schema()
    about = {name: where.alias(f"{_ROWS}{name}") for name, where in rows_where(settings, types).items()}
    made = cleaned.with_columns(about.values()).collect()
    told = [*_cells(made, repairing.marks, settings), *_whole(made, settings)]
    refused = [one for one in told if isinstance(one, RefusedRow)]
    passes = ~pl.int_range(pl.len()).is_in([one.row for one in refused])
    kept = without_marks(made.lazy().with_columns(_settled(typed.schema, repairing.marks, settings)).filter(passes))
    return CleanedRows(
        rows=kept.collect(), repairs=[one for one in told if isinstance(one, RowRepair)], refused=refused
    )


def clean_requests(
    version: DatasetVersion, rules: RequestRules, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[dict[str, Any] | None, int]]:
    """Rows as clients would send them, cleaned as a table is: each as the model takes it, and how much is told of it.

    A row that is refused is `None`. What `singles` does is held to this.
    """
    types = {
        name: pl.String() if name in rules.columns and read_as(rules.columns[name]) else STORED[kind]
        for name, kind in rules.types.items()
        if rows and name in rows[0]
    }
    moments = [name for name, kind in types.items() if kind.is_temporal()]
    cells = [{**row, **{name: as_moment(row[name]) for name in moments}} for row in rows]
    found = clean_rows(version, pl.DataFrame(cells, schema=types))
    refused = {one.row for one in found.refused}
    told = Counter(one.row for one in found.repairs)
    inputs = [name for name in rules.inputs if name in found.rows.columns]
    cleaned = iter(found.rows.select(inputs).to_dicts())
    return [(None, 0) if place in refused else (next(cleaned), told[place]) for place in range(len(rows))]


def _applicable(settings: CleanSettings, names: list[str]) -> CleanSettings:
    """The rules whose columns are there, none that compares rows."""
    there = set(names)
    columns = {}
    for name, rule in settings.columns.items():
        if name in there:
            told_by = rule.told_by if there.issuperset(rule.told_by) else []
            fill_from = rule.fill_from if rule.fill_from in there else ""
            columns[name] = msgspec.structs.replace(rule, told_by=told_by, fill_from=fill_from)
    known = there | {f"{name}_outlier" for name in columns}
    rules = {name: rule for name, rule in settings.rows.items() if known.issuperset(columns_of(rule.where))}
    return CleanSettings(columns=columns, rows=rules)


def _typed(version: DatasetVersion, types: Mapping[str, pl.DataType], settings: CleanSettings) -> Iterator[pl.Expr]:
    """Columns without a value, and whole numbers where the table has others, in the type that the rules expect."""
    kept = {column.name: STORED[column.type] for column in version.schema.columns}
    for name, kind in types.items():
        if kind == pl.Null and name in kept:
            text = name in settings.columns and read_as(settings.columns[name])
            yield pl.col(name).cast(pl.String if text else kept[name])
        elif kind.is_integer() and kept.get(name) == pl.Float64:
            yield pl.col(name).cast(pl.Float64)


def _cells(made: pl.DataFrame, marks: list[Mark], settings: CleanSettings) -> Iterator[RowRepair | RefusedRow]:
    private = {mark.step.column for mark in marks if mark.step.hides}
    for mark in marks:
        step = mark.step
        request = settings.columns.get(step.column, CleanRule()).request
        if step.adds:
            continue
        does = request or ("apply" if mark.changed else "refuse" if step.refuses else "warn")
        found = made[mark.name].arg_true().to_list()
        for row in found:
            value = made[f"{_CAME}{step.column}"][row]
            shown = None if value is None or step.column in private else str(value)
            if does == "refuse":
                reason = f"{step.column} = {shown!r}: the rule {step.rule!r} of [clean.columns] does not let it pass"
                yield RefusedRow(row=row, rule=step.rule, column=step.column, value=shown, reason=reason)
            else:
                done: Literal["applied", "warned"] = "applied" if does == "apply" else "warned"
                yield RowRepair(row=row, rule=step.rule, column=step.column, value=shown, done=done)


def _whole(made: pl.DataFrame, settings: CleanSettings) -> Iterator[RowRepair | RefusedRow]:
    for name, rule in settings.rows.items():
        for row in made[f"{_ROWS}{name}"].arg_true().to_list():
            if rule.request == "refuse":
                reason = rule.reason or f"{rule.where}: the table has no such rows ([clean.rows.{name}])"
                yield RefusedRow(row=row, rule=f"rows {name}", reason=reason)
            else:
                yield RowRepair(row=row, rule=f"rows {name}", done="warned")


def _settled(types: Mapping[str, pl.DataType], marks: list[Mark], settings: CleanSettings) -> Iterator[pl.Expr]:
    """The values that were warned of as they came, and those that would go as missing where the rule applies."""
    wanted: dict[str, list[str]] = {}
    for mark in marks:
        if not mark.changed and not mark.step.adds and not mark.step.noted:
            wanted.setdefault(mark.step.column, []).append(mark.name)
    for name, rule in settings.columns.items():
        # A text that is read as a number has no other value to be than that number.
        if rule.request == "warn" and types[name] == (read_as(rule) or types[name]):
            yield pl.col(f"{_CAME}{name}").alias(name)
        elif rule.request == "apply" and name in wanted:
            yield pl.when(~pl.any_horizontal(wanted[name])).then(pl.col(name)).alias(name)
