"""Repairs cells by rule, as parts of one lazy query, with every change counted."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count, zip_longest
from typing import Any, NamedTuple, TypeAlias

import msgspec
import polars as pl

from heptad.data.cleaning.aside import ASIDE, CAME, MARK, rows_aside, without_marks
from heptad.data.cleaning.checking import check_rules
from heptad.data.cleaning.groups import fit_votes
from heptad.data.cleaning.kinds import CORRECTED, FAR, GROUP, STAGES, read_as, steps_of
from heptad.data.cleaning.limits import fit_outliers
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.cleaning.steps import Step, lost
from heptad.data.columns.column_types import EXAMPLES, LOOKED_AT
from heptad.data.columns.conditions import compile_condition
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.passes import ask
from heptad.data.records import Finding, Fitted, Repair

FIRST = 100_000
"""Rows among which examples are looked for first."""
_FIRST, _BEFORE, _CHANGED, _LOST, _GONE = (f"{MARK}{word} " for word in ("first", "before", "changed", "lost", "gone"))
MADE_MISSING = ", made missing"
"""What the rule of a repair is called by besides, where it could not use the cells."""


Correct: TypeAlias = Callable[[Mapping[str, pl.DataType]], list[Step]]
"""Of the types that all rules left: the steps that put right what a person knows better."""


class Mark(NamedTuple):
    """A column of truth values beside the rows: cells that a step changed, or rows that it wants."""

    name: str
    step: Step
    changed: bool
    rule: str
    """What its repair is told by."""


class CellRepairs:
    """The repair of cells, no row dropped; only the rules of settings touch `protected` columns.

    In every column of numbers NaN, infinite and huge values become null; the rules of `[clean.columns]` come in the
    order of `cleaning.kinds`, and what `correct` puts right at last. As a question, asked of what `rows` made, it
    counts the cells that each step changed and the rows that it wants. `fitted` is what rules that look at other rows
    go by: see `fit_repairs`. Raises `DataError` with every rule that cannot be applied.
    """

    def __init__(
        self,
        types: Mapping[str, pl.DataType],
        settings: CleanSettings,
        protected: Collection[str] = (),
        fitted: Fitted | None = None,
        correct: Correct | None = None,
    ) -> None:
        check_rules(types, settings)
        self.fitted = fitted or Fitted()
        self.stages = steps_of(types, settings, protected, self.fitted)
        if correct is not None:
            kinds = {step.column: step.kind for stage in self.stages for step in stage if step.kind is not None}
            self.stages[CORRECTED] = correct({**types, **kinds})
        self._read = [name for name, rule in settings.columns.items() if read_as(rule) and rule.unread != "null"]
        self.marks = [
            mark
            for place, step in enumerate(step for stage in self.stages for step in stage)
            for mark in _marks(place, step)
        ]

    def rows(self, rows: pl.LazyFrame, until: int = len(STAGES)) -> pl.LazyFrame:
        """The rows repaired, in their order, with marks where a step changed something; the stages before `until`."""
        rows = rows.with_columns(pl.col(name).alias(f"{CAME}{name}") for name in self._read)
        place = count()
        for stage in self.stages[:until]:
            for layer in _layers([(next(place), step) for step in stage]):
                values = [step.repair(pl.col(step.column)).alias(step.column) for _, step in layer]
                before = [pl.col(step.column).alias(f"{_BEFORE}{at}") for at, step in layer]
                wanted = [one for at, step in layer for one in _wanted(at, step)]
                changed = [one for at, step in layer for one in _changed(at, step)]
                # Two projections: within one, the engine would compute a repair again wherever it is mentioned.
                rows = rows.with_columns(*values, *before, *wanted).with_columns(changed)
        return rows

    def unfit(self) -> dict[str, pl.Expr]:
        """Rule to which of the marked rows are set aside for a cell."""
        return {
            mark.step.name: pl.col(mark.name)
            for mark in self.marks
            if not (mark.changed or mark.step.refuses or mark.step.noted or mark.step.adds)
        }

    def refused(self, rows: pl.LazyFrame, counts: Sequence[int]) -> list[pl.LazyFrame]:
        """Of marked rows those that refuse the version, as `rows_aside` shows them; they are set aside by no rule."""
        return [
            rows_aside(rows.filter(mark.name).with_columns(pl.lit(mark.step.name).alias(ASIDE)))
            for mark, wanted in zip(self.marks, counts, strict=True)
            if wanted and mark.step.refuses and not mark.changed
        ]

    def expressions(self) -> Sequence[pl.Expr]:
        return [pl.col(mark.name).sum() for mark in self.marks]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        return ()

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> list[int]:
        del tables
        return list(values.values())

    def repairs(self, rows: pl.LazyFrame, counts: Sequence[int]) -> list[Repair]:
        """The repairs by what was counted, with examples out of the rows as they were before."""
        changed = {mark: cells for mark, cells in zip(self.marks, counts, strict=True) if cells and mark.changed}
        if not changed:
            return []
        # Earlier rules of a column whose values are hidden at last would show them, too.
        private = {mark.step.column for mark in self.marks if mark.step.hides}
        hidden = {mark: list[str]() for mark in changed if mark.step.column in private}
        changed_shown = [mark for mark in changed if mark not in hidden]
        # Most rules are met among the first rows; what is not costs a look at all of them.
        first = self._beside(rows.head(FIRST)).collect(engine="streaming")
        shown = {mark: _shown(first, mark) for mark in changed_shown if _is_enough(first, mark, changed[mark])}
        rest = [mark for mark in changed_shown if mark not in shown]
        shown |= dict(zip(rest, converse(self._beside(rows), [_examples(mark) for mark in rest]), strict=True)) | hidden
        return [
            Repair(rule=mark.rule, column=mark.step.column, cells=cells, examples=shown[mark])
            for mark, cells in changed.items()
        ]

    def _beside(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The repaired rows with every cell as it was before."""
        return self.rows(rows.with_columns(pl.all().name.prefix(_FIRST)))

    def findings(self, counts: Sequence[int]) -> list[Finding]:
        """What stays and has to be known: values that refuse the version, outliers, groups that do not agree."""
        found = [
            Finding(
                expectation="robust" if mark.step.noted else "clean",
                column=mark.step.column,
                severity="error" if mark.step.refuses else "warning",
                passed=False,
                failing_rows=rows,
                sentence=f"{mark.step.column}: {rows:,} {_SENTENCES[mark.step.noted].format(mark.step.rule)}",
            )
            for mark, rows in zip(self.marks, counts, strict=True)
            if rows and not mark.changed and (mark.step.refuses or mark.step.noted)
        ]
        return found + [
            Finding(
                expectation="told_by", column=column, severity="warning", passed=False, failing_rows=groups,
                sentence=f"{column}: {groups:,} groups of rows disagree, and no value has the share that told_by needs",
            )
            for column, groups in self.fitted.unsure.items() if groups
        ]  # fmt: skip


