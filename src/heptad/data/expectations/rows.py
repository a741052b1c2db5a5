"""Expectations of whole rows: how the values of several columns go together."""

import inspect
from collections.abc import Sequence
from functools import reduce
from itertools import combinations, pairwise

import polars as pl

from heptad.core.errors import nearest
from heptad.data.assembling.function import ProjectFunction
from heptad.data.columns.conditions import checked_truth, compile_condition
from heptad.data.columns.schema import named_columns
from heptad.data.expectations.definitions import (
    COUNT,
    Definition,
    ExpectationError,
    Outcome,
    Subject,
    Test,
    Told,
    as_stored,
    by_row,
    comparable,
    in_range,
    kind_of,
    listed,
)
from heptad.data.expectations.sets import unique
from heptad.data.expectations.settings import Combinations, Correlation, Dependency, Range

_DIFFERENT = "\0different"


def _check(subject: Subject, text: str) -> Test:
    held = compile_condition(text, subject.context.types, "check")
    return by_row(subject, subject.holds(held), f"rows where it is not so that {text}")


def _function(subject: Subject, address: str) -> Test:
    function = ProjectFunction(subject.context.root, address, "[[expect.table]] function").load()
    types = subject.context.types
    given = list(inspect.signature(function).parameters)
    for name in given:
        there(subject, [name], f"{address} has a parameter")
    try:
        held = function(*(pl.col(name) for name in given))
    except Exception as error:
        raise ExpectationError(
            f"{address} failed: {type(error).__name__}: {error}.",
            allowed="a function of polars expressions, named after columns, that answers one",
        ) from error
    if not isinstance(held, pl.Expr):
        raise ExpectationError(f"{address} answered a {type(held).__name__}.", allowed="a polars expression")
    return by_row(subject, subject.holds(checked_truth(held, types, address)), f"rows that {address} does not hold for")


def there(subject: Subject, columns: Sequence[str], setting: str, least: int = 1) -> list[str]:
    """The columns, all of which are there; raises `ExpectationError`."""
    types = subject.context.types
    for name in columns:
        if name not in types:
            raise ExpectationError(
                f"{setting} {name!r}, and there is no such column.",
                allowed=nearest(name, named_columns(types), most=30),
            )
    if len(columns) < least:
        raise ExpectationError(f"{setting} only {listed(columns)}.", allowed=f"at least {least} columns")
    return list(columns)


def _alike(subject: Subject, columns: Sequence[str], setting: str) -> list[pl.Expr]:
    """Columns that compare with each other."""
    names = there(subject, columns, f"{setting} names", least=2)
    kinds = {name: kind_of(subject.context.types[name]) for name in names}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{name} {subject.context.types[name]}" for name in names)
        raise ExpectationError(f"{setting} names columns that do not compare: {told}.", allowed="columns of one kind")
    return [comparable(pl.col(name), subject.context.types[name]) for name in names]


def _of_pairs(subject: Subject, held: Sequence[pl.Expr], words: str) -> Test:
    """Rows with a missing value are held to what the values that are there say."""
    return by_row(subject, subject.holds(reduce(pl.Expr.__and__, held)), words)


def _ordered(subject: Subject, columns: Sequence[str]) -> Test:
    values = _alike(subject, columns, "ordered")
    held = [low <= high for low, high in pairwise(values)]
    return _of_pairs(subject, held, f"rows where {' <= '.join(columns)} is not so")


def _equal(subject: Subject, columns: Sequence[str]) -> Test:
    first, *others = _alike(subject, columns, "equal")
    return _of_pairs(subject, [first == one for one in others], f"rows where {', '.join(columns)} are not equal")


def _unlike(subject: Subject, columns: Sequence[str]) -> Test:
    values = _alike(subject, columns, "different")
    held = [one != other for one, other in combinations(values, 2)]
    return _of_pairs(subject, held, f"rows where {', '.join(columns)} are not all different")


def _combinations(subject: Subject, wanted: Combinations) -> Test:
    names = there(subject, wanted.of, "combinations names", least=2)
    if wrong := [one for one in wanted.allowed if len(one) != len(names)]:
        raise ExpectationError(
            f"combinations has {wrong[0]} for {', '.join(names)}.", allowed=f"lists of {len(names)} values"
        )
    types = subject.context.types
    stored = {
        name: as_stored([one[place] for one in wanted.allowed], types[name], f"combinations of {name}")
        for place, name in enumerate(names)
    }
    rows = list(zip(*stored.values(), strict=True))
    values = [comparable(pl.col(name), types[name]) for name in names]
    found = [reduce(pl.Expr.__and__, [value == one for value, one in zip(values, row, strict=True)]) for row in rows]
    complete = pl.all_horizontal(*(value.is_not_null() for value in values))
    held = pl.when(complete).then(pl.any_horizontal(*found))
    return by_row(subject, subject.holds(held), f"rows with other values of {', '.join(names)}")


