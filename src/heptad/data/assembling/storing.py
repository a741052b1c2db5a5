"""Writes a table over the version before it: what is new is appended, and from the first difference on replaced."""

from collections.abc import Sequence

import polars as pl

from heptad.data.columns.keys import ROW
from heptad.data.records import DatasetVersion, Schema
from heptad.data.versions.digests import equal_rows
from heptad.data.versions.tables import Table


def canonical_order(schema: Schema) -> list[str]:
    """The columns that a table is sorted by: time and key, or key alone, which holds the order of reading."""
    return [*schema.named("time"), *schema.named("key")]


def store_rows(
    table: Table, frame: pl.DataFrame, schema: Schema, blocks: Sequence[str], latest: DatasetVersion | None
) -> int:
    """Commits a sorted frame with these block digests over the latest version; answers the Delta version that holds it.

    Blocks that are equal from the start stay untouched in their files. The rest goes in one commit: appended, or
    replaced by time or row number where the table has one, else the whole. Equal rows commit nothing.
    """
    if latest is None:
        return table.overwrite(frame)
    base = latest.delta_version
    same = equal_rows(latest.blocks, latest.rows, blocks, len(frame))
    if same == latest.rows:
        return base if same == len(frame) else table.append(frame.slice(same), base)
    position = canonical_order(schema)[0]
    start = frame[position][same] if 0 < same < len(frame) else None
    if start is None or not (schema.named("time") or position == ROW) or start == frame[position][0]:
        return table.overwrite(frame, base)
    if start == frame[position][same - 1]:
        # Rows of one moment are replaced together, also those before the first difference.
        same = int(frame[position].search_sorted(start, side="left"))
    return table.replace_from(position, start, frame.slice(same), base)
