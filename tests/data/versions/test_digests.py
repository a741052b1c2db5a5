"""Digests say whether two tables hold the same rows."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.versions.digests import BLOCK, block_digests, column_digest, combined, equal_rows, rows_digest

ROWS = st.lists(
    st.tuples(st.none() | st.integers(-5, 5), st.none() | st.floats(), st.none() | st.text(max_size=3)), max_size=8
)


def frame_of(rows: list) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"i": pl.Int64, "f": pl.Float64, "s": pl.String}, orient="row")


def frame_digest(frame: pl.DataFrame) -> str:
    return rows_digest(frame.lazy())


@given(ROWS, ROWS)
def test_equal_digests_mean_equal_rows(first: list, second: list) -> None:
    """Tables have one digest exactly where they hold the same rows in the same order."""
    one, other = frame_of(first), frame_of(second)
    assert (frame_digest(one) == frame_digest(other)) == one.equals(other, null_equal=True)


def test_the_digest_is_of_content_not_of_memory() -> None:
    """Slices, chunks and signs of zero do not matter; names, types and null against empty do."""
    frame = pl.DataFrame({"a": [0.0, 1.0, 2.0], "s": ["", None, "x"]})
    again = pl.concat([frame.slice(0, 1), frame.slice(1)], rechunk=False).with_columns(a=pl.Series([-0.0, 1.0, 2.0]))
    assert frame_digest(frame) == frame_digest(again)
    assert rows_digest(again.lazy().filter(pl.col("a") >= 0)) == frame_digest(frame)
    assert frame_digest(frame) != frame_digest(frame.rename({"a": "b"}))
    assert frame_digest(frame) != frame_digest(frame.with_columns(pl.col("s").fill_null("")))
    assert frame_digest(frame) != frame_digest(frame.with_columns(pl.col("a").cast(pl.Int64)))


def test_texts_are_not_run_together() -> None:
    """Where one text ends and the next begins is part of the digest."""
    assert column_digest(pl.Series(["ab", "c"])) != column_digest(pl.Series(["a", "bc"]))


def test_blocks_tell_the_first_difference() -> None:
    """Rows up to the block of the first difference are known to be equal, also where one table is longer."""
    frame = pl.DataFrame({"a": range(2 * BLOCK + 10)})
    longer = pl.concat([frame, pl.DataFrame({"a": [1]})])
    changed = frame.with_columns(pl.when(pl.col("a") == BLOCK + 5).then(-1).otherwise("a").alias("a"))
    blocks = block_digests(frame.lazy())
    assert combined(blocks, len(frame)) == frame_digest(frame)
    assert equal_rows(blocks, len(frame), blocks, len(frame)) == len(frame)
    assert equal_rows(blocks, len(frame), block_digests(longer.lazy()), len(longer)) == 2 * BLOCK
    assert equal_rows(blocks, len(frame), block_digests(changed.lazy()), len(changed)) == BLOCK
