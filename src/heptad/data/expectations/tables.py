"""Expectations of the table: its columns, how many rows it has, and how that compares with versions and sources."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

import msgspec
import polars as pl

from heptad.data.expectations.definitions import (
    Definition,
    ExpectationError,
    Late,
    Outcome,
    Subject,
    Test,
    Told,
    between,
    in_range,
    listed,
)
from heptad.data.expectations.settings import Range, Reference, RowsOf

VERSIONS = 5
"""Versions before whose rows are what is usual."""
GROWN = (
    "; a version that is refused does not change what is usual, so where so many are right, raise max until the "
    "versions before have them"
)


def _rows(subject: Subject, wanted: Range) -> Test:
    return between(subject, subject.count(), wanted, "the number of rows")


def _volume(subject: Subject, wanted: Range) -> Test:
    if subject.late is not None:
        return _volume_of_late(subject, subject.late, wanted)
    volumes = subject.context.volumes[:VERSIONS]
    usual = median(volumes) if volumes else 0

    def judge(told: Told) -> Outcome:
        what = f"rows as a multiple of the usual {usual:,.0f}"
        found = in_range(told.values["value"] / usual if usual else None, wanted, subject, what)
        grown = found.observed is not None and wanted.max is not None and float(found.observed) > wanted.max
        return msgspec.structs.replace(found, sentence=found.sentence + GROWN) if grown else found

    return Test(values={"value": subject.count()}, judge=judge)


def _volume_of_late(subject: Subject, late: Late, wanted: Range) -> Test:
    """The stretches before the last one are what is usual, as far back as the table goes."""
    numbers = range(1, VERSIONS + 1)

    def judge(told: Told) -> Outcome:
        first: datetime | None = told.values["first"]
        whole = [told.values[f"{number}"] for number in numbers if first is not None and first <= late.began(number)]
        usual = median(whole) if whole else 0
        what = f"rows since {late.began(0):%Y-%m-%d %H:%M} UTC as a multiple of the usual {usual:,.0f} of such a time"
        return in_range(told.values["value"] / usual if usual else None, wanted, subject, what)

    counts = {f"{number}": late.rows(number).sum() for number in numbers}
    return Test(values={"value": subject.count(), "first": late.time.min(), **counts}, judge=judge)


def _rows_of(subject: Subject, wanted: RowsOf) -> Test:
    table = subject.context.table
    if table is None:
        raise ExpectationError(
            f"rows_of names the source {wanted.source!r}, and there are no sources here.", allowed="a project"
        )
    other = table(Reference(source=wanted.source, column=""))

    def judge(told: Told) -> Outcome:
        rows = told.tables["other"].item()
        ratio, what = told.values["value"] / rows if rows else None, f"rows as a multiple of those of {wanted.source}"
        return in_range(ratio, Range(min=wanted.min, max=wanted.max), subject, what)

    return Test(values={"value": subject.count()}, tables={"other": lambda _: other.select(pl.len())}, judge=judge)


def _columns(subject: Subject, wanted: Sequence[str]) -> Test:
    there = list(subject.context.types)
    lacking, more = [one for one in wanted if one not in there], [one for one in there if one not in wanted]
    said = [*([f"lacking {listed(lacking)}"] if lacking else ()), *([f"besides {listed(more)}"] if more else ())]
    return Test(judge=lambda _: Outcome(sentence=f"the columns are others: {'; '.join(said)}" if said else ""))


def _columns_in_order(subject: Subject, wanted: Sequence[str]) -> Test:
    there = list(subject.context.types)
    said = f"the columns are {listed(there, 30)}, not {listed(wanted, 30)}" if there != list(wanted) else ""
    return Test(judge=lambda _: Outcome(sentence=said))


def _column_count(subject: Subject, wanted: Range) -> Test:
    count = len(subject.context.types)
    return Test(judge=lambda _: in_range(count, wanted, subject, "the number of columns"))


def present(subject: Subject, wanted: bool) -> Test:
    """The only expectation of a column that may be about one that is not there."""
    there = subject.name in subject.context.types
    said = "the column is gone" if wanted else "there should be no such column"
    return Test(judge=lambda _: Outcome(sentence="" if there == wanted else f"{subject.name}: {said}"))


DEFINITIONS = [
    Definition("present", "tables", present, by_row=False),
    Definition("rows", "tables", _rows, by_row=False, needs_column=False),
    Definition("volume", "tables", _volume, by_row=False, needs_column=False),
    Definition("rows_of", "tables", _rows_of, by_row=False, needs_column=False),
    Definition("columns", "tables", _columns, by_row=False, needs_column=False),
    Definition("columns_in_order", "tables", _columns_in_order, by_row=False, needs_column=False),
    Definition("column_count", "tables", _column_count, by_row=False, needs_column=False),
]
