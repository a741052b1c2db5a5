"""Reads corrections from a CSV file and holds them against the version that they are about."""

from pathlib import Path
from typing import NamedTuple

import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.columns.column_types import STORED
from heptad.data.columns.keys import ROW, key_text
from heptad.data.corrections.applying import text_of
from heptad.data.records import Column, DatasetVersion, Schema
from heptad.data.settings import ColumnType
from heptad.data.sources.sheets import cells_at, check_once, sheet_lines

COLUMNS = ("column", "value", "reason")
SHOWN = 3
"""Lines that an error names."""
CELLS = pl.Schema(dict.fromkeys(("id", "column", "was", "value", "reason"), pl.String()))
_KEY = "\0"
"""What names of columns begin with that hold keys: a table may have columns called `id`, `line` or `was`."""
_CORRECTABLE = {"feature", "target", "ignored"}
_ALLOWED: dict[ColumnType, str] = {
    "number": "a finite number such as 12.5 or 12,5; of 1,234 write 1.234 or 1234, whichever is meant",
    "integer": "a whole number of at most 64 bits, such as 12",
    "boolean": "true or false",
    "datetime": "a time such as 2024-05-31T14:30:00, in UTC where it names no zone",
}

_DECIMAL_COMMA = r"^[+-]?(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|(?:0|[0-9]{4,}),[0-9]{3})$"
"""A comma that cannot stand between thousands."""


class ReadCells(NamedTuple):
    """`cells` has the columns of `CELLS`; `unchanged` lines say what the version says, `left_open` say nothing."""

    cells: pl.DataFrame
    unchanged: int
    left_open: int


def read_corrections(
    path: Path,
    body: DatasetVersion,
    rows: pl.LazyFrame,
    in_force: pl.DataFrame,
    *,
    reason: str = "",
    new_classes: bool = False,
) -> ReadCells:
    """The cells that a file corrects, each with what the version has there.

    A line names a row by the columns of the key, a `column`, its right `value` and the `reason`; more columns may stand
    beside them and are not read. A line without a value is left open. `reason` stands in where a line gives none.
    Raises `DataError` with the lines at fault: such as are cut short, unknown rows and columns, values that the column
    cannot hold, two values for one cell, a missing reason, or a class that nobody has seen without `new_classes`.
    `in_force` are the corrections that there are: one that the version does not have yet may be taken back.
    """
    schema, key = body.schema, body.schema.named("key")
    if key == [ROW]:
        raise DataError(
            f"{body.name} has no key, so a correction would be of another row when rows come or go.",
            remedy='name the columns that tell rows apart in [data] key, for example key = ["id"]',
        )
    given = _read(path, key)
    decided = given.filter(pl.col("value").is_not_null())
    left_open = len(given) - len(decided)
    decided = decided.with_columns(pl.coalesce("reason", pl.lit(reason or None, pl.String)).alias("reason"))
    _refuse_columns(decided, schema, path)
    _refuse(decided.filter(pl.col("reason").is_null()), "gives no reason", path, remedy="fill in reason, or --reason")
    decided = _as_ids(decided, schema)
    found = _with_cells(decided, rows, key)
    _refuse(
        found.filter(~pl.col("there")),
        "names no row of the version",
        path,
        said="named",
        allowed="keys as the version has them, with zeros in front and without .0 behind whole numbers",
    )
    found = pl.concat([_typed(part, schema, path, new_classes) for part in found.partition_by("column")] or [found])
    found = found.sort("line").unique(["id", "column", "value"], keep="first", maintain_order=True)
    _refuse(found.filter(pl.struct("id", "column").is_duplicated()), "gives another value for the same cell", path)
    # What the version says is news where a correction that it does not have yet would change it.
    pending = found.join(in_force, on=["id", "column", "was"], how="semi", nulls_equal=True)["line"]
    changed = found.filter(pl.col("was").ne_missing(pl.col("value")) | pl.col("line").is_in(pending.implode()))
    return ReadCells(changed.select(CELLS.names()), len(found) - len(changed), left_open)


def _read(path: Path, key: list[str]) -> pl.DataFrame:
    """The lines as texts, a cell that is empty or blank as null, whether it is quoted or not."""
    needed = (*key, "column", "value")
    lines = sheet_lines(path, set(needed).issubset)
    names = next(lines, (1, None))[1]
    if names is None:
        raise DataError(f"{path} is empty.", allowed=f"a CSV with the columns {', '.join((*key, *COLUMNS))}")
    for name in needed:
        if name not in names:
            raise DataError(
                f"{path} has no column {name!r}.",
                allowed=f"the columns {', '.join((*key, *COLUMNS))}, and any beside them, "
                "separated by commas, semicolons or tabs",
            )
    # Where all that must be there is, `reason ` may still have a blank, and `value ` be a second `value`.
    names = [name if name in key else name.strip() for name in names]
    check_once((*needed, "reason"), names, path)
    places = [names.index(name) for name in (*needed, "reason") if name in names]
    cells = [
        (number, *(text if text.strip() else None for text in cells_at(places, cells, len(names), path, number)))
        for number, cells in lines
    ]
    own = ["line", *(f"{_KEY}{name}" for name in key), *(name for name in COLUMNS if name in names)]
    table = pl.DataFrame(cells, schema={name: pl.Int64 if name == "line" else pl.String for name in own}, orient="row")
    return table if "reason" in names else table.with_columns(pl.lit(None, pl.String).alias("reason"))


