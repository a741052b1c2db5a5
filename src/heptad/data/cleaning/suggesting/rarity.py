"""How unusual a trait is in its column: the share of cells whose trait is as rare or rarer."""

import numpy as np

from heptad.data.cleaning.suggesting.cells import Floats, Ints


def rarity(groups: Ints, counts: Ints) -> Floats:
    """Of m values in groups, and how many cells each value has: minus log10 of the share of cells as rare or rarer.

    0 where half of all cells are as rare, so that a column in which everything is different has nothing rare.
    """
    total = np.bincount(groups, weights=counts)
    return surprise(total[groups].astype(np.float64), counts)


def surprise(commonness: Floats, counts: Ints) -> Floats:
    """Of how common something of each of m values is: minus log10 of the share of cells as uncommon or more so."""
    order = np.argsort(commonness, kind="stable")
    reached = np.cumsum(counts[order])
    last = np.searchsorted(commonness[order], commonness, side="right") - 1
    share = reached[last] / max(1, counts.sum())
    return np.asarray(np.maximum(0.0, -np.log10(np.maximum(share, 1e-9)) - 0.3))
