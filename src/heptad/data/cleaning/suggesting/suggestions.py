"""Looks at a table: which cells are likely wrong, what they should say, which rules would put them right."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

import msgspec
import numpy as np
import polars as pl

from heptad.data.cleaning.settings import CleanSettings
from heptad.data.cleaning.suggesting.asking import rows_to_ask
from heptad.data.cleaning.suggesting.cells import Floats, Ints, encode
from heptad.data.cleaning.suggesting.choosing import choose_rules
from heptad.data.cleaning.suggesting.evidence import NAMES, Evidence, gather
from heptad.data.cleaning.suggesting.judging import Judge, Judged, contributions, first_guess, logistic, shift_of
from heptad.data.cleaning.suggesting.labels import Labels, corrected
from heptad.data.cleaning.suggesting.notations import notation_rules
from heptad.data.cleaning.suggesting.reading import leaves_numbers, types_as_read
from heptad.data.cleaning.suggesting.repairs import Proposal, Repairer
from heptad.data.cleaning.suggesting.rules import REASONS, FlaggedCell, SuggestedRule, gathered
from heptad.data.cleaning.suggesting.voting import bounded
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place

ENOUGH = 0.46
"""Cells at least this likely to be wrong are flagged: a little below half serves the F1 of both kinds of mistake."""
JUDGED_COUNT = 4.0
"""How many rows a row counts for in votes that a person has judged."""
Tell = Callable[[str, float], None]


class Suggestions(msgspec.Struct, frozen=True):
    """Flagged cells, by row and column, and the rules that they make; how many cells were looked at."""

    cells: list[FlaggedCell]
    rules: list[SuggestedRule]
    looked_at: int

    def to_accept(
        self,
        source: SourceSettings,
        place: Place,
        there: CleanSettings,
        least: float,
        target: str = "",
        label_time: str = "",
    ) -> tuple[list[SuggestedRule], list[tuple[SuggestedRule, str]]]:
        """The rules that are at least so sure and can stand together, and the others, with why they cannot.

        In a version made of the source with this target, beside the rules that are `there`.
        """
        types_of = partial(types_as_read, source, place)
        return choose_rules(self.rules, types_of, there, least, target, label_time)


class Suggester:
    """What is known of one table of texts, null or empty where a cell is missing; `labels`: what a person knows.

    Where the frame is `every` n-th row of a table, the rows that are told are those of the table. Columns that are
    `measured` are floating-point numbers: how their texts are written says nothing.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        labels: Labels | None = None,
        tell: Tell | None = None,
        *,
        every: int = 1,
        measured: Collection[str] = (),
    ) -> None:
        self._every = every
        self._labels = labels or Labels()
        self._tell = tell or (lambda _what, _share: None)
        self._frame = frame.select(pl.all().cast(pl.String).fill_null(""))
        self._tell("reading the columns", 0.05)
        columns = [encode(cells, measured=cells.name in measured) for cells in self._frame]
        known = corrected(self._frame, self._labels.given)
        changed = {name for _, name in self._labels.given}
        believed = [encode(known[one.name], measured=one.measured) if one.name in changed else one for one in columns]
        weights = np.ones(len(frame))
        weights[self._labels.rows()] = JUDGED_COUNT
        self._tell("gathering evidence", 0.1)
        self._evidence = gather(columns, believed, weights)
        self._tell("judging", 0.7)
        self._judge = Judge(self._judged(), shift_of(self._share()))
        self._likely = [self._likelihood(at, one) for at, one in enumerate(self._evidence)]

    def ask(self, count: int, seed: int) -> list[int]:
        """The rows whose correct values would tell most, the most telling first; judged rows are not asked again."""
        doubts = [4 * p * (1 - p) for p in self._likely]
        classes = [np.unique(one.traits()[:, :2], axis=0, return_inverse=True)[1].ravel() for one in self._evidence]
        return [row * self._every for row in rows_to_ask(doubts, classes, count, seed, self._labels.rows())]

    def suggest(self) -> Suggestions:
        """Every cell that is likely wrong, with a proposal where there is one, and the rules that they make."""
        cells: list[FlaggedCell] = []
        kinds: list[tuple[str, tuple[str, ...]]] = []
        for at, one in enumerate(self._evidence):
            self._tell(f"proposing for {one.column.name}", 0.75 + 0.25 * at / len(self._evidence))
            flagged = np.flatnonzero(self._likely[at] >= ENOUGH)
            found = self._proposed(one, flagged) if len(flagged) else []
            reasons = _reasons(one, np.array([row for row, made in found if made is None], dtype=np.int64))
            for row, made in found:
                kind, by = (made.kind, made.by) if made else ("unusual", (reasons[row],))
                wrong = float(self._likely[at][row])
                cells.append(
                    FlaggedCell(
                        row=row * self._every,
                        column=one.column.name,
                        value=one.column.text(row),
                        proposal=made.text if made else None,
                        rule=_named(kind, by),
                        precision=round(wrong, 3),
                        repaired=round(wrong * float(made.chance), 3) if made else None,
                    )
                )
                kinds.append((kind, by))
        counts = {
            one.column.name: dict(zip(one.column.values.to_list(), one.column.counts.tolist(), strict=True))
            for one in self._evidence
        }
        numeric = [one.column.name for one in self._evidence if leaves_numbers(one.column)]
        rules = [bounded(self._frame, rule) for rule in gathered(cells, kinds, counts, numeric)]
        rules += notation_rules(self._frame, self._right())
        order = {column: place for place, column in enumerate(self._frame.columns)}
        cells.sort(key=lambda cell: (cell.row, order[cell.column]))
        return Suggestions(cells, rules, len(self._frame) * self._frame.width)

    def _right(self) -> dict[str, set[str]]:
        """By column, the values that a person called right as they are."""
        found: dict[str, set[str]] = {}
        for (row, name), text in self._labels.given.items():
            if self._frame[name][row] == text:
                found.setdefault(name, set()).add(text)
        return found

    def _proposed(self, one: Evidence, flagged: Ints) -> list[tuple[int, Proposal | None]]:
        name = one.column.name
        given = {row: text for (row, column), text in self._labels.given.items() if column == name}
        pairs = {row: (one.column.text(row), text) for row, text in given.items() if one.column.text(row) != text}
        repairer = Repairer(one, self._frame.columns, flagged, pairs)
        return [
            (row, Proposal(pairs[row][1], "label", (), 1.0) if row in pairs else repairer.propose(row))
            for row in flagged.tolist()
        ]

    def _share(self) -> float:
        """How much of the table is wrong by the first guesses."""
        wrong = 0.0
        for one in self._evidence:
            for start in range(0, one.column.rows, _BLOCK):
                wrong += float(logistic(first_guess(one.features(slice(start, start + _BLOCK)))).sum())
        return wrong / (len(self._evidence) * len(self._frame))

    def _judged(self) -> Judged:
        features, traits, places, wrong = [], [], [], []
        by_column: dict[str, list[int]] = {}
        for row, name in self._labels.given:
            by_column.setdefault(name, []).append(row)
        for at, one in enumerate(self._evidence):
            rows = np.array(sorted(by_column.get(one.column.name, [])), dtype=np.int64)
            features.append(one.features(rows))
            traits.append(one.traits(rows))
            places.append(np.full(len(rows), at))
            wrong += [float(one.column.text(row) != self._labels.given[row, one.column.name]) for row in rows.tolist()]
        return Judged(np.concatenate(features), np.concatenate(traits), np.concatenate(places), np.array(wrong))

    def _likelihood(self, at: int, one: Evidence) -> Floats:
        likely = np.empty(one.column.rows)
        for start in range(0, one.column.rows, _BLOCK):
            rows = slice(start, start + _BLOCK)
            likely[rows] = self._judge.probabilities(at, one.features(rows), one.traits(rows))
        for (row, name), text in self._labels.given.items():
            if name == one.column.name:
                likely[row] = float(one.column.text(row) != text)
        return likely


_BLOCK = 1 << 16


def _named(kind: str, by: Sequence[str]) -> str:
    return kind if not by else f"{kind}: {', '.join(by)}"


def _reasons(one: Evidence, rows: Ints) -> dict[int, str]:
    """Why each cell without a proposal is flagged: its weightiest evidence."""
    if not len(rows):
        return {}
    strongest = contributions(one.features(rows)).argmax(axis=1)
    names = [NAMES[place] for place in strongest]
    said = [next((text for key, text in REASONS.items() if name.startswith(key)), REASONS["rare"]) for name in names]
    return dict(zip(rows.tolist(), said, strict=True))