def _as_ids(given: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Rows by the text of their key, as versions have it: `007` is the integer 7 where the key holds integers.

    `named` is what the file says of the key, to be shown.
    """
    columns = {f"{_KEY}{one.name}": one for one in schema.columns if one.role == "key"}
    own = [f"{_KEY}{name}" for name in schema.named("key")]
    named = [pl.lit(f"{columns[name].name}=") + pl.col(name).fill_null("") for name in own]
    given = given.with_columns(pl.concat_str(named, separator=", ").alias("named"))
    typed = [as_stored(given[name], columns[name]).alias(name) for name in own]
    return given.with_columns(typed).with_columns(key_text(own).alias("id")).drop(own)


def _refuse_columns(given: pl.DataFrame, schema: Schema, path: Path) -> None:
    known = [one.name for one in schema.columns if one.role in _CORRECTABLE]
    wrong = given.filter(~pl.col("column").is_in(known).fill_null(value=False))
    if len(wrong):
        name = wrong["column"][0]
        is_key = name in {one.name for one in schema.columns}
        raise DataError(
            f"{path}, line {wrong['line'][0]}: {name!r} "
            + ("names rows or times, which cannot be corrected." if is_key else "is no column of the version."),
            allowed=nearest(name or "", known),
        )


def _refuse(wrong: pl.DataFrame, what: str, path: Path, *, said: str = "", remedy: str = "", allowed: str = "") -> None:
    """Raise `DataError` where lines are wrong, with what the first of them have in the column `said`."""
    if len(wrong):
        first = wrong.head(SHOWN)
        lines = ", ".join(str(one) for one in first["line"])
        more = f", and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
        texts = ": " + ", ".join(map(repr, first[said])) if said else ""
        raise DataError(f"{path}, line {lines}{more}: {what}{texts}.", allowed=allowed, remedy=remedy)


def _with_cells(given: pl.DataFrame, rows: pl.LazyFrame, key: list[str]) -> pl.DataFrame:
    """What the version has in each cell, as text, and whether the row is there at all."""
    columns, types = given["column"].unique().to_list(), rows.collect_schema()
    wanted = given.select(pl.col("id").unique())
    there = (
        rows.select(key_text(key).alias(_KEY), *(text_of(pl.col(name), types[name]) for name in columns))
        .join(wanted.lazy(), left_on=_KEY, right_on="id", how="semi")
        .collect(engine="streaming")
    )
    empty = pl.DataFrame(schema={"id": pl.String, "column": pl.String, "was": pl.String, "there": pl.Boolean})
    cells = pl.concat(
        [
            empty,
            *(
                there.select(id=_KEY, column=pl.lit(name), was=pl.col(name), there=pl.lit(value=True))
                for name in columns
            ),
        ]
    )
    return given.join(cells, on=["id", "column"], how="left", maintain_order="left").with_columns(
        pl.col("there").fill_null(value=False)
    )


def _typed(part: pl.DataFrame, schema: Schema, path: Path, new_classes: bool) -> pl.DataFrame:
    """The right values of one column, written as its type writes them; raises for those that it cannot hold."""
    column = next(one for one in schema.columns if one.name == part["column"][0])
    stored = as_stored(part["value"], column)
    read = part.with_columns(stored.alias("read")).with_columns(text_of(pl.col("read"), stored.dtype))
    _refuse(
        read.filter(pl.col("read").is_null()),
        f"the value is no {column.type} that {column.name} could hold",
        path,
        said="value",
        allowed=_ALLOWED.get(column.type, ""),
    )
    if column.name == schema.target and schema.classes and not new_classes:
        unknown = read.filter(~pl.col("read").is_in(schema.classes))
        _refuse(
            unknown,
            f"{column.name} has no class {unknown['read'][0]!r}" if len(unknown) else "",
            path,
            allowed=nearest(unknown["read"][0], schema.classes) if len(unknown) else "",
            remedy="--new-classes, where it is a class that nobody has seen yet",
        )
    return read.with_columns(pl.col("read").alias("value")).drop("read")


def as_stored(texts: pl.Series, column: Column) -> pl.Series:
    """Texts as values of a column; null where one cannot be read, and for numbers that are not finite.

    Blanks around a text are part of it, those around other values are not. A comma is for decimals where it cannot
    stand between thousands.
    """
    kind = STORED[column.type]
    if kind == pl.String:
        return texts
    texts = texts.str.strip_chars()
    if kind == pl.Boolean:
        return texts.str.to_lowercase().replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    if kind.is_temporal():
        return texts.str.to_datetime(time_zone="UTC", time_unit="us", strict=False)
    if kind.is_float():
        pointed = texts.str.replace(",", ".", literal=True)
        texts = texts.zip_with(~texts.str.contains(_DECIMAL_COMMA).fill_null(value=False), pointed)
    values = texts.cast(kind, strict=False)
    # No record can hold the range of a column with such a value, so that no version could be made any more.
    return values.set(~values.is_finite(), None) if kind.is_float() else values
