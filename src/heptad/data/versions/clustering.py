"""Lays rows out by the values of several columns at once, so that a file and a group of its rows hold few of them."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heptad.core.errors import DataError, NotFoundError
from heptad.data.versions import tables
from heptad.data.versions.tables import bytes_of

RUN = 4
"""Files' worth of rows that are laid out together: more have narrower ranges, and take as much more memory."""
CLUSTERED_GROUPS = 32
"""Groups of rows in a file: each is left out by itself, so there are more of them than in a file in order."""
_BITS = 15
"""Of a column's place among the rows; four columns are woven into one whole number of 60 bits."""


def in_clusters(rows: pl.DataFrame, columns: Sequence[str], order: str) -> Iterator[pl.DataFrame]:
    """The rows as files, in runs: what is in one run comes before what is in the next by the column `order`.

    The files of one run share a span of the order, so whoever wants it has to hold a run: it is `RUN` files at most.
    """
    rows = rows if rows[order].is_sorted() else rows.sort(order)
    for run in rows.iter_slices(_piece(rows, -(-bytes_of(rows) // (RUN * tables.FILE_BYTES)))):
        along, size = along_curve(run, columns, order), _piece(run, bytes_of(run) // tables.FILE_BYTES)
        for start in range(0, run.height, size):
            yield run[along.slice(start, size)]


def along_curve(rows: pl.DataFrame, columns: Sequence[str], order: str) -> pl.Series:
    """Numbers of the rows as they lie on a Z-order curve through the columns, and by `order`, unique, where they meet.

    A column's coordinate is the share of rows that have less, not the value: a curve through values would spend itself
    on the few that are far out. Missing comes first. Idea: Morton, A Computer Oriented Geodetic Data Base (IBM, 1966).
    """
    curve = [pl.Series("\0curve", _woven(rows, columns))] if len(columns) > 1 else []
    # Values that share a coordinate, since they are rare, lie together too.
    keys = pl.DataFrame([*curve, *(rows[name] for name in (*columns, order))])
    return keys.select(pl.arg_sort_by(keys.columns)).to_series()


def _woven(rows: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.int64]:
    """The bits of the rows' coordinates in the columns, in turn from the highest."""
    woven = np.zeros(rows.height, np.int64)
    for number, name in enumerate(columns):
        # How many rows have a lesser value, and one: at most the number of rows.
        less = rows[name].rank("min").cast(pl.Int64).fill_null(0).to_numpy()
        place = (less << _BITS) // (rows.height + 1)
        for bit in range(_BITS):
            woven |= (place >> bit & 1) << (bit * len(columns) + len(columns) - 1 - number)
    return woven


def check_cluster(schema: pl.Schema, columns: Sequence[str], partition: Sequence[str]) -> None:
    """Raises `DataError` where a table with these partitions cannot be clustered by these columns."""
    for place, name in enumerate(columns):
        if name not in schema:
            raise NotFoundError("column", name, list(schema), remedy="Change [data] cluster in heptad.toml.")
        if name in partition:
            raise DataError(
                f"[data] cluster: {name!r} is in [data] partition too, so it has one value in each file already.",
                allowed="columns that the table is not partitioned by",
                remedy="take it out of one of the two",
            )
        if name in columns[:place]:
            raise DataError(f"[data] cluster: {name!r} is named twice.", allowed="each once", remedy="take one out")


def _piece(rows: pl.DataFrame, pieces: int) -> int:
    """Rows in each of about equal pieces; there is one at least."""
    return max(1, -(-rows.height // max(1, pieces)))
