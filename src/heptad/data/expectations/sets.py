"""Expectations of which values a column has, and how often they come: what has to be grouped to be told."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import polars as pl

from heptad.data.expectations.definitions import (
    COUNT,
    Definition,
    ExpectationError,
    Outcome,
    Query,
    Subject,
    Test,
    Told,
    as_stored,
    before,
    comparable,
    in_range,
    listed,
)
from heptad.data.expectations.settings import Range, Value
from heptad.data.expectations.values import allowed

_TIMES = "\0times"


def unique(subject: Subject, columns: Sequence[str], words: str, *, nulls_alike: bool = False) -> Test:
    """No two rows that are looked at share their values in the columns; rows with a missing one only if they may."""

    def shared(rows: pl.LazyFrame) -> pl.LazyFrame:
        # What is not read is left out before rows are shared among queries.
        read = set(columns) | (set(subject.where.meta.root_names()) if subject.where is not None else set())
        looked_at = subject.looked_at(rows.select(name for name in subject.context.types if name in read))
        present = looked_at if nulls_alike else looked_at.drop_nulls(columns)
        return present.group_by(list(columns)).agg(pl.len().alias(_TIMES))

    times = pl.col(_TIMES)

    def judge(told: Told) -> Outcome:
        looked_at, broken = told.tables["shared"].row(0)
        return Outcome(looked_at=looked_at, broken=broken, observed=broken, sentence=words if broken else "")

    return Test(
        tables={"shared": lambda rows: shared(rows).select(times.sum().alias("n"), times.filter(times > 1).sum())},
        judge=judge,
        broken=lambda rows: subject.looked_at(rows).join(
            shared(rows).filter(times > 1), on=list(columns), how="semi", nulls_equal=True
        ),
        about=columns,
    )


def _unique(subject: Subject, wanted: bool) -> Test:
    if not wanted:
        raise ExpectationError("unique = false expects nothing.", allowed="unique = true, or leaving it out")
    return unique(subject, [subject.name], f"{subject.name}: not unique, {COUNT} rows share theirs with another")


def _different(subject: Subject) -> Query:
    """How many different values there are."""
    value = pl.col(subject.name)
    return lambda rows: subject.looked_at(rows).select(value).drop_nulls().unique().select(pl.len())


def _distinct(subject: Subject, wanted: Range) -> Test:
    return Test(
        tables={"different": _different(subject)},
        judge=lambda told: in_range(told.tables["different"].item(), wanted, subject, "the number of different values"),
    )


def _distinct_share(subject: Subject, wanted: Range) -> Test:
    def judge(told: Told) -> Outcome:
        n = told.values["n"]
        share = told.tables["different"].item() / n if n else None
        return in_range(share, wanted, subject, "the share of different values")

    return Test(values={"n": subject.value.count()}, tables={"different": _different(subject)}, judge=judge)


def _includes(subject: Subject, values: Sequence[Value]) -> Test:
    stored = as_stored(values, subject.type, f"{subject.name}.includes").unique(maintain_order=True)
    value = comparable(subject.value, subject.type)

    def judge(told: Told) -> Outcome:
        lacking = [one for place, one in enumerate(stored) if not told.values[f"{place}"]]
        return Outcome(
            observed=len(stored) - len(lacking),
            sentence=f"{before(subject)}{listed(lacking)} never comes" if lacking else "",
        )

    return Test(
        values={f"{place}": (value == stored[place : place + 1].first()).any() for place in range(len(stored))},
        judge=judge,
    )


def _values(subject: Subject, values: Sequence[Value]) -> Test:
    only, each = allowed(subject, values), _includes(subject, values)

    def judge(told: Told) -> Outcome:
        found, lacking = only.judge(told), each.judge(told)
        said = [one for one in (found.sentence, lacking.sentence.removeprefix(before(subject))) if one]
        return msgspec.structs.replace(found, sentence="; ".join(said))

    return Test(values={**only.values, **each.values}, judge=judge, broken=only.broken, about=only.about)


def _most_common(name: str, held: Callable[[list[Any], list[Any]], bool], words: str) -> Definition:
    def build(subject: Subject, values: Sequence[Value]) -> Test:
        stored = as_stored(values, subject.type, f"{subject.name}.{name}").to_list()
        value = comparable(pl.col(subject.name), subject.type)

        def most(rows: pl.LazyFrame) -> pl.LazyFrame:
            tally = subject.looked_at(rows).select(value.alias("value")).drop_nulls().group_by("value").agg(pl.len())
            return tally.filter(pl.col("len") == pl.col("len").max()).head(1000)

        def judge(told: Told) -> Outcome:
            top = told.tables["most"]["value"].sort().to_list()
            said = f"{before(subject)}the most common value is {listed(top) or 'none'}, not {words} {listed(values)}"
            return Outcome(observed=listed(top), sentence="" if held(top, stored) else said)

        return Test(tables={"most": most}, judge=judge)

    return Definition(name, "sets", build, by_row=False)


DEFINITIONS = [
    Definition("unique", "sets", _unique),
    Definition("distinct", "sets", _distinct, by_row=False),
    Definition("distinct_share", "sets", _distinct_share, by_row=False),
    Definition("includes", "sets", _includes, by_row=False),
    Definition("values", "sets", _values, by_row=False),
    _most_common("most_common", lambda top, wanted: not top or any(one in wanted for one in top), "one of"),
    _most_common("most_common_alone", lambda top, wanted: len(top) == 1 and top[0] in wanted, "a single one of"),
]
