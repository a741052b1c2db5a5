"""Votes weighted by how far each source of rows agrees with the others."""

from collections.abc import Sequence

import numpy as np

from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints
from heptad.data.cleaning.suggesting.dependencies import Vote, vote

ROUNDS = 3
SPREAD = 0.08


def trusted(
    columns: Sequence[Column], names: Sequence[int], groups: Ints, target: Column, first: Vote, given: Floats
) -> Vote:
    """The vote of groups with each row weighted by its source besides its given weight; the first if none matters."""
    best, source = SPREAD, -1
    for at, column in enumerate(columns):
        if at in names or column is target or not 3 <= len(column.values) <= 300 or column.counts.mean() < 8:
            continue
        rates, spread = _agreement(column, first, target)
        if spread > best and _crosses(column, groups):
            best, source = spread, at
    if source < 0:
        return first
    found = first
    for _ in range(ROUNDS):
        rates, _ = _agreement(columns[source], found, target)
        weights = np.clip(np.log(rates / (1 - rates)) + 1.0, 0.05, 6.0)[columns[source].codes]
        found = vote(groups, target, given * weights / weights.mean())
    return found


def _agreement(column: Column, found: Vote, target: Column) -> tuple[Floats, float]:
    asked = (found.most >= 0) & (target.codes != target.empty)
    right = asked & (found.most == target.codes)
    k = np.bincount(column.codes, weights=asked, minlength=len(column.values))
    r = np.bincount(column.codes, weights=right, minlength=len(column.values))
    mean = right.sum() / max(1, asked.sum())
    rates = (r + 4 * mean) / (k + 4)
    # beyond what chance alone would spread
    noise = mean * (1 - mean) * (k / (k + 4) ** 2)
    variance = np.average((rates - mean) ** 2 - noise, weights=np.maximum(k, 1e-9)) if k.sum() else 0.0
    return np.clip(rates, 0.02, 0.98), float(np.sqrt(max(0.0, variance)))


def _crosses(column: Column, groups: Ints) -> bool:
    """Groups hold rows of different sources."""
    pairs = len(np.unique(groups * len(column.values) + column.codes))
    return pairs > 2 * len(np.unique(groups)) or pairs > 0.5 * len(groups)
