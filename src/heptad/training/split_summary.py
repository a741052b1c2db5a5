"""Where every row stands: learnt from or judged, in which fold, in which part of a nested cross-validation."""

from collections.abc import Iterator, Sequence

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.core.records import Record
from heptad.data import DatasetVersion, Schema
from heptad.training.parting import Parting
from heptad.training.splits import PLACE

SHOWN_CLASSES = 6
"""Classes whose shares are told, the most frequent ones."""
PARTS = ("train", "judged", "neither")
PLACES = ("part", "fold", "outer", "inner")
"""The columns that say where a row stands."""
_LABEL = "\0label"


class PartSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One part in figures. `share` is of all labelled rows, `classes` class to its share of the part.

    `groups` are those that have a name; each row without one is dealt by itself.
    """

    part: str
    rows: int
    share: float
    groups: int | None = None
    classes: dict[str, float] = {}


class SplitTable(msgspec.Struct, frozen=True, kw_only=True):
    """`rows` has a row for each labelled one: its key and group, `part` (`train`, `judged`, or `neither`), `fold`.

    `fold` is the number, from 1, of the fold of a search that judges the row; `outer` and `inner` are those of a
    nested cross-validation, which takes all rows. Where rows are split by time, inner folds differ from one outer fold
    to the next, and are left out. The rows may be larger than memory, and are read when they are asked for.
    """

    rows: pl.LazyFrame
    parts: list[PartSummary]
    by: str


def split_table(parting: Parting, version: Record[DatasetVersion], folds: int, group: Sequence[str]) -> SplitTable:
    """The split of a version as the settings have it now; the rules that it follows are kept by asking.

    Raises `DataError` where the key or the group has a column with the name of a place.
    """
    schema = version.body.schema
    named = list(dict.fromkeys([*schema.named("key"), *group]))
    taken = next((name for name in PLACES if name in named), "")
    if taken:
        raise DataError(
            f"The rows are known by a column {taken!r}, and that is what their place in the split is called.",
            remedy="give the column another name, in the source or in pipeline.py",
        )
    # What rows are parted by is all that is told of them.
    wanted = [column.name for column in schema.columns if column.role != "feature" or column.name in group]
    placed = parting.placed(version, folds, wanted)
    places = [name for name in PLACES if PLACE.format(name) in placed.collect_schema().names()]
    return SplitTable(
        rows=placed.select(*named, *(pl.col(PLACE.format(name)).alias(name) for name in places)),
        parts=list(_summaries(placed, places, schema, group)),
        by=parting.by(schema),
    )


def _summaries(
    rows: pl.LazyFrame, places: Sequence[str], schema: Schema, group: Sequence[str]
) -> Iterator[PartSummary]:
    label = pl.col(schema.target).cast(pl.String) if schema.classes else pl.lit("")
    marks = [PLACE.format(name) for name in places]
    counts = rows.group_by(*marks, label.alias(_LABEL)).agg(rows=pl.len()).collect(engine="streaming")
    whole = int(counts["rows"].sum())
    # A group has few places, and each is told once.
    grouped = rows.select(*group, *marks).unique().collect(engine="streaming") if group else None
    for column, mark in zip(places, marks, strict=True):
        for value in PARTS if column == "part" else counts[mark].drop_nulls().unique().sort():
            there = pl.col(mark) == value
            labels: dict[str, int] = dict(counts.filter(there).group_by(_LABEL).agg(pl.col("rows").sum()).iter_rows())
            count = sum(labels.values())
            if count or value != "neither":
                yield PartSummary(
                    part=value if column == "part" else f"{column} {value}",
                    rows=count,
                    share=count / max(1, whole),
                    groups=grouped.filter(there).select(group).drop_nulls().n_unique() if grouped is not None else None,
                    classes={one: labels.get(one, 0) / max(1, count) for one in schema.classes},
                )
