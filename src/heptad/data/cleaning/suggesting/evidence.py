"""What speaks for and against each cell, as numbers."""

from collections.abc import Sequence

import msgspec
import numpy as np

from heptad.data.cleaning.suggesting import values
from heptad.data.cleaning.suggesting.cells import Column, Floats, Ints
from heptad.data.cleaning.suggesting.dependencies import FEWEST, MOST, Determinant, Vote, determinants, grouped
from heptad.data.cleaning.suggesting.derived import derived
from heptad.data.cleaning.suggesting.slips import slips
from heptad.data.cleaning.suggesting.trust import trusted
from heptad.data.cleaning.suggesting.values import ValueEvidence, mark_foreign, value_evidence

ROW_NAMES = (
    "told",
    "told_sum",
    "told_alone",
    "broken",
    "backed",
    "rare_backed",
    "told_empty",
    "empty_backed",
    "blamed",
    "slipped",
)
NAMES = (*values.NAMES, *ROW_NAMES)
SMALL, DISSENT = 20, 0.15
"""Groups with fewer other rows do not tell mistakes from exceptions; the share of a group that may be mistaken."""


class Evidence(msgspec.Struct):
    """Of one column: `value` by different value, `row` (n, len(ROW_NAMES)), who tells it, what slipped (row to value).

    `believed` is the column with the cells that a person has judged set right; votes speak of its codes, and `came` are
    the cells as they came in these codes: what is known to be wrong is an example of what spoke against it.
    """

    column: Column
    believed: Column
    came: Ints
    value: ValueEvidence
    row: Floats
    told: list[Determinant]
    slipped: dict[int, str]

    def features(self, rows: Ints | slice = slice(None)) -> Floats:
        """(k, len(NAMES)) of the rows asked for."""
        return np.concatenate([self.value.features[self.column.codes[rows]], self.row[rows]], axis=1)

    def traits(self, rows: Ints | slice = slice(None)) -> Ints:
        """(k, 6) numbers of classes by which cells of a column are alike.

        Shape with case, evidence, vote, signs, fine shape, and shape.
        """
        codes = self.column.codes[rows]
        features = self.value.features[codes]
        status = self._votes()[rows]
        bits = np.zeros(len(codes), dtype=np.int64)
        for place, (name, least) in enumerate(_TELLING.items()):
            bits += (features[:, values.NAMES.index(name)] > least).astype(np.int64) << place
        of = self.value
        kinds = (of.cased[codes], bits * 3 + status, status, of.symbols[codes], of.fine[codes], of.shape[codes])
        return np.stack(kinds, axis=1)

    def _votes(self) -> Ints:
        if not self.told:
            return np.zeros(self.column.rows, dtype=np.int64)
        most = self.told[0].vote.most
        return np.where(most < 0, 0, np.where(most == self.came, 1, 2))


_TELLING = {
    "rare_value": 0.5,
    "letters": 0.8,
    "digits": 0.8,
    "variant": 0.0,
    "not_number": 0.0,
    "marker": 0.0,
    "weak_marker": 0.0,
    "empty": 0.0,
    "outlier": 1.0,
    "padded": 0.0,
    "other_case": 0.0,
}


def gather(columns: Sequence[Column], believed: Sequence[Column], weights: Floats) -> list[Evidence]:
    """The evidence of each column; rows count `weights` in votes."""
    by_value = [value_evidence(column) for column in columns]
    mark_foreign(list(columns), by_value)
    told = [who_tells(believed, at, weights) for at in range(len(columns))]
    blame, asked = np.zeros((len(columns), len(weights))), np.zeros(len(columns))
    found = []
    for at, column in enumerate(columns):
        came = _came(column, believed[at])
        votes = [_of_cells(one, believed, at, came, weights) for one in told[at]]
        row, dissents = _row_evidence(believed[at], came, votes, by_value[at].features[column.codes, 0])
        for determinant, dissent in zip(told[at], dissents, strict=True):
            share = determinant.strength**2 / len(determinant.columns)
            for other in determinant.columns:
                blame[other] += share * np.clip(dissent, -1, 3)
                asked[other] += share
        found.append(Evidence(column, believed[at], came, by_value[at], row, told[at], {}))
    for at, one in enumerate(found):
        if asked[at]:
            one.row[:, ROW_NAMES.index("blamed")] = np.maximum(0.0, blame[at] / max(1.0, asked[at]))
    for (into, out), slip in slips(columns).items():
        for at, texts in ((into, slip.rest), (out, slip.word)):
            found[at].row[slip.rows, ROW_NAMES.index("slipped")] = 1.0
            found[at].slipped.update(zip(slip.rows.tolist(), texts.to_list(), strict=True))
    return found


