"""Splits keep the future out of training, keep rows on their side, and say what they did."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data import Column, Fold, Schema, Sides, sides_by_time
from heptad.training.splits import Parts, folds_of, part, parted_by_newest, parted_by_time, thin

START = datetime(2026, 1, 1, tzinfo=UTC)


def schema_of(*, timed: bool = False, known: bool = False, regression: bool = False) -> Schema:
    columns = [Column(name="id", type="category", role="key"), Column(name="x", type="number")]
    if timed:
        columns.append(Column(name="when", type="datetime", role="time"))
    if known:
        columns.append(Column(name="known", type="datetime", role="label_time"))
    columns.append(Column(name="y", type="number" if regression else "category", role="target"))
    return Schema(
        columns=columns,
        task="regression" if regression else "classification",
        classes=[] if regression else ["no", "yes"],
    )


def table(rows: int, positives: int, first: int = 0) -> pl.DataFrame:
    """Rows an hour apart, the first `positives` of which are positive."""
    times = [START + timedelta(hours=hour) for hour in range(rows)]
    return pl.DataFrame(
        {
            "id": [f"row-{number}" for number in range(first, first + rows)],
            "x": np.arange(rows, dtype=float),
            "when": times,
            "known": [time + timedelta(hours=12) for time in times],
            "y": ["yes"] * positives + ["no"] * (rows - positives),
        },
        schema_overrides={"when": pl.Datetime("us", "UTC"), "known": pl.Datetime("us", "UTC")},
    )


def by_time(frame: pl.DataFrame, schema: Schema, until: datetime, **window: Any) -> Parts:
    return part(frame, parted_by_time(schema, train_until=until, **{"window": "all"} | window), None)


def newest(frame: pl.DataFrame, schema: Schema, holdout: float, group: Sequence[str] = ()) -> Parts:
    parted = parted_by_newest(frame.lazy(), schema, window="all", holdout=holdout, group=group)
    return part(frame, parted, None)


def folds_by_time(frame: pl.DataFrame, schema: Schema, group: Sequence[str] = ()) -> list[Fold]:
    known = schema.named("label_time")
    sides = sides_by_time(frame.lazy(), "when", 3, label_time=known[0] if known else "")
    return folds_of(frame, schema, sides, 3, group)


def dealt(frame: pl.DataFrame) -> list[Fold]:
    part = pl.col("n") % 3
    return folds_of(frame.with_row_index("n"), schema_of(), [Sides(part != one, part == one) for one in range(3)], 3)


def test_by_time_the_window_ends_where_judging_begins() -> None:
    """Learnt from the window before the moment, judged from it up to the end that was asked for."""
    until = START + timedelta(hours=60)
    end = until + timedelta(hours=10)
    parts = by_time(table(100, 50), schema_of(timed=True), until, window="1d", judge_until=end)
    assert parts.train["x"].to_list() == list(range(36, 60))
    assert parts.judged["x"].to_list() == list(range(60, 70))
    assert parts.split.train_from == until - timedelta(days=1)


def test_by_time_nothing_is_learnt_that_was_not_known_when_judging_begins() -> None:
    """Rows whose label came after the moment that parts the table are not learnt from, though they happened before."""
    until = START + timedelta(hours=60)
    parts = by_time(table(100, 50), schema_of(timed=True, known=True), until)
    assert parts.train["known"].max() == until
    assert parts.train["x"].to_list() == list(range(49))
    assert parts.judged["x"].to_list() == list(range(60, 100))
    parts = newest(table(100, 50), schema_of(timed=True, known=True), holdout=0.4)
    assert parts.train["x"].to_list() == list(range(49))


def test_the_newest_rows_are_held_out() -> None:
    """A share of the rows, the newest, and the moment that parts them is recorded."""
    parts = newest(table(100, 50), schema_of(timed=True), holdout=0.25)
    assert parts.judged["x"].to_list() == list(range(75, 100))
    assert parts.split.train_until == START + timedelta(hours=75)
    assert parts.split.holdout == 0.25


def test_a_side_without_rows_is_refused() -> None:
    """There must be something to learn from and something to judge on."""
    with pytest.raises(DataError, match="to judge on"):
        by_time(table(10, 5), schema_of(timed=True), START + timedelta(days=9))
    with pytest.raises(DataError, match="to learn from"):
        by_time(table(10, 5), schema_of(timed=True), START)


def test_by_time_no_group_is_on_both_sides() -> None:
    """What was learnt of a patient must not help to judge the same patient later; rows without one stay."""
    frame = table(100, 50).with_columns(who=pl.Series([None if row % 10 == 0 else row % 7 for row in range(100)]))
    parts = newest(frame, schema_of(timed=True), holdout=0.03, group=["who"])
    assert parts.judged["who"].drop_nulls().to_list() == [97 % 7, 98 % 7, 99 % 7]
    assert not set(parts.train["who"].drop_nulls()) & set(parts.judged["who"].drop_nulls())
    assert parts.train["who"].null_count() == 10
    assert parts.split.group == ["who"]
    folds = folds_by_time(frame, schema_of(timed=True), ["who"])
    for fold in folds:
        assert not set(frame[fold.train]["who"].drop_nulls()) & set(frame[fold.judge]["who"].drop_nulls())


def test_folds_in_time_learn_only_what_was_known_before() -> None:
    """Windows expand; every label that is learnt from was known when the judged part begins."""
    frame = table(400, 200).with_columns(y=pl.Series(["yes", "no"] * 200))
    folds = folds_by_time(frame, schema_of(timed=True, known=True))
    assert len(folds) == 3
    for fold in folds:
        judged_from = frame[fold.judge]["when"].min()
        assert frame[fold.train]["known"].max() <= judged_from  # type: ignore[operator]
    assert [len(fold.judge) for fold in folds] == [100, 100, 100]
    assert [len(fold.train) for fold in folds] == [89, 189, 289]


def test_folds_that_could_not_tell_classes_apart_are_left_out() -> None:
    """Where the second class appears late, or in one row only, a search goes on with the folds that show both."""
    late, schema = table(400, 150), schema_of(timed=True)
    assert [len(fold.train) for fold in folds_by_time(late, schema)] == [200, 300]
    single = table(30, 1)
    found = dealt(single)
    assert len(found) == 2
    assert all("yes" in single["y"][fold.train] for fold in found)
    with pytest.raises(DataError, match="two classes or more"):
        dealt(table(30, 0))


def test_too_few_rows_for_folds_are_refused() -> None:
    """One row cannot be learnt from and judged."""
    with pytest.raises(DataError, match="cannot be parted into 3 folds"):
        dealt(table(1, 0))


def test_thinning_keeps_the_same_rows_in_order() -> None:
    """A part of the rows, decided by their keys alone; 0 keeps all."""
    frame = table(500, 100)
    kept = thin(frame, schema_of(), 50)
    assert len(kept) == 50
    assert kept["x"].is_sorted()
    shuffled = thin(frame.sample(fraction=1, shuffle=True, seed=1), schema_of(), 50)
    assert set(shuffled["id"]) == set(kept["id"])
    assert thin(frame, schema_of(), 0).height == 500
