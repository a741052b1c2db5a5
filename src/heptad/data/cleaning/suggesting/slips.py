"""Values of one column that slipped into another one."""

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting.cells import Column, Ints


class Slip(msgspec.Struct, frozen=True):
    """Rows, what is left of the value that took another in (`rest`), and what belongs to the other column (`word`)."""

    rows: Ints
    rest: pl.Series
    word: pl.Series


def slips(columns: Sequence[Column]) -> dict[tuple[int, int], Slip]:
    """Of pairs (into, out of): rows where `out of` is empty and `into` ends with one of its usual values.

    Only where `into` seldom ends so elsewhere.
    """
    found = {}
    for out, source in enumerate(columns):
        words = _domain(source)
        if len(words) < 2:
            continue
        gaps = source.codes == source.empty
        for at, into in enumerate(columns):
            if at == out:
                continue
            split = into.values.gather(into.codes[gaps]).str.extract_groups(_LAST).struct.unnest()
            hit = split["word"].is_in(words).fill_null(value=False).to_numpy()
            if hit.sum() < 3 or hit.mean() < 0.2:
                continue
            others = into.values.gather(into.codes[~gaps]).str.extract(_LAST, 2)
            if others.is_in(words).fill_null(value=False).to_numpy().mean() <= 0.1 * hit.mean():
                found[at, out] = Slip(np.flatnonzero(gaps)[hit], split["rest"].filter(hit), split["word"].filter(hit))
    return found


def _domain(column: Column) -> list[str]:
    """The usual values of a column that is sometimes empty and has words to lose."""
    if column.empty < 0 or column.counts[column.empty] >= 0.5 * column.rows or len(column.values) > _MOST_VALUES:
        return []
    usual = column.values.filter(pl.Series(column.counts >= 2))
    return usual.filter((usual != "") & ~usual.str.contains(r"\s")).to_list()


_LAST = r"^(?P<rest>.*\S)[\s,;/|-]+(?P<word>\S+)$"
_MOST_VALUES = 2_000
