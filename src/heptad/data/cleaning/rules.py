"""Repairs cells and sets rows aside by rule, as parts of one lazy query, with every change counted."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.columns.column_types import EXAMPLES, LOOKED_AT
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.passes import ask
from heptad.data.records import Repair

HUGE = 1e38
"""Numbers beyond this are no measurements, and models that compute in single precision cannot hold them."""
MARK = "\0"
"""What the names of columns begin with that cleaning adds for its account: they are no part of the table."""
ASIDE = f"{MARK}aside"
"""The column with the rule by which a row is set aside; null: it stays."""
PLACE = f"{MARK}place"
_FIRST = f"{MARK}first"
_CHANGED = f"{MARK}changed"

_Step = tuple[str, str, Callable[[pl.Expr], pl.Expr]]
"""Rule, column, and the repair as an expression of the column's values so far."""


class CellRepairs:
    """The repair of cells, no row dropped; only the rules of settings touch `protected` columns.

    In every column of numbers NaN, infinite and huge values become null; then come the rules of `[clean.columns]` in
    the order strip, lower, replace, range. As a question, asked of what `rows` made, it counts the cells that each
    step changed. Raises `DataError` for a rule whose column is not there or not of its kind.
    """

    def __init__(
        self, types: Mapping[str, pl.DataType], settings: CleanSettings, protected: Collection[str] = ()
    ) -> None:
        for name, rule in settings.columns.items():
            _check_rule(types, name, rule)
        self._steps = [step for name, kind in types.items() for step in _steps(kind, name, settings, protected)]

    def rows(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows repaired, in their order, with marks where a step changed something."""
        values: dict[str, pl.Expr] = {}
        marks = []
        for place, (_, name, repair) in enumerate(self._steps):
            before = values.get(name, pl.col(name))
            values[name] = repair(before)
            marks.append(values[name].ne_missing(before).alias(f"{_CHANGED}{place}"))
        return rows.with_columns(*(value.alias(name) for name, value in values.items()), *marks)

    def expressions(self) -> Sequence[pl.Expr]:
        return [pl.col(f"{_CHANGED}{place}").sum() for place in range(len(self._steps))]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        return ()

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> list[int]:
        del tables
        return list(values.values())

    def repairs(self, rows: pl.LazyFrame, counts: Sequence[int]) -> list[Repair]:
        """The repairs by what was counted, with examples out of the rows as they were before."""
        changed = [(place, cells) for place, cells in enumerate(counts) if cells]
        if not changed:
            return []
        marked = self.rows(rows.with_columns(pl.all().name.prefix(_FIRST)))
        examples = converse(marked, [self._examples(place) for place, _ in changed])
        return [
            Repair(rule=self._steps[place][0], column=self._steps[place][1], cells=cells, examples=shown)
            for (place, cells), shown in zip(changed, examples, strict=True)
        ]

    def _examples(self, place: int) -> Dialogue[list[str]]:
        values = pl.col(f"{_FIRST}{self._steps[place][1]}").filter(pl.col(f"{_CHANGED}{place}")).head(LOOKED_AT)
        told = yield Asking(samples={"shown": values.unique(maintain_order=True).head(EXAMPLES).cast(pl.String)})
        return told.samples["shown"].to_list()


def repair_cells(rows: pl.LazyFrame, settings: CleanSettings) -> tuple[pl.LazyFrame, list[Repair]]:
    """The rows with the rules of settings and nothing else applied, and what they did, counted in a pass of its own."""
    types = rows.collect_schema()
    repairing = CellRepairs(types, settings, protected=types.names())
    marked = repairing.rows(rows)
    return marked.select(types.names()), repairing.repairs(rows, ask(marked, repairing)[0])


def without_marks(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows as the table has them."""
    return rows.select(pl.exclude(rf"^{MARK}.*$"))


def _steps(kind: pl.DataType, name: str, settings: CleanSettings, protected: Collection[str]) -> Iterator[_Step]:
    if kind == pl.Float64 and name not in protected:
        yield "not_finite", name, lambda value: pl.when(value.is_finite()).then(value)
        yield "huge", name, lambda value: pl.when(value.abs() <= HUGE).then(value)
    rule = settings.columns.get(name)
    if rule is None:
        return
    if rule.strip:
        yield "strip", name, lambda value: value.str.strip_chars()
    if rule.lower:
        yield "lower", name, lambda value: value.str.to_lowercase()
    if rule.replace:
        yield "replace", name, lambda value: value.replace(rule.replace)
    if rule.min is not None or rule.max is not None:
        yield "outside", name, lambda value: _within(value, kind, rule)


def _within(value: pl.Expr, kind: pl.DataType, rule: CleanRule) -> pl.Expr:
    repaired = value
    if rule.min is not None:
        low = pl.lit(rule.min if rule.outside == "cap" else None).cast(kind)
        repaired = pl.when(value < rule.min).then(low).otherwise(repaired)
    if rule.max is not None:
        high = pl.lit(rule.max if rule.outside == "cap" else None).cast(kind)
        repaired = pl.when(value > rule.max).then(high).otherwise(repaired)
    return repaired


def _check_rule(types: Mapping[str, pl.DataType], name: str, rule: CleanRule) -> None:
    if name not in types:
        raise DataError(
            f"There is no column {name!r}, which [clean.columns] names.", allowed=nearest(name, list(types))
        )
    kind = types[name]
    ranged = rule.min is not None or rule.max is not None
    worded = rule.strip or rule.lower or rule.replace
    if (ranged and not kind.is_numeric()) or (worded and kind != pl.String):
        wanted = "min, max and outside are for numbers; strip, lower and replace for text"
        raise DataError(f"[clean.columns.{name}] has a rule that does not fit a column of {kind}.", allowed=wanted)


def duplicates(rows: pl.LazyFrame, columns: Sequence[str], key: Sequence[str]) -> pl.Series:
    """The places, from 0 and ascending, of rows that repeat an earlier one in all `columns`.

    A key, which copies share too, makes it cheaper to tell. Grouping spills; what is held grows with the copies.
    """
    group = list(key) or [f"{MARK}hash"]
    grouped = rows if key else rows.with_columns(pl.struct(columns).hash().alias(group[0]))
    shared = grouped.group_by(group).len().filter(pl.col("len") > 1).drop("len").collect(engine="streaming")
    if shared.is_empty():
        return pl.Series(PLACE, [], pl.Int64)
    placed = grouped.with_row_index(PLACE).with_columns(pl.col(PLACE).cast(pl.Int64))
    suspected = placed.join(shared.lazy(), on=group, how="semi", nulls_equal=True).cache()
    firsts = suspected.group_by(columns).agg(pl.col(PLACE).min())
    repeated = suspected.select(PLACE).join(firsts.select(PLACE), on=PLACE, how="anti")
    return repeated.sort(PLACE).collect(engine="streaming")[PLACE]


def at_places(places: pl.Series) -> pl.Expr:
    """Whether a row is at one of some places, ascending, of rows with their place in the column `PLACE`."""
    wanted = places.to_numpy()

    def found(batch: pl.Series) -> pl.Series:
        asked = batch.to_numpy()
        near = np.minimum(np.searchsorted(wanted, asked), len(wanted) - 1)
        return pl.Series(batch.name, wanted[near] == asked)

    return pl.col(PLACE).map_batches(found, return_dtype=pl.Boolean, is_elementwise=True)


class SettingAside:
    """Takes rows out by rule (name to which rows, in marked rows); a row goes by the first rule that wants it.

    As a question, asked of what `rows` made, it counts the rows that each rule took. No row is lost: those that stay
    and those set aside are together as many as came in.
    """

    def __init__(self, rules: Mapping[str, pl.Expr]) -> None:
        self._rules = rules

    def rows(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """All rows, those that go with their rule in the column `ASIDE`."""
        rule = pl.coalesce(
            [
                *(pl.when(wanted).then(pl.lit(name)).otherwise(None) for name, wanted in self._rules.items()),
                pl.lit(None, pl.String),
            ]
        )
        return rows.with_columns(rule.alias(ASIDE))

    def expressions(self) -> Sequence[pl.Expr]:
        return [(pl.col(ASIDE) == name).sum().alias(name) for name in self._rules]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        return ()

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> list[Repair]:
        del tables
        return [Repair(rule=name, rows=values[name]) for name in self._rules if values[name]]


def rows_aside(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Of marked rows those that go: the `rule`, and the `row` itself as JSON."""
    gone = rows.filter(pl.col(ASIDE).is_not_null())
    return gone.select(rule=ASIDE, row=pl.struct(pl.exclude(rf"^{MARK}.*$")).struct.json_encode())
