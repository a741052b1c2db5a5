"""Corrections as steps of cleaning: a cell that still has the wrong value gets the right one, and is counted."""

from collections.abc import Mapping, Sequence

import polars as pl

from heptad.data.cleaning.steps import Step
from heptad.data.columns.keys import key_text
from heptad.data.columns.lookups import look_up

RULE = "corrected"
_NULL = "\0"
"""What stands for a missing cell; no cell holds it."""


def correction_steps(cells: pl.DataFrame, types: Mapping[str, pl.DataType], key: Sequence[str]) -> list[Step]:
    """A step for each corrected column of a table with these types.

    `cells` has `id`, `column`, `was` and `value` as text. A cell is told by its row and by what was wrong: where the
    source says something else by now, its word stands. Columns that are gone are left alone.
    """
    return [
        Step(rule=RULE, column=name, repair=_Repair(part, types[name], key))
        for (name,), part in cells.partition_by("column", as_dict=True, maintain_order=True).items()
        if name in types
    ]


def with_label_times(cells: pl.DataFrame, target: str, label_time: str) -> pl.DataFrame:
    """The corrections, and for each label that was missing the moment at which a person gave it, if none is known.

    So it is no label of before: whoever asks what was known earlier does not see it.
    """
    if not label_time:
        return cells
    given = cells.filter((pl.col("column") == target) & pl.col("was").is_null())
    told = given.with_columns(
        pl.lit(label_time).alias("column"), text_of(pl.col("at"), cells.schema["at"]).alias("value")
    )
    return pl.concat([cells, told])


class _Repair:
    """The repair of one column, as a lookup of row and wrong value."""

    def __init__(self, cells: pl.DataFrame, kind: pl.DataType, key: Sequence[str]) -> None:
        # A column of whole numbers may have been one of numbers, and 3 and 3.0 are the same wrong value.
        was = cells["was"].cast(pl.Float64).cast(pl.String) if kind.is_numeric() else cells["was"]
        was = was.fill_null(_NULL)
        places, values = cells["id"] + _NULL + was, _as_kind(cells["value"], kind)
        self._right = dict(zip(places.to_list(), values.to_list(), strict=True))
        self._kind, self._key = kind, list(key)

    def __call__(self, before: pl.Expr) -> pl.Expr:
        was = text_of(before.cast(pl.Float64) if self._kind.is_numeric() else before, self._kind).fill_null(_NULL)
        place = pl.concat_str(key_text(self._key), pl.lit(_NULL), was)
        return pl.coalesce(look_up(place, self._right, self._kind), before)


def text_of(values: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Cells as corrections write them."""
    return values.dt.strftime("%Y-%m-%d %H:%M:%S%.6f") if kind.is_temporal() else values.cast(pl.String)


def _as_kind(texts: pl.Series, kind: pl.DataType) -> pl.Series:
    if kind == pl.Boolean:
        return texts == "true"
    if kind.is_temporal():
        return texts.str.to_datetime(time_zone="UTC", time_unit="us")
    return texts.cast(pl.Float64).cast(kind, strict=False) if kind.is_numeric() else texts.cast(kind)