def _together(subject: Subject, columns: Sequence[str]) -> Test:
    first, *others = (pl.col(name).is_null() for name in there(subject, columns, "together names", least=2))
    held = reduce(pl.Expr.__and__, [first == one for one in others])
    return by_row(subject, subject.holds(held), f"rows where some of {', '.join(columns)} are missing", subject.count())


def _any_present(subject: Subject, columns: Sequence[str]) -> Test:
    held = pl.any_horizontal(*(pl.col(name).is_not_null() for name in there(subject, columns, "any_present names")))
    return by_row(subject, subject.holds(held), f"rows where all of {', '.join(columns)} are missing", subject.count())


def _unique_rows(name: str, *, nulls_alike: bool) -> Definition:
    def build(subject: Subject, columns: Sequence[str]) -> Test:
        names = there(subject, columns, f"{name} names")
        words = f"{', '.join(names)}: not unique, {COUNT} rows share theirs with another"
        return unique(subject, names, words, nulls_alike=nulls_alike)

    return Definition(name, "rows", build, needs_column=False)


def _determines(subject: Subject, wanted: Dependency) -> Test:
    """Groups whose values differ break it, all of their rows: which of them are wrong is not for this to say."""
    by, of = there(subject, wanted.by, "determines.by names"), there(subject, wanted.of, "determines.of names")

    def groups(rows: pl.LazyFrame) -> pl.LazyFrame:
        present = subject.looked_at(rows).drop_nulls([*by, *of])
        varied = [pl.col(name).min() != pl.col(name).max() for name in of]
        return present.group_by(by).agg(pl.len().alias("n"), pl.any_horizontal(*varied).alias(_DIFFERENT))

    differ = pl.col(_DIFFERENT)
    said = f"{', '.join(by)} does not settle {', '.join(of)}: {COUNT} rows are of groups that differ"

    def judge(told: Told) -> Outcome:
        looked_at, broken = told.tables["groups"].row(0)
        return Outcome(looked_at=looked_at, broken=broken, observed=broken, sentence=said if broken else "")

    return Test(
        tables={
            "groups": lambda rows: groups(rows).select(pl.col("n").sum(), pl.col("n").filter(differ).sum().alias("m"))
        },
        judge=judge,
        broken=lambda rows: (
            subject.looked_at(rows).drop_nulls([*by, *of]).join(groups(rows).filter(differ), on=by, how="semi")
        ),
        about=[*by, *of],
    )


def _correlation(subject: Subject, wanted: Correlation) -> Test:
    names = there(subject, wanted.of, "correlation names", least=2)
    if len(names) > 2 or any(kind_of(subject.context.types[name]) != "number" for name in names):
        raise ExpectationError(f"correlation names {', '.join(names)}.", allowed="two columns of numbers")
    first, second = (subject.column(name).cast(pl.Float64) for name in names)
    limits = Range(min=wanted.min, max=wanted.max)

    unknown = first.is_not_null() & second.is_not_null() & ~(first.is_finite() & second.is_finite())

    def judge(told: Told) -> Outcome:
        value = told.values["value"]
        # Of numbers that are all finite it is NaN where one of them never changes; of others it lies in no range.
        constant = value is not None and value != value and not told.values["unknown"]  # noqa: PLR0124 - NaN
        return in_range(None if constant else value, limits, subject, f"the correlation of {names[0]} and {names[1]}")

    return Test(values={"value": pl.corr(first, second), "unknown": unknown.any()}, judge=judge)


DEFINITIONS = [
    Definition("check", "rows", _check, needs_column=False),
    Definition("function", "rows", _function, needs_column=False),
    Definition("ordered", "rows", _ordered, needs_column=False),
    Definition("equal", "rows", _equal, needs_column=False),
    Definition("different", "rows", _unlike, needs_column=False),
    Definition("combinations", "rows", _combinations, needs_column=False),
    Definition("together", "rows", _together, needs_column=False),
    Definition("any_present", "rows", _any_present, needs_column=False),
    _unique_rows("unique", nulls_alike=False),
    _unique_rows("unique_with_missing", nulls_alike=True),
    Definition("determines", "rows", _determines, needs_column=False),
    Definition("correlation", "rows", _correlation, by_row=False, needs_column=False),
]
