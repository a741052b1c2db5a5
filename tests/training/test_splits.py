"""Splits keep the future out of training, keep rows on their side, and say what they did."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import Column, Schema
from heptad.training.splits import folds_of, part_by_hash, part_by_time, part_newest, thin

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


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(4, 200), positives=st.integers(2, 100), holdout=st.floats(0.05, 0.9))
def test_by_hash_every_row_is_on_one_side_and_every_class_on_both(rows: int, positives: int, holdout: float) -> None:
    """No row is lost or used twice; a class with two rows or more is learnt from and judged."""
    positives = min(positives, rows - 2)
    parts = part_by_hash(table(rows, positives), schema_of(), holdout=holdout)
    assert sorted([*parts.train["id"], *parts.judged["id"]]) == sorted(table(rows, positives)["id"])
    assert set(parts.train["y"]) == set(parts.judged["y"]) == {"no", "yes"}
    assert (parts.split.train_rows, parts.split.judge_rows) == (len(parts.train), len(parts.judged))


def test_by_hash_rows_stay_on_their_side_when_the_table_grows() -> None:
    """The judged rows of a small table are judged in the larger one too, and about the share asked for is."""
    small, large = table(2_000, 500), pl.concat([table(2_000, 500), table(2_000, 500, first=2_000)])
    judged = {
        one: set(part_by_hash(frame, schema_of(), holdout=0.2).judged["id"]) for one, frame in enumerate((small, large))
    }
    moved = judged[0] ^ (judged[1] & set(small["id"]))
    assert len(moved) <= 4  # rows that were moved over so that each side has one of each class
    assert len(judged[1]) == pytest.approx(0.2 * 4_000, rel=0.1)


def test_by_time_the_window_ends_where_judging_begins() -> None:
    """Learnt from the window before the moment, judged from it up to the end that was asked for."""
    until = START + timedelta(hours=60)
    parts = part_by_time(
        table(100, 50), schema_of(timed=True), window="1d", train_until=until, judge_until=until + timedelta(hours=10)
    )
    assert parts.train["x"].to_list() == list(range(36, 60))
    assert parts.judged["x"].to_list() == list(range(60, 70))
    assert parts.split.train_from == until - timedelta(days=1)


def test_by_time_nothing_is_learnt_that_was_not_known_when_judging_begins() -> None:
    """Rows whose label came after the moment that parts the table are not learnt from, though they happened before."""
    until = START + timedelta(hours=60)
    parts = part_by_time(table(100, 50), schema_of(timed=True, known=True), window="all", train_until=until)
    assert parts.train["known"].max() == until
    assert parts.train["x"].to_list() == list(range(49))
    assert parts.judged["x"].to_list() == list(range(60, 100))
    newest = part_newest(table(100, 50), schema_of(timed=True, known=True), window="all", holdout=0.4)
    assert newest.train["x"].to_list() == list(range(49))


def test_the_newest_rows_are_held_out() -> None:
    """A share of the rows, the newest, and the moment that parts them is recorded."""
    parts = part_newest(table(100, 50), schema_of(timed=True), window="all", holdout=0.25)
    assert parts.judged["x"].to_list() == list(range(75, 100))
    assert parts.split.train_until == START + timedelta(hours=75)
    assert parts.split.holdout == 0.25


def test_a_side_without_rows_is_refused() -> None:
    """There must be something to learn from and something to judge on."""
    with pytest.raises(DataError, match="to judge on"):
        part_by_time(table(10, 5), schema_of(timed=True), window="all", train_until=START + timedelta(days=9))
    with pytest.raises(DataError, match="to learn from"):
        part_by_time(table(10, 5), schema_of(timed=True), window="all", train_until=START)
    with pytest.raises(DataError, match="to judge on"):
        part_by_hash(table(10, 5), schema_of(), holdout=0)


def test_folds_in_time_learn_only_what_was_known_before() -> None:
    """Windows expand; every label that is learnt from was known when the judged part begins."""
    frame = table(400, 200).with_columns(y=pl.Series(["yes", "no"] * 200))
    folds = folds_of(frame, schema_of(timed=True, known=True), 3)
    assert len(folds) == 3
    for fold in folds:
        judged_from = frame[fold.judge]["when"].min()
        assert frame[fold.train]["known"].max() <= judged_from  # type: ignore[operator]
    assert [len(fold.judge) for fold in folds] == [100, 100, 100]
    assert [len(fold.train) for fold in folds] == [89, 189, 289]


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(6, 120), positives=st.integers(3, 60), folds=st.integers(2, 3))
def test_folds_without_time_judge_each_row_once_and_deal_out_the_classes(rows: int, positives: int, folds: int) -> None:
    """Every row is judged in exactly one fold, and folds differ by at most one row of a class."""
    frame = table(rows, min(positives, rows - 3))
    found = folds_of(frame, schema_of(), folds)
    assert sorted(np.concatenate([fold.judge for fold in found])) == list(range(rows))
    for fold in found:
        assert not set(fold.train) & set(fold.judge)
    for name in ("yes", "no"):
        counts = [(frame[fold.judge]["y"] == name).sum() for fold in found]
        assert max(counts) - min(counts) <= 1


def test_folds_that_could_not_tell_classes_apart_are_left_out() -> None:
    """Where the second class appears late, or in one row only, a search goes on with the folds that show both."""
    late = table(400, 150)
    folds = folds_of(late, schema_of(timed=True), 3)
    assert [len(fold.train) for fold in folds] == [200, 300]
    single = folds_of(table(30, 1), schema_of(), 3)
    assert len(single) == 2
    assert all("yes" in table(30, 1)["y"][fold.train] for fold in single)
    with pytest.raises(DataError, match="two classes or more"):
        folds_of(table(30, 0), schema_of(), 3)


def test_too_few_rows_for_folds_are_refused() -> None:
    """One row cannot be learnt from and judged."""
    with pytest.raises(DataError, match="cannot be parted into 3 folds"):
        folds_of(table(1, 0), schema_of(), 3)


def test_thinning_keeps_the_same_rows_in_order() -> None:
    """A part of the rows, decided by their keys alone; 0 keeps all."""
    frame = table(500, 100)
    kept = thin(frame, schema_of(), 50)
    assert len(kept) == 50
    assert kept["x"].is_sorted()
    shuffled = thin(frame.sample(fraction=1, shuffle=True, seed=1), schema_of(), 50)
    assert set(shuffled["id"]) == set(kept["id"])
    assert thin(frame, schema_of(), 0).height == 500


def test_a_regression_is_split_too() -> None:
    """Without classes the whole table is dealt out at once."""
    frame = table(30, 0).with_columns(y=pl.col("x"))
    assert part_by_hash(frame, schema_of(regression=True), holdout=0.3).split.judge_rows > 0
    assert sum(len(fold.judge) for fold in folds_of(frame, schema_of(regression=True), 3)) == 30
