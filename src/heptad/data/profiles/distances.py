"""How far two profiles of a column are from each other."""

import numpy as np
import numpy.typing as npt

from heptad.data.profiles.profile import ColumnProfile, Profile, check_same_bins

SMOOTHING = 0.5
"""Added to each count, so that an empty bin is rare and not impossible (Jeffreys' prior)."""


def distance(reference: ColumnProfile, column: ColumnProfile) -> float:
    """The population stability index (PSI) of a column against its reference, over bins, values and missing.

    PSI = sum over bins of (q - p) ln(q / p), where p and q are the smoothed shares of the reference and of
    the column, (count + 0.5) / (rows + 0.5 bins); bins that are empty on both sides are left out. It is the
    symmetric Kullback-Leibler divergence: at least 0, and 0 for equal shares; 0.1 is read as a slight and 0.2 as a
    clear shift. With n and m rows of the same distribution it is about (bins - 1)(1/n + 1/m) by chance.
    Raises `DataError` where the two count in different bins. 0 where either has no rows.

    Source: Siddiqi (2006), "Credit Risk Scorecards", and Yurdakul (2018), "Statistical Properties of Population
    Stability Index", for its size by chance.
    """
    if not reference.rows or not column.rows:
        return 0.0
    p, q = _shares(reference, column)
    return float(np.sum((q - p) * np.log(q / p)))


def column_distances(reference: Profile, profile: Profile) -> dict[str, float]:
    """The distance of every column that both profiles have."""
    known = {column.name: column for column in reference.columns}
    return {column.name: distance(known[column.name], column) for column in profile.columns if column.name in known}


def largest_shift(reference: ColumnProfile, column: ColumnProfile) -> tuple[str, float, float]:
    """The bin that contributes most to the distance: its label, its share in the reference and now, each 0 to 1."""
    check_same_bins(reference, column)
    labels = [*reference.labels(), "missing"]
    before, now = _counts(reference), _counts(column)
    kept = (before > 0) | (now > 0)
    if not reference.rows or not column.rows:
        return labels[0], 0.0, 0.0
    p, q = _shares(reference, column)
    place = int(np.flatnonzero(kept)[np.argmax((q - p) * np.log(q / p))])
    return labels[place], float(before[place] / reference.rows), float(now[place] / column.rows)


def _counts(column: ColumnProfile) -> npt.NDArray[np.float64]:
    return np.array([*column.counts, column.missing], dtype=np.float64)


def _shares(reference: ColumnProfile, column: ColumnProfile) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    check_same_bins(reference, column)
    before, now = _counts(reference), _counts(column)
    kept = (before > 0) | (now > 0)
    before, now = before[kept] + SMOOTHING, now[kept] + SMOOTHING
    return before / before.sum(), now / now.sum()
