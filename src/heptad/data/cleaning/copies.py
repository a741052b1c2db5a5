"""Finds rows that repeat others: exactly, by a key, or nearly."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from rapidfuzz import fuzz
from rapidfuzz.process import cdist

from heptad.core.errors import DataError
from heptad.data.cleaning.aside import MARK
from heptad.data.cleaning.settings import SimilarRows

PLACE = f"{MARK}place"
_BLOCK, _TEXT = f"{MARK}block", f"{MARK}text"
_BETWEEN = "\x1f"


def duplicates(rows: pl.LazyFrame, columns: Sequence[str], key: Sequence[str]) -> pl.Series:
    """The places, from 0 and ascending, of rows that repeat an earlier one in all `columns`.

    A key, which copies share too, makes it cheaper to tell. Grouping spills; what is held grows with the copies.
    """
    group = list(key) or [f"{MARK}hash"]
    grouped = rows if key else rows.with_columns(pl.struct(columns).hash().alias(group[0]))
    shared = grouped.group_by(group).len().filter(pl.col("len") > 1).drop("len").collect(engine="streaming")
    if shared.is_empty():
        return pl.Series(PLACE, [], pl.Int64)
    placed = grouped.with_row_index(PLACE).with_columns(pl.col(PLACE).cast(pl.Int64))
    suspected = placed.join(shared.lazy(), on=group, how="semi", nulls_equal=True).cache()
    firsts = suspected.group_by(columns).agg(pl.col(PLACE).min())
    repeated = suspected.select(PLACE).join(firsts.select(PLACE), on=PLACE, how="anti")
    return repeated.sort(PLACE).collect(engine="streaming")[PLACE]


def repeats_by_chance(rows: pl.DataFrame) -> float:
    """How many pairs of rows would be alike if each column were drawn anew for each row.

    Columns that go together make more of them, so it is a low guess.
    """
    alike = 1.0
    for name in rows.columns:
        counts = rows[name].value_counts()["count"].cast(pl.Float64)
        alike *= float((counts * (counts - 1)).sum()) / max(1, len(rows) * (len(rows) - 1))
    return alike * len(rows) * (len(rows) - 1) / 2


def at_places(places: pl.Series) -> pl.Expr:
    """Whether a row is at one of some places, ascending, of rows with their place in the column `PLACE`."""
    wanted = places.to_numpy()

    def found(batch: pl.Series) -> pl.Series:
        asked = batch.to_numpy()
        near = np.minimum(np.searchsorted(wanted, asked), len(wanted) - 1)
        return pl.Series(batch.name, wanted[near] == asked)

    return pl.col(PLACE).map_batches(found, return_dtype=pl.Boolean, is_elementwise=True)


def repeats(placed: pl.LazyFrame, key: Sequence[str], kept: str) -> pl.Series:
    """The places, ascending, of rows that share a whole key with the `first` or `last` row of it, which stays.

    Rows lack their place no more: it is in `PLACE`. A key with a missing part is shared with none.
    """
    place = pl.col(PLACE).cast(pl.Int64)
    whole = placed.drop_nulls(key).select(*key, place)
    stays = pl.col(PLACE).min() if kept == "first" else pl.col(PLACE).max()
    shared = whole.group_by(key).agg(pl.len().alias("len"), stays.alias("stays")).filter(pl.col("len") > 1)
    copies = whole.join(shared, on=list(key), how="inner").filter(pl.col(PLACE) != pl.col("stays"))
    return copies.select(PLACE).sort(PLACE).collect(engine="streaming")[PLACE]


def look_alikes(placed: pl.LazyFrame, settings: SimilarRows) -> pl.Series:
    """The places, ascending, of rows whose texts are at least so much like those of an earlier row that stays.

    Words may be in another order (token sort ratio). One block is held at a time. Raises `DataError` for a large one.
    """
    text = pl.concat_str([pl.col(name).cast(pl.String) for name in settings.columns], separator=" ")
    block = pl.concat_str([pl.col(name).cast(pl.String) for name in settings.block] or [pl.lit("")], separator=_BETWEEN)
    texts = placed.select(pl.col(PLACE).cast(pl.Int64), block.alias(_BLOCK), text.str.to_lowercase().alias(_TEXT))
    found: list[int] = []
    for name, rows in _blocks(texts.drop_nulls().sort(_BLOCK, PLACE)):
        if len(rows) > settings.most:
            raise DataError(
                f"[clean.similar] would compare {len(rows):,} rows of the block {name.split(_BETWEEN)}.",
                allowed=f"at most {settings.most:,} rows in a block, as `most` says",
                remedy="name columns in block that split the rows finer",
            )
        found += _alike(rows, settings.least)
    return pl.Series(PLACE, sorted(found), pl.Int64)


def _blocks(texts: pl.LazyFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """The blocks of sorted rows one after the other, each whole."""
    held: pl.DataFrame | None = None
    for batch in texts.collect_batches(engine="streaming"):
        rows = batch if held is None else pl.concat([held, batch])
        parts = rows.partition_by(_BLOCK, maintain_order=True)
        for part in parts[:-1]:
            yield str(part[_BLOCK][0]), part
        held = parts[-1] if parts else None
    if held is not None:
        yield str(held[_BLOCK][0]), held


def _alike(rows: pl.DataFrame, least: float) -> Iterator[int]:
    texts, places = rows[_TEXT].to_list(), rows[PLACE].to_list()
    if len(texts) < 2:
        return
    alike = cdist(texts, texts, scorer=fuzz.token_sort_ratio, score_cutoff=100 * least, dtype=np.float32) > 0
    stays: list[int] = []
    for place in range(len(texts)):
        if alike[place, stays].any():
            yield places[place]
        else:
            stays.append(place)
