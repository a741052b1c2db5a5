"""Columns that are a part of another: a year that a date names, a code that begins with a state."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting.cells import Column
from heptad.data.cleaning.suggesting.dependencies import Determinant, Vote

SAMPLE = 2_000
"""Rows by which parts are looked for."""
MOST = 0.75
"""The least share of rows in which a part and the column agree."""
PLACES = (0, 1, 2, -1, -2)
"""Which words or numbers of a text are tried, from its start and from its end."""
WEIGHT = 6.0
"""How many rows a part that is read off the same row is worth."""
_WORDS = r"[\p{L}\p{M}]+|[0-9]+"


def derived(columns: Sequence[Column], at: int) -> list[Determinant]:
    """The columns of which this one is a word or a number, case aside."""
    target = columns[at]
    guess = float(target.counts.max()) / target.rows
    lengths = target.values.str.len_chars().to_numpy()
    if len(target.values) < 3 or lengths.mean() > 24 or guess > 0.9:
        return []
    some = np.arange(target.rows)
    if target.rows > SAMPLE:
        some = np.sort(np.random.default_rng(0).choice(target.rows, SAMPLE, replace=False))
    wanted = target.values.gather(target.codes[some]).str.to_lowercase()
    found = []
    for other, column in enumerate(columns):
        place, right = _place(column.values.gather(column.codes[some]), wanted) if other != at else (None, 0.0)
        if place is not None and right > guess + 0.3 * (1 - guess):
            vote = _vote(target, column, place)
            covered = float((vote.most >= 0).mean())
            found.append(Determinant((other,), (right - guess) / (1 - guess), right, covered, vote))
    return found


def _place(cells: pl.Series, wanted: pl.Series) -> tuple[int | None, float]:
    """Which word of the cells is the wanted one, and in what share of rows that have both."""
    there = ((cells != "") & (wanted != "")).to_numpy()
    words = cells.str.to_lowercase().str.extract_all(_WORDS)
    if there.sum() < 20 or words.list.len().to_numpy().mean() < 2:
        return None, 0.0
    for place in PLACES:
        hit = (words.list.get(place, null_on_oob=True) == wanted).fill_null(value=False).to_numpy() & there
        right = float(hit.sum() / there.sum())
        if right >= MOST:
            return place, right
    return None, 0.0


def _vote(target: Column, column: Column, place: int) -> Vote:
    """What a word of the column says of the target, in each row."""
    words = column.values.str.to_lowercase().str.extract_all(_WORDS).list.get(place, null_on_oob=True).fill_null("")
    spellings = pl.DataFrame(
        {"word": target.values.str.to_lowercase(), "code": np.arange(len(target.values)), "n": target.counts}
    )
    commonest = spellings.sort("n", "code", descending=[True, False]).unique("word", keep="first")
    codes = pl.DataFrame({"word": words}).join(commonest, on="word", how="left", maintain_order="left")["code"]
    most = np.where((words == "").to_numpy(), -1, codes.fill_null(-1).to_numpy())[column.codes]
    said = (most >= 0).astype(np.float64)
    return Vote(most, said, said * (most == target.codes), said * WEIGHT)