def _layers(steps: Sequence[tuple[int, Step]]) -> list[list[tuple[int, Step]]]:
    """The first step of every column together, then the second ones: each sees what the one before it made."""
    columns: dict[str, list[tuple[int, Step]]] = {}
    for at, step in steps:
        columns.setdefault(step.column, []).append((at, step))
    return [[one for one in layer if one is not None] for layer in zip_longest(*columns.values())]


def _marks(at: int, step: Step) -> Iterator[Mark]:
    """What is counted of a step: cells that it changed, cells that it could not use, rows that it wants."""
    if not (step.loses and step.changed is lost):
        yield Mark(f"{_CHANGED}{at}", step, changed=True, rule=step.rule)
    if step.loses:
        yield Mark(f"{_LOST}{at}", step, changed=True, rule=f"{step.rule}{MADE_MISSING}")
    if step.gone is not None:
        yield Mark(f"{_GONE}{at}", step, changed=False, rule=step.rule)


def _changed(at: int, step: Step) -> Iterator[pl.Expr]:
    """The cells that a step changed, and apart from them those that it could not use, as far as there are marks."""
    before, after = pl.col(f"{_BEFORE}{at}"), pl.col(step.column)
    changed = step.changed(before, after)
    if not step.loses:
        yield changed.alias(f"{_CHANGED}{at}")
    elif step.changed is lost:
        yield changed.alias(f"{_LOST}{at}")
    else:
        yield (changed & after.is_not_null()).alias(f"{_CHANGED}{at}")
        yield lost(before, after).alias(f"{_LOST}{at}")


