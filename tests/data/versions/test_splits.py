"""Splits depend on keys and times alone, so a row stays where it is when data grows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import hash_folds, hash_holdout, time_cut, time_folds, unit_hashes

START = datetime(2020, 1, 1, tzinfo=UTC)
KEYS = st.lists(st.text(max_size=8), max_size=40)
HOURS = st.lists(st.integers(0, 40), min_size=2, max_size=60)


def times_of(hours: list[int]) -> pl.Series:
    return pl.Series("t", [START + timedelta(hours=hour) for hour in hours], dtype=pl.Datetime("us", "UTC"))


@given(KEYS, KEYS, st.integers(0, 5))
def test_a_row_never_changes_side_when_data_grows(first: list[str], more: list[str], seed: int) -> None:
    """Rows added around them leave the side and the fold of the others as they were."""
    grown = pl.Series("k", more + first, dtype=pl.String)
    alone = pl.Series("k", first, dtype=pl.String)
    assert hash_holdout(grown, 0.3, seed)[len(more) :].tolist() == hash_holdout(alone, 0.3, seed).tolist()
    judged = [set((fold.judge - len(more)).tolist()) & set(range(len(first))) for fold in hash_folds(grown, 3, seed)]
    assert judged == [set(fold.judge.tolist()) for fold in hash_folds(alone, 3, seed)]


@given(KEYS, st.integers(2, 5))
def test_hash_folds_judge_every_row_once(keys: list[str], folds: int) -> None:
    """Each row is judged in one fold, by a model that has not seen it."""
    made = hash_folds(pl.Series("k", keys, dtype=pl.String), folds)
    assert sorted(np.concatenate([fold.judge for fold in made]).tolist()) == list(range(len(keys)))
    assert all(not set(fold.train) & set(fold.judge) for fold in made)


def test_hashes_are_uniform_and_the_same_everywhere() -> None:
    """Consecutive keys spread evenly, and the number of a key is fixed for all time."""
    hashes = unit_hashes(pl.Series("k", range(100_000)))
    counts = np.histogram(hashes, bins=10, range=(0, 1))[0]
    assert counts.min() > 9_600
    assert counts.max() < 10_400
    assert unit_hashes(pl.Series("k", ["heptad"]), 7).tolist() == [0.10727156391830894]


def test_folds_within_the_rows_kept_for_training_are_even() -> None:
    """The hash of folds is another than that of the holdout, so none of them is empty among the rest."""
    keys = pl.Series("k", range(10_000))
    rest = keys.filter(pl.Series(~hash_holdout(keys, 0.5, 3)))
    assert min(len(fold.judge) for fold in hash_folds(rest, 5, 3)) > 800


@given(HOURS, st.integers(2, 6))
def test_time_folds_learn_only_from_before(hours: list[int], folds: int) -> None:
    """Whatever is judged is later than all that was learnt from, and no row is judged twice."""
    times = times_of(hours)
    made = time_folds(times, folds)
    judged = [row for fold in made for row in fold.judge.tolist()]
    assert len(judged) == len(set(judged))
    for fold in made:
        assert times.gather(fold.train).max() < times.gather(fold.judge).min()


@given(HOURS, st.integers(0, 10))
def test_time_folds_know_only_labels_of_before(hours: list[int], delay: int) -> None:
    """A row is learnt from only where its label was known when the judged rows began, and `gap` earlier."""
    times = times_of(hours)
    known = times + timedelta(hours=delay)
    for fold in time_folds(times, 3, label_times=known, gap=timedelta(hours=2)):
        start = times.gather(fold.judge).min()
        assert known.gather(fold.train).max() <= start
        assert times.gather(fold.train).max() < start - timedelta(hours=2)


@given(HOURS, st.floats(0.05, 0.9))
def test_the_cut_keeps_rows_of_one_moment_together_and_both_sides_filled(hours: list[int], share: float) -> None:
    """A time cut leaves rows on both sides; one moment alone cannot be cut."""
    times = times_of(hours)
    if len(set(hours)) == 1:
        with pytest.raises(DataError, match="all of one moment"):
            time_cut(times, share)
        return
    cut = time_cut(times, share)
    assert 0 < (times < cut).sum() < len(times)


def test_the_cut_leaves_about_the_share() -> None:
    """With different times, the newest fifth is a fifth."""
    times = times_of(list(range(100)))
    assert (times >= time_cut(times, 0.2)).sum() == 20


def test_impossible_splits_are_refused() -> None:
    """Shares outside of 0 to 1 and a single fold are errors."""
    keys = pl.Series("k", ["a"])
    with pytest.raises(DataError, match="share"):
        hash_holdout(keys, 1.5)
    with pytest.raises(DataError, match="folds"):
        hash_folds(keys, 1)
    assert time_folds(pl.Series("t", [], dtype=pl.Datetime("us", "UTC")), 3) == []
