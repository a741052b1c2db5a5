"""Votes weighted by how far each source of rows agrees with the others."""

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting.cells import Column, encode
from heptad.data.cleaning.suggesting.dependencies import grouped, vote
from heptad.data.cleaning.suggesting.trust import trusted


def reports(rng: np.random.Generator) -> tuple[list[Column], np.ndarray]:
    """Five sources report 100 things; two are nearly always right, the others copy one wrong value half the time."""
    truth = rng.integers(0, 1000, 100)
    source, thing, said = [], [], []
    for at, value in enumerate(truth):
        rumour = str(value + 1)
        for name in "abcde":
            wrong = rng.random() < (0.02 if name in "ab" else 0.55)
            source.append(name)
            thing.append(str(at))
            said.append(rumour if wrong else str(value))
    return [encode(pl.Series(n, v)) for n, v in (("source", source), ("thing", thing), ("said", said))], truth


def test_trusted_sources_outvote_a_rumour() -> None:
    """The weighted vote is right more often than the plain one."""
    columns, truth = reports(np.random.default_rng(4))
    groups = grouped([columns[1]])
    first = vote(groups, columns[2])
    better = trusted(columns, (1,), groups, columns[2], first, np.ones(500))
    right = [
        np.mean([columns[2].values[int(code)] == str(truth[row // 5]) for row, code in enumerate(found.most)])
        for found in (first, better)
    ]
    assert right[1] > right[0] + 0.02


def test_sources_that_are_equally_right_change_nothing() -> None:
    """The plain vote is answered where nobody is trusted more."""
    columns, _ = reports(np.random.default_rng(4))
    same = encode(pl.Series("said", [str(int(thing)) for thing in columns[1].values.gather(columns[1].codes)]))
    first = vote(grouped([columns[1]]), same)
    assert trusted([columns[0], columns[1], same], (1,), grouped([columns[1]]), same, first, np.ones(500)) is first