def _wanted(at: int, step: Step) -> list[pl.Expr]:
    """The rows that a step wants, and the column that says so where it adds one."""
    if step.gone is None:
        return []
    wanted = step.gone(pl.col(step.column)).fill_null(value=False)
    return [wanted.alias(name) for name in (f"{_GONE}{at}", step.adds) if name]


def _examples(mark: Mark) -> Dialogue[list[str]]:
    told = yield Asking(samples={"shown": _values(mark)})
    return told.samples["shown"].to_list()


def _shown(rows: pl.DataFrame, mark: Mark) -> list[str]:
    return rows.select(_values(mark)).to_series().to_list()


def _values(mark: Mark) -> pl.Expr:
    values = pl.col(f"{_FIRST}{mark.step.column}").filter(pl.col(mark.name)).head(LOOKED_AT)
    # A cell that was missing is no example of anything.
    return values.drop_nulls().unique(maintain_order=True).head(EXAMPLES).cast(pl.String)


def _is_enough(rows: pl.DataFrame, mark: Mark, cells: int) -> bool:
    """Whether these rows have all the values that are looked at for examples."""
    return int(rows[mark.name].sum()) >= min(cells, LOOKED_AT)


_SENTENCES = {
    True: "outliers are kept; learn from them with a model that bears it, or squeeze them with outlying = 'log'",
    False: "values that {} refuses",
}


def fit_repairs(
    rows: pl.LazyFrame,
    settings: CleanSettings,
    protected: Collection[str] = (),
    known: Fitted | None = None,
    correct: Correct | None = None,
) -> CellRepairs:
    """The repairs with what their rules learn of these rows, each of rows that the earlier stages repaired.

    Bounds of ordinary numbers that are `known` bind, so that a row's fate does not depend on later rows; groups vote
    anew. Without such a rule no pass is made.
    """
    types = rows.collect_schema()
    known = known or Fitted()
    fitted = Fitted(bounds=known.bounds)
    rules = settings.columns
    voting = {name: rule for name, rule in rules.items() if rule.told_by}
    if voting:
        repaired = CellRepairs(types, settings, protected, fitted).rows(rows, until=GROUP)
        told = converse(repaired, [fit_votes(name, rule) for name, rule in voting.items()])
        fitted = Fitted(
            bounds=known.bounds,
            votes={name: votes for name, (votes, _) in zip(voting, told, strict=True)},
            unsure={name: unsure for name, (_, unsure) in zip(voting, told, strict=True) if unsure},
        )
    far = {name: rule for name, rule in rules.items() if rule.outliers and name not in known.bounds}
    if far:
        repaired = CellRepairs(types, settings, protected, fitted).rows(rows, until=FAR)
        bounds = converse(repaired, [fit_outliers(name, rule) for name, rule in far.items()])
        bound = known.bounds | dict(zip(far, bounds, strict=True))
        fitted = Fitted(bounds=bound, votes=fitted.votes, unsure=fitted.unsure)
    return CellRepairs(types, settings, protected, fitted, correct)


def rows_where(settings: CleanSettings, types: Mapping[str, pl.DataType]) -> dict[str, pl.Expr]:
    """Kind of rows to which of the repaired rows are of it: none of which a missing value leaves it open."""
    return {
        name: compile_condition(rule.where, types, f"[clean.rows.{name}] where").fill_null(value=False)
        for name, rule in settings.rows.items()
    }


def repair_cells(rows: pl.LazyFrame, settings: CleanSettings) -> tuple[pl.LazyFrame, list[Repair]]:
    """The rows with the rules of single cells and nothing else applied, and what they did, counted in a pass."""
    types = rows.collect_schema()
    columns = {name: _alone(rule) for name, rule in settings.columns.items()}
    repairing = CellRepairs(types, CleanSettings(columns=columns), protected=types.names())
    marked = repairing.rows(rows)
    return without_marks(marked), repairing.repairs(rows, ask(marked, repairing)[0])


def _alone(rule: CleanRule) -> CleanRule:
    """The rule as far as it looks at nothing but the cell, and sets no row aside; what hides it comes in the table."""
    plain = msgspec.structs.replace(rule, told_by=[], outliers="", fill=None, fill_from="")
    return msgspec.structs.replace(plain, pseudonym="", mask=None, band=0, period="", prefix=0)
