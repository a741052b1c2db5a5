"""Tables as they are logged: frames of Polars and pandas, columns by name, rows; kept as Parquet or CSV."""

import io
from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from heptad.core.errors import InputError
from heptad.experiments.logged import with_ending

_ALLOWED = "a frame of Polars or pandas, columns by name, or rows"


def table_bytes(path: str, table: Any) -> tuple[str, bytes]:
    """The table as Parquet or CSV, and the path with that ending; raises `InputError` for what is no table."""
    path, form = with_ending(path, ("parquet", "csv"), "table")
    frame = _frame(table)
    stream = io.BytesIO()
    try:
        if form == "csv":
            frame.write_csv(stream)
        else:
            frame.write_parquet(stream)
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"The table cannot be kept as {form}: {str(error).splitlines()[0]}.",
            remedy="keep it as parquet" if form == "csv" else "turn its columns into numbers and text",
        ) from error
    return path, stream.getvalue()


def _frame(table: Any) -> pl.DataFrame:
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    if hasattr(table, "to_frame"):
        # A column by itself, of either library.
        return _frame(table.to_frame())
    if type(table).__module__.split(".")[0] == "pandas":
        return _of_pandas(table)
    try:
        return pl.DataFrame(table, strict=False, infer_schema_length=None)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"A {type(table).__name__} is no table: {error}.", allowed=_ALLOWED) from error


def _of_pandas(table: Any) -> pl.DataFrame:
    """By columns: Polars itself would ask for PyArrow here. An index that has a name is a column too."""
    if any(name is not None for name in getattr(getattr(table, "index", None), "names", ())):
        table = table.reset_index()
    names = [str(name) for name in table.columns]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"Several columns are called {twice[0]!r}.", remedy="rename them")
    return pl.DataFrame([_column(name, table.iloc[:, place]) for place, name in enumerate(names)])


def _column(name: str, column: Any) -> pl.Series:
    """Numbers as they are; else value by value, what is missing as null, and what fits together in no type as text."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return pl.Series(name, column.to_numpy())
    values = [
        None if missing else _value(one) for one, missing in zip(column.tolist(), column.isna().tolist(), strict=True)
    ]
    try:
        found = pl.Series(name, values, strict=False)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        found = pl.Series(name, values, dtype=pl.Object)
    return found if found.dtype != pl.Object else pl.Series(name, [one if one is None else str(one) for one in values])


def _value(one: Any) -> Any:
    """Moments and spans of pandas as Python's own."""
    for convert in ("to_pydatetime", "to_pytimedelta"):
        if hasattr(one, convert):
            return getattr(one, convert)()
    return one