def who_tells(columns: Sequence[Column], at: int, weights: Floats) -> list[Determinant]:
    """The columns that tell a column, the best first; where rows come of sources, votes go by trust in them."""
    target = columns[at]
    found = []
    for one in determinants(columns, at, weights):
        if 0.2 < one.accuracy < 0.98:
            groups = grouped([columns[i] for i in one.columns])
            vote = trusted(columns, one.columns, groups, target, one.vote, weights)
            found.append(msgspec.structs.replace(one, vote=vote))
        else:
            found.append(one)
    found += derived(columns, at)
    kept = [one for one in found if not any(_stands_for(other, one) for other in found)]
    if kept:
        slack = 2.5 * min(1 - one.accuracy for one in kept) + 0.02
        kept = [one for one in kept if 1 - one.accuracy <= slack]
    return sorted(kept, key=lambda one: -one.strength * one.coverage**0.5)[:MOST]


def _stands_for(pair: Determinant, part: Determinant) -> bool:
    """A pair that tells more than one of its columns, of as many rows, stands for it."""
    better = part.strength + 0.2 * (1 - part.strength)
    return set(pair.columns) > set(part.columns) and pair.strength > better and pair.coverage >= 0.9 * part.coverage


def _came(column: Column, believed: Column) -> Ints:
    """The cells as they came, in codes of what is believed; a value that nobody believes in has one of its own."""
    if column is believed:
        return column.codes
    places = {"": believed.empty} | {text: place for place, text in enumerate(believed.values)}
    return np.array([places.get(text, len(places)) for text in column.values], dtype=np.int64)[column.codes]


def _of_cells(one: Determinant, columns: Sequence[Column], at: int, came: Ints, weights: Floats) -> Determinant:
    """With the share that the value of each cell as it came has among the others, where a person set it right."""
    target = columns[at]
    changed = np.flatnonzero(came != target.codes)
    if not len(changed):
        return one
    groups, own = grouped([columns[i] for i in one.columns]), one.vote.own.copy()
    for row in changed.tolist():
        others = groups == groups[row]
        others[row] = False
        amount = weights[others]
        own[row] = amount[target.codes[others] == came[row]].sum() / max(amount.sum(), 1e-9)
    return msgspec.structs.replace(one, vote=msgspec.structs.replace(one.vote, own=own))


def _row_evidence(column: Column, came: Ints, told: Sequence[Determinant], rare: Floats) -> tuple[Floats, list[Floats]]:
    """(n, len(ROW_NAMES)), and how far each determinant dissents from each cell: log odds, negative: it agrees."""
    n = column.rows
    empty = came == column.empty
    best, alone, broken, backed, total, held = (np.zeros(n) for _ in range(6))
    dissents = []
    for one in told:
        vote = one.vote
        asked = vote.most >= 0
        most, own = vote.share * vote.others, vote.own * vote.others
        agrees = asked & (vote.most == came)
        odds = np.where(asked & ~agrees, np.log((most + 0.5) / (own + 0.5)), 0.0)
        support = np.where(agrees, np.log(own + 1.5), 0.0)
        dissents.append(np.where(asked & ~empty, odds - support, 0.0))
        best = np.maximum(best, one.strength**2 * odds)
        backed = np.maximum(backed, one.strength**2 * support)
        total += one.strength**2 * (odds - support)
        elsewhere = np.maximum(column.counts[np.maximum(vote.most, 0)], 1) * (vote.others + 1) / n
        lift = np.log10(np.maximum(1.0, most / np.maximum(elsewhere, 1e-9)))
        alone = np.maximum(alone, np.maximum(odds, 0.0) * np.clip(lift / 1.5, 0.0, 1.0))
        # Where few values share a column none is much commoner in its group; what is rare there, and not elsewhere, is.
        chance = column.counts[np.minimum(came, len(column.counts) - 1)] * one.vote.others / n
        rarer = np.log((chance + 0.5) / (own + 0.5))
        alone = np.maximum(alone, _like_a_rule(one.strength) * np.clip(rarer, 0.0, np.maximum(odds, 0.0)))
        broken = np.maximum(broken, _holds_everywhere(vote) * odds)
        held = np.maximum(held, np.where(empty & (own > most), 1.0, 0.0))
    total = np.maximum(0.0, total / max(1, len(told)) ** 0.5)
    full = ~empty
    columns = [
        best * full,
        total * full,
        alone * full,
        broken * full,
        backed,
        rare * backed,
        best * empty,
        held,
        np.zeros(n),
        np.zeros(n),
    ]
    return np.stack(columns, axis=1), dissents


def _holds_everywhere(vote: Vote) -> float:
    """1 where few rows dissent in nearly all groups, as mistakes do; 0 where some groups are of two minds."""
    large = vote.others >= SMALL
    if large.mean() < FEWEST:
        return 0.0
    dissent = (1 - vote.share) * vote.others
    share = float((dissent <= np.maximum(1.0, DISSENT * vote.others))[large].mean())
    return min(1.0, max(0.0, (share - 0.85) / 0.1))


def _like_a_rule(strength: float) -> float:
    """1 where columns tell another nearly always; 0 where exceptions are so many that they are hardly mistakes."""
    return min(1.0, max(0.0, (strength - 0.8) / 0.15))
