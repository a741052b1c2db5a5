"""Numbers: which values are some, and how far out they lie."""

import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints

MOST = 0.6
"""A column is of numbers where at least this share of its values is."""
CODES = 0.8
"""Numbers are codes where at least this share has one length."""
WORDY, MARKS = 0.1, 3
"""Words among numbers are codes rather than marks where they make up such a share, and more of them than this recur."""
FEWEST = 8
"""Different numbers without which none lies far out."""


def parsed(values: pl.Series) -> Floats:
    """Values as plain numbers, NaN where they are none."""
    plain = values.str.contains(r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
    return (
        values.to_frame("v")
        .select(pl.when(plain).then(pl.col("v").cast(pl.Float64, strict=False)).fill_null(float("nan")))
        .to_series()
        .to_numpy()
    )


def share_of_numbers(numbers: Floats, column: Column) -> float:
    present = column.counts.sum() - (column.counts[column.empty] if column.empty >= 0 else 0)
    return float(column.counts[~np.isnan(numbers)].sum() / max(1, present))


def strangeness(values: pl.Series, are: npt.NDArray[np.bool_], counts: Ints) -> Floats:
    """Of each of m values how little it belongs among numbers: 1; less for words where many recur, as codes do."""
    words = ~are & values.str.contains("^[^0-9]+$").to_numpy()
    recurring = int((words & (counts >= 2)).sum())
    if counts[words].sum() < WORDY * counts.sum() or recurring <= MARKS:
        return np.ones(len(values))
    return np.where(words, MARKS / recurring, 1.0)


def of_one_length(values: pl.Series, are: npt.NDArray[np.bool_], counts: Ints) -> bool:
    """Whether the numbers are codes, such as postal ones: digits alone, nearly all of one length, three at least."""
    lengths = np.where(values.str.contains(r"^[0-9]{3,}$").to_numpy(), values.str.len_chars().to_numpy(), 0)
    seen = np.bincount(lengths[are], weights=counts[are])
    return bool(len(seen) > 1 and seen[1:].max() >= CODES * seen.sum())


def outlying(numbers: Floats, counts: Ints) -> Floats:
    """How far each of m numbers lies beyond where most lie: log2 of its distance from the median in tail lengths.

    The tail is from the median to the point that 95% of the cells do not pass, on the number's own side; 0 within.
    Where one number makes up half of the column, the others are compared among themselves. Numbers that are all above
    zero lie as far out as their logarithms do, where that is less: sums and counts have a long tail.
    """
    known = ~np.isnan(numbers)
    weights = (counts * known).astype(np.float64)
    usual = int(weights.argmax()) if weights.max() >= 0.5 * weights.sum() else -1
    if usual >= 0:
        weights[usual] = 0.0
    if (weights > 0).sum() < FEWEST:
        return np.zeros(len(numbers))
    found = _beyond(np.where(known, numbers, 0.0), known, weights)
    if numbers[known].min() > 0:
        found = np.minimum(found, _beyond(np.log(np.where(known, numbers, 1.0)), known, weights))
    if usual >= 0:
        found[usual] = 0.0
    return np.asarray(np.where(known, found, 0.0))


def _beyond(numbers: Floats, known: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    found = np.zeros(len(numbers))
    for sign in (1.0, -1.0):
        signed = numbers * sign
        order = np.argsort(signed[known], kind="stable")
        ranked = signed[known][order]
        reached = np.cumsum(weights[known][order]) / weights.sum()
        middle, end = ranked[np.minimum(np.searchsorted(reached, (0.5, 0.95)), len(ranked) - 1)]
        length = end - middle if end > middle else 0.1 * max(abs(middle), 1.0)
        found = np.maximum(found, np.log2(np.maximum(1.0, (signed - middle) / length)))
    return found
