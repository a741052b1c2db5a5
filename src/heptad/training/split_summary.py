"""Where every row stands: learnt from or judged, in which fold, in which part of a nested cross-validation."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.core.records import Record
from heptad.data import DatasetVersion, Fold, Schema, row_ids
from heptad.training.parting import Parting

SHOWN_CLASSES = 6
"""Classes whose shares are told, the most frequent ones."""
_TARGET = "\0target"


class PartSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One part in figures. `share` is of all labelled rows, `classes` class to its share of the part."""

    part: str
    rows: int
    share: float
    groups: int | None = None
    classes: dict[str, float] = {}


class SplitTable(msgspec.Struct, frozen=True, kw_only=True):
    """`rows` has a row for each labelled one: its key and group, `part` (`train`, `judged`, or `neither`), `fold`.

    `fold` is the number, from 1, of the fold of a search that judges the row; `outer` and `inner` are those of a
    nested cross-validation, which takes all rows. Where rows are split by time, inner folds differ from one outer fold
    to the next, and are left out.
    """

    rows: pl.DataFrame
    parts: list[PartSummary]
    by: str


def split_table(parting: Parting, version: Record[DatasetVersion], folds: int, group: Sequence[str]) -> SplitTable:
    """The split of a version as the settings have it now; the rules that it follows are kept by asking."""
    schema, by = version.body.schema, parting.by(version.body.schema)
    # What rows are parted by is all that is told of them.
    wanted = [column.name for column in schema.columns if column.role != "feature" or column.name in group]
    frame, parts = parting.labelled(version, wanted), parting.parts(version, columns=wanted)
    part = _parts(row_ids(frame, schema), row_ids(parts.train, schema), row_ids(parts.judged, schema))
    everywhere = np.arange(len(frame))
    numbered = [
        _numbered("fold", part, np.flatnonzero(part == "train"), parting.folds(version, parts.train, folds)),
        _numbered("outer", part, everywhere, parting.outer(version, frame)),
    ]
    if by == "hash":
        numbered.append(_numbered("inner", part, everywhere, parting.inner(version, frame, folds)))
    rows = frame.select(list(dict.fromkeys([*schema.named("key"), *group]))).with_columns(part, *numbered)
    labelled = rows.with_columns(frame[schema.target].cast(pl.String).alias(_TARGET))
    return SplitTable(rows=rows, parts=list(_summaries(labelled, schema, group)), by=by)


def _parts(ids: pl.Series, learnt: pl.Series, judged: pl.Series) -> pl.Series:
    sides = pl.concat(
        [
            pl.DataFrame({"id": side, "part": [name] * len(side)}, schema={"id": pl.String, "part": pl.String})
            for name, side in (("train", learnt), ("judged", judged))
        ]
    )
    found = ids.to_frame("id").join(sides, on="id", how="left", maintain_order="left")
    return found["part"].fill_null("neither")


def _numbered(name: str, part: pl.Series, places: npt.NDArray[np.int64], folds: Sequence[Fold]) -> pl.Series:
    """The number of the fold that judges each row; null: none does."""
    numbers = np.zeros(len(part), dtype=np.int64)
    for number, fold in enumerate(folds, 1):
        numbers[places[fold.judge]] = number
    return pl.Series(name, numbers).replace(0, None)


def _summaries(table: pl.DataFrame, schema: Schema, group: Sequence[str]) -> Iterator[PartSummary]:
    for name in ("train", "judged", "neither"):
        rows = table.filter(pl.col("part") == name)
        if name != "neither" or len(rows):
            yield _summary(name, rows, len(table), schema, group)
    for column in (name for name in ("fold", "outer", "inner") if name in table.columns):
        for number in table[column].drop_nulls().unique().sort():
            rows = table.filter(pl.col(column) == number)
            yield _summary(f"{column} {number}", rows, len(table), schema, group)


def _summary(name: str, rows: pl.DataFrame, of: int, schema: Schema, group: Sequence[str]) -> PartSummary:
    count = max(1, len(rows))
    return PartSummary(
        part=name,
        rows=len(rows),
        share=len(rows) / max(1, of),
        groups=rows.select(group).n_unique() if group else None,
        classes={one: int((rows[_TARGET] == one).sum()) / count for one in schema.classes},
    )
