"""Digests of tables: equal rows in equal order have equal digests, whatever file or memory they came from."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from blake3 import blake3

from heptad.data.passes import ask

BLOCK = 20_000
"""Rows hashed together: two versions are compared by their blocks, without reading the older one."""
_LENGTH = 32
"""Hexadecimal digits of a block's digest."""


def block_digests(rows: pl.LazyFrame) -> list[str]:
    """One digest for each block of rows in stored types, names and types of the columns included."""
    digests: list[str] = ask(rows, BlockDigests(rows.collect_schema()))[0]
    return digests


def rows_digest(rows: pl.LazyFrame) -> str:
    """The digest of all rows, which are read once and not held."""
    digests = BlockDigests(rows.collect_schema())
    blocks: list[str] = ask(rows, digests)[0]
    return combined(blocks, digests.rows)


class BlockDigests:
    """Asks for the digest of each block of rows. To be asked once, of rows that come in order."""

    def __init__(self, types: Mapping[str, pl.DataType]) -> None:
        self._columns = list(types)
        self._head = "".join(f"{name}\0{kind}\0" for name, kind in types.items()).encode()
        self._digests: list[str] = []
        self._held: list[pl.DataFrame] = []
        self.rows = 0
        """How many rows there were."""

    def expressions(self) -> Sequence[pl.Expr]:
        return ()

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        return [rows.select(self._columns).sink_batches(self._take, chunk_size=BLOCK, lazy=True)]

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> list[str]:
        del values, tables
        rest = pl.concat(self._held) if self._held else None
        if rest is not None and len(rest):
            self._digests.append(self._digest(rest))
        return self._digests

    def _take(self, batch: pl.DataFrame) -> None:
        self.rows += len(batch)
        self._held.append(batch)
        if sum(map(len, self._held)) < BLOCK:
            return
        rows = pl.concat(self._held)
        whole = len(rows) // BLOCK * BLOCK
        self._digests += [self._digest(rows.slice(start, BLOCK)) for start in range(0, whole, BLOCK)]
        self._held = [rows.slice(whole)]

    def _digest(self, block: pl.DataFrame) -> str:
        total = blake3(self._head)
        for values in block:
            for part in _canonical(values):
                total.update(part)
        return total.hexdigest()[:_LENGTH]


def combined(blocks: Sequence[str], rows: int) -> str:
    """The digest of the frame that has these blocks."""
    return blake3(f"{rows} {' '.join(blocks)}".encode()).hexdigest()


def equal_rows(before: Sequence[str], rows_before: int, after: Sequence[str], rows_after: int) -> int:
    """How many rows from the start are surely equal, by the blocks of two frames."""
    same = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            return same
        same = min(same + BLOCK, rows_before, rows_after)
    return same


def column_digest(values: pl.Series) -> str:
    """The digest of the values of one column, without its name."""
    total = blake3()
    for start in range(0, len(values), BLOCK):
        for part in _canonical(values.slice(start, BLOCK)):
            total.update(part)
    return total.hexdigest()


def _canonical(values: pl.Series) -> list[bytes]:
    """The bytes that stand for values: which are null, then the values with nulls as zero or empty."""
    nulls = values.is_null().to_numpy().tobytes()
    if values.dtype == pl.String:
        texts = values.fill_null("")
        return [nulls, texts.str.len_bytes().to_numpy().tobytes(), str(texts.str.join("").item()).encode()]
    if values.dtype == pl.Boolean:
        return [nulls, values.fill_null(value=False).to_numpy().tobytes()]
    numbers = values.to_physical().fill_null(0).to_numpy()
    if values.dtype.is_float():
        # One zero and one NaN: -0.0 and 0.0 compare equal, and so do all NaN.
        numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0)
    return [nulls, numbers.tobytes()]
