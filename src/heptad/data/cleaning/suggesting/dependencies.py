"""Columns that tell others: what rows that agree in one column say of another, and how far that can be trusted."""

from collections.abc import Sequence

import msgspec
import numpy as np

from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints

FEWEST = 0.15
"""The least share of rows that must have a second of their group."""
BETTER = 0.5
"""How much of the way from guessing to knowing a determinant must go."""
MOST = 5
"""Determinants of a column at most."""
SAMPLE = 20_000
"""Rows by which columns are screened, about."""


class Vote(msgspec.Struct, frozen=True):
    """What the other rows of a row's group say: `most` (code, -1 none), shares of it and of the own value, `others`."""

    most: Ints
    share: Floats
    own: Floats
    others: Floats


class Screened(msgspec.Struct, frozen=True):
    """How well columns tell another: `strength` 0 (guessing) to 1 (knowing), `accuracy`, share of rows it can tell."""

    columns: tuple[int, ...]
    strength: float
    accuracy: float
    coverage: float


class Determinant(Screened, frozen=True):
    """Columns that tell another, and what they say of each row."""

    vote: Vote


def vote(groups: Ints, target: Column, weights: Floats | None = None) -> Vote:
    """Votes of all rows of a group but the row itself; empty cells do not stand for election."""
    own_weight = np.ones(len(groups)) if weights is None else weights
    pairs, inverse = np.unique(groups * len(target.values) + target.codes, return_inverse=True)
    group, value = np.divmod(pairs, len(target.values))
    amount = np.bincount(inverse, weights=own_weight)
    size = np.bincount(group, weights=amount)
    standing = np.where(value == target.empty, 0.0, amount)
    first, second = _two_largest(group, standing, len(size))
    mine = amount[inverse] - own_weight
    best, next_best = first[groups], second[groups]
    leads = np.where(best == inverse, standing[best] - own_weight, standing[best])
    follows = np.where(next_best >= 0, standing[next_best], 0.0)
    overtaken = (best == inverse) & (follows > leads)
    most = np.where(overtaken, next_best, best)
    votes = np.maximum(0.0, np.where(overtaken, follows, leads))
    others = size[groups] - own_weight
    some = np.maximum(others, 1e-9)
    return Vote(np.where(votes > 0, value[most], -1), votes / some, np.where(others > 0, mine / some, 0.0), others)


def _two_largest(group: Ints, amount: Floats, many: int) -> tuple[Ints, Ints]:
    """Of each of `many` groups, none empty, the places of the largest and second largest amount; -1: no second."""
    order = np.lexsort((-amount, group))
    starts = np.searchsorted(group[order], np.arange(many))
    after = np.minimum(starts + 1, len(order) - 1)
    has_second = (group[order[after]] == np.arange(many)) & (after > starts)
    return order[starts], np.where(has_second, order[after], -1)


def strength(found: Vote, target: Column) -> tuple[float, float, float]:
    """How far the votes tell the column: from 0, as good as guessing, to 1; the share that they get right; coverage."""
    asked = (found.most >= 0) & (target.codes != target.empty)
    present = target.codes != target.empty
    coverage = asked.sum() / max(1, present.sum())
    if not asked.any():
        return 0.0, 0.0, 0.0
    right = float((found.most[asked] == target.codes[asked]).mean())
    among = np.bincount(target.codes[asked])
    guess = among.max() / among.sum()
    return (right - guess) / (1 - guess) if guess < 1 else 0.0, right, float(coverage)


def determinants(columns: Sequence[Column], at: int, weights: Floats) -> list[Determinant]:
    """The columns, and pairs of columns, that tell a column, the best first; a key tells nothing of other rows."""
    target = columns[at]
    if len(target.values) < 2:
        return []
    able = [i for i, column in enumerate(columns) if i != at and 2 <= len(column.values) <= 0.9 * column.rows]
    singles = [_screened(columns, (i,), target) for i in able]
    found = [one for one in singles if one.strength >= BETTER and one.coverage >= FEWEST]
    if max((one.strength for one in found), default=0.0) < 0.97:
        found += _pairs(columns, singles, target)
    found.sort(key=lambda one: (-one.strength * one.coverage**0.5, one.columns))
    voted = []
    for one in found[: MOST + 3]:
        vote_of = vote(grouped([columns[i] for i in one.columns]), target, weights)
        voted.append(Determinant(one.columns, *strength(vote_of, target), vote_of))
    return voted


def _pairs(columns: Sequence[Column], singles: Sequence[Screened], target: Column) -> list[Screened]:
    """Pairs of the six most hopeful columns that tell clearly more than either, of about as many rows."""
    hopeful = sorted(singles, key=lambda one: -one.strength * min(1.0, one.coverage))[:6]
    found = []
    for place, one in enumerate(hopeful):
        for two in hopeful[place + 1 :]:
            better = max(one.strength, two.strength)
            pair = _screened(columns, (*one.columns, *two.columns), target)
            covers = pair.coverage >= max(0.3, 0.85 * min(one.coverage, two.coverage))
            if covers and pair.strength >= max(BETTER, better + 0.3 * (1 - better)):
                found.append(pair)
    return found


def _screened(columns: Sequence[Column], names: tuple[int, ...], target: Column) -> Screened:
    """How well columns tell the target, by at most about 20,000 rows, groups kept whole where there are many."""
    rows = _some_rows(columns[names[0]])
    groups = grouped([columns[i] for i in names], rows)
    view = Column(target.name, target.values, target.codes[rows], target.counts)
    return Screened(names, *strength(vote(groups, view), view))


def _some_rows(column: Column) -> Ints | slice:
    """All rows of some of a column's values; any rows, where it has few values, so that groups stay large."""
    if column.rows <= SAMPLE:
        return slice(None)
    rng, share = np.random.default_rng(0), SAMPLE / column.rows
    chosen = rng.random(len(column.values))[column.codes] if len(column.values) >= 200 else rng.random(column.rows)
    return np.flatnonzero(chosen < share)


def grouped(columns: Sequence[Column], rows: Ints | slice = slice(None)) -> Ints:
    """Rows that agree in all columns have the same number, from 0 on; an empty cell agrees with none."""
    codes = columns[0].codes[rows]
    empty = codes == columns[0].empty
    for column in columns[1:]:
        more = column.codes[rows]
        codes = codes * len(column.values) + more
        empty = empty | (more == column.empty)
    codes = np.where(empty, codes.max(initial=0) + 1 + np.arange(len(codes)), codes)
    return np.asarray(np.unique(codes, return_inverse=True)[1])
