"""Writes a table over the version before it: what is new is appended, and from the first difference on replaced."""

from collections.abc import Sequence

import polars as pl

from heptad.data.progress import Estimate, under_way
from heptad.data.records import DatasetVersion, Schema
from heptad.data.versions.digests import equal_rows
from heptad.data.versions.tables import Table

_WORK = "the version"
"""What the bar calls the writing of files."""


def canonical_order(schema: Schema) -> list[str]:
    """The columns that a table is sorted by: time and key, or key alone, which holds the order of reading."""
    return [*schema.named("time"), *schema.named("key")]


def store_rows(
    table: Table, rows: pl.LazyFrame, height: int, blocks: Sequence[str], latest: DatasetVersion | None
) -> int:
    """Commits so many rows, in order and with these block digests, over the latest version; answers the Delta version.

    Rows that are equal from the start stay in their files, as far as those are worth keeping. The rest goes in one
    commit. Equal rows commit nothing.
    """
    if latest is None:
        with under_way(_WORK, lambda: Estimate(height, "rows")):
            return table.write(rows)
    base = latest.delta_version
    same = equal_rows(latest.blocks, latest.rows, blocks, height)
    if same == latest.rows == height:
        return base
    kept = table.kept(base, same, height)
    with under_way(_WORK, lambda: Estimate(height - kept, "rows")):
        return table.write(rows.slice(kept) if kept else rows, base, kept)
