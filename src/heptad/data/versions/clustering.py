"""Lays rows out by the values of several columns at once, so that a file and a group of its rows hold few of them."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heptad.core.errors import DataError, NotFoundError
from heptad.data.columns.schema import named_columns
from heptad.data.versions import tables
from heptad.data.versions.tables import bytes_of

RUN = 4
"""Files' worth of rows that are laid out together: more have narrower ranges, and take as much more memory."""
CLUSTERED_GROUPS = 32
"""Groups of rows in a file: each is left out by itself, so there are more of them than in a file in order."""
_WORD_BITS = 63
"""Of the numbers that coordinates are woven into: as many of these as it takes."""
_REPEATED = 8
"""A column has few texts where each of them comes so often."""


def in_clusters(rows: pl.DataFrame, columns: Sequence[str], order: str) -> Iterator[pl.DataFrame]:
    """The rows as files, in runs: what is in one run comes before what is in the next by the column `order`.

    The files of one run share a span of the order, so whoever wants it has to hold a run: it is `RUN` files at most.
    """
    rows = rows if rows[order].is_sorted() else rows.sort(order)
    for run in rows.iter_slices(_piece(rows, -(-bytes_of(rows) // (RUN * tables.FILE_BYTES)))):
        along, size = along_curve(run, columns), _piece(run, bytes_of(run) // tables.FILE_BYTES)
        # Rows are taken from all over: of many pieces that takes several times as long.
        whole = run.rechunk()
        for start in range(0, run.height, size):
            yield whole[along[start : start + size]]


def along_curve(rows: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.int64]:
    """Numbers of the rows as they lie on a Z-order curve through the columns, in their order where they meet.

    A column's coordinate is how many rows have less, not the value: a curve through values would spend itself on the
    few that are far out. Missing comes first. Idea: Morton, A Computer Oriented Geodetic Data Base (IBM, 1966).
    """
    coordinates, bits = [_coordinate(rows[name]) for name in columns], max(1, rows.height.bit_length())
    each = _WORD_BITS // len(columns)
    words = [_woven(coordinates, max(0, high - each), min(high, each)) for high in range(bits, 0, -each)]
    # Stable, and quicker than the engine where many are equal.
    return np.lexsort(words[::-1])


def _coordinate(values: pl.Series) -> NDArray[np.int64]:
    """How many rows have a lesser value, and one: at most the number of rows; 0 where it is missing."""
    if values.dtype == pl.String:
        texts = values.drop_nulls().unique()
        if len(texts) * _REPEATED <= len(values):
            # Comparing texts is dear, so each is compared once.
            values = values.cast(pl.Enum(texts.sort())).to_physical()
    return values.rank("min").cast(pl.Int64).fill_null(0).to_numpy()


def _woven(coordinates: Sequence[NDArray[np.int64]], low: int, bits: int) -> NDArray[np.int64]:
    """So many bits of each coordinate from the bit `low` on, in turn from the highest."""
    step, woven = len(coordinates), np.zeros(len(coordinates[0]), np.int64)
    byte = np.arange(256)
    spread = sum(((byte >> bit & 1) << bit * step for bit in range(8)), np.zeros(256, np.int64))
    for number, coordinate in enumerate(coordinates):
        part = coordinate >> low & ((1 << bits) - 1)
        for bit in range(0, bits, 8):
            woven |= spread[part >> bit & 255] << (bit * step + step - 1 - number)
    return woven


def check_cluster(schema: pl.Schema, columns: Sequence[str], partition: Sequence[str]) -> None:
    """Raises `DataError` where a table with these partitions cannot be clustered by these columns."""
    for place, name in enumerate(columns):
        if name not in schema:
            raise NotFoundError("column", name, named_columns(schema), remedy="Change [data] cluster in heptad.toml.")
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
