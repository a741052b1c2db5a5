"""Digests of tables: equal rows in equal order have equal digests, whatever file or memory they came from."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from blake3 import blake3

BLOCK = 20_000
"""Rows hashed together: two versions are compared by their blocks, without reading the older one."""
_LENGTH = 32
"""Hexadecimal digits of a block's digest."""


def block_digests(frame: pl.DataFrame) -> list[str]:
    """One digest for each block of rows of a frame in stored types, names and types of the columns included."""
    head = "".join(f"{name}\0{kind}\0" for name, kind in frame.schema.items()).encode()
    digests = []
    for start in range(0, len(frame), BLOCK):
        total = blake3(head)
        for values in frame.slice(start, BLOCK):
            for part in _canonical(values):
                total.update(part)
        digests.append(total.hexdigest()[:_LENGTH])
    return digests


def frame_digest(frame: pl.DataFrame) -> str:
    """The digest of a whole frame."""
    return combined(block_digests(frame), len(frame))


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
