"""Expectations against something else that is known: the profile of a version, or another table."""

import math
from collections.abc import Callable
from typing import Any

import polars as pl

from heptad.core.errors import nearest
from heptad.data.expectations.definitions import (
    COUNT,
    Definition,
    ExpectationError,
    Outcome,
    Subject,
    Test,
    Told,
    as_stored,
    before,
    comparable,
    kind_of,
    within,
)
from heptad.data.expectations.settings import Reference
from heptad.data.profiles.distances import distance
from heptad.data.profiles.profile import ColumnProfile, Profiling
from heptad.data.profiles.sampling import Sampled
from heptad.data.records import Column

_NOTHING = Test(judge=lambda _: Outcome())
"""There is no version to compare with, or it did not profile the column: nothing is broken."""


def _profiled(subject: Subject) -> ColumnProfile | None:
    profile = subject.context.profile
    return profile.column(subject.name) if profile else None


def _compared(build: Callable[[Subject, float, ColumnProfile], Test]) -> Callable[[Subject, float], Test]:
    def made(subject: Subject, wanted: float) -> Test:
        known = _profiled(subject)
        return build(subject, wanted, known) if known is not None and known.rows else _NOTHING

    return made


def _drift(subject: Subject, most: float, known: ColumnProfile) -> Test:
    column = Column(name=subject.name, type=known.type)
    asked = Profiling(
        [column], subject.context.types, Sampled(edges={subject.name: known.edges}), subject.context.profile
    )
    empty = pl.LazyFrame(schema=dict(subject.context.types))
    plans = len(asked.plans(empty))

    def judge(told: Told) -> Outcome:
        tables = [told.tables[f"{place}"] for place in range(plans)]
        found = distance(known, asked.answer(told.values, tables).columns[0])
        said = f"{before(subject)}the distribution is {found:.3g} (PSI) from that of the version compared with"
        return Outcome(observed=found, sentence=f"{said}, more than {most:g}" if found > most else "")

    if subject.where is not None:
        raise ExpectationError(
            "drift cannot be of some rows: the profile compared with is of all.", allowed="no where, and no within"
        )
    return Test(
        values={one.meta.output_name(): one for one in asked.expressions()},
        tables={f"{place}": lambda rows, place=place: asked.plans(rows)[place] for place in range(plans)},  # type: ignore[misc] # bound now
        judge=judge,
    )


def _mean_shift(subject: Subject, most: float, known: ColumnProfile) -> Test:
    def judge(told: Told) -> Outcome:
        mean, deviation = told.values["mean"], known.deviation
        if mean is None or known.mean is None or deviation is None:
            return Outcome()
        gap = abs(mean - known.mean)
        shift = gap / deviation if deviation else math.inf if gap else 0.0
        said = f"{before(subject)}the mean is {mean:,.6g}, {shift:.3g} deviations from the {known.mean:,.6g} before"
        return Outcome(observed=shift, sentence=said if shift > most else "")

    return Test(values={"mean": subject.value.mean()}, judge=judge)


def _missing_rise(subject: Subject, most: float, known: ColumnProfile) -> Test:
    def judge(told: Told) -> Outcome:
        n, was = told.values["n"] or 0, known.missing / known.rows
        now = 1 - told.values["there"] / n if n else 0.0
        said = f"{before(subject)}{now:.1%} is missing, and {was:.1%} was before"
        return Outcome(observed=now - was, sentence=said if now - was > most + 1e-12 else "")

    return Test(values={"there": subject.value.count(), "n": subject.count()}, judge=judge)


def _unseen(subject: Subject, most: float, known: ColumnProfile) -> Test:
    if known.type not in {"category", "boolean"}:
        raise ExpectationError(f"{subject.name}.unseen is of values that are counted.", allowed="categories")
    stored = as_stored(known.values, subject.type, f"{subject.name}.unseen")
    new = ~comparable(subject.value, subject.type).is_in(stored.implode())

    def judge(told: Told) -> Outcome:
        looked_at, broken = told.values["there"], told.values["new"] or 0
        said = f"{before(subject)}{COUNT} values that the version compared with does not have"
        return Outcome(
            looked_at=looked_at,
            broken=broken,
            observed=broken / looked_at if looked_at else 0.0,
            sentence="" if within(broken, looked_at, most) else said,
        )

    return Test(
        values={"there": subject.value.count(), "new": new.sum()}, judge=judge, broken=lambda rows: rows.filter(new)
    )


def _references(subject: Subject, wanted: Reference) -> Test:
    """The values are looked up once each: how often they come is counted before."""
    table = subject.context.table
    setting = f"{subject.name}.references"
    if table is None:
        raise ExpectationError(
            f"{setting} names another table, and there is none here.", allowed="a project with sources"
        )
    other = table(wanted)
    types = other.collect_schema()
    if wanted.column not in types:
        raise ExpectationError(
            f"{setting} names the column {wanted.column!r}, and there is no such column in it.",
            allowed=nearest(wanted.column, types.names(), most=30),
        )
    if kind_of(types[wanted.column]) != kind_of(subject.type):
        raise ExpectationError(
            f"{setting}: {subject.name} holds {subject.type}, and {wanted.column} {types[wanted.column]}.",
            allowed="columns of one kind",
        )
    common: Any = pl.Float64 if kind_of(subject.type) == "number" and subject.type != types[wanted.column] else None
    there = _cast(pl.col(wanted.column), types[wanted.column], common)
    known = other.select(there.alias("\0known")).drop_nulls().unique()
    value = _cast(pl.col(subject.name), subject.type, common)

    def unknown(rows: pl.LazyFrame) -> pl.LazyFrame:
        present = subject.looked_at(rows).filter(pl.col(subject.name).is_not_null())
        return present.join(known, left_on=value, right_on="\0known", how="anti")

    return Test(
        values={"there": subject.value.count()},
        tables={"unknown": lambda rows: unknown(rows).select(pl.len())},
        judge=lambda told: Outcome(
            looked_at=told.values["there"],
            broken=(broken := told.tables["unknown"].item()),
            observed=broken,
            sentence=f"{subject.name}: {COUNT} values that {_place(wanted)} does not have" if broken else "",
        ),
        broken=unknown,
    )


def _cast(value: pl.Expr, kind: pl.DataType, common: Any) -> pl.Expr:
    return comparable(value, kind) if common is None else value.cast(common)


def _place(wanted: Reference) -> str:
    return f"{wanted.source or f'version {wanted.version}'}.{wanted.column}"


DEFINITIONS = [
    Definition("drift", "references", _compared(_drift), by_row=False),
    Definition("mean_shift", "references", _compared(_mean_shift), ("number",), by_row=False),
    Definition("missing_rise", "references", _compared(_missing_rise), by_row=False),
    Definition("unseen", "references", _compared(_unseen), by_row=False),
    Definition("references", "references", _references),
]
