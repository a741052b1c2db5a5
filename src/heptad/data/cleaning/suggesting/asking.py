"""Which rows to ask a person about: those whose cells stand for the most that is in doubt."""

from collections.abc import Sequence

import numpy as np

from heptad.data.cleaning.suggesting.cells import Floats, Ints

LEAST = 0.02
"""What a cell counts that seems sure: first guesses err too."""


def rows_to_ask(
    doubts: Sequence[Floats], classes: Sequence[Ints], count: int, seed: int, known: Sequence[int]
) -> list[int]:
    """`count` rows, the most telling first; of each column `doubts` (n, 0 to 1) and `classes` (n: which are alike).

    A row earns, in each column, the doubt of all cells that are like its own, halved for each row chosen before
    that had one of them; ties go by a shuffle of the seed. Greedy, after the sampling of tuples in Raha (M. Mahdavi
    and others, SIGMOD 2019), with doubt in place of the number of clusters.
    """
    n = len(doubts[0])
    worth = []
    for doubt, of in zip(doubts, classes, strict=True):
        mass = np.bincount(of, weights=doubt + LEAST)
        worth.append(np.sqrt(mass))
    tie = np.random.default_rng(seed).random(n) * 1e-6
    taken = np.zeros(n, dtype=bool)
    taken[list(known)] = True
    for row in known:
        _cover(worth, classes, row)
    chosen: list[int] = []
    while len(chosen) < min(count, int((~taken).sum()) + len(chosen)):
        score = tie + sum(value[of] for value, of in zip(worth, classes, strict=True))
        row = int(np.where(taken, -np.inf, score).argmax())
        taken[row] = True
        chosen.append(row)
        _cover(worth, classes, row)
    return chosen


def _cover(worth: Sequence[Floats], classes: Sequence[Ints], row: int) -> None:
    for value, of in zip(worth, classes, strict=True):
        value[of[row]] /= 2
