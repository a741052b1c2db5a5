"""Splits depend on keys and times alone, so a row stays where it is when data grows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import fit_cuts, folds_of_parts, part_numbers, time_cut, time_folds, unit_hashes
from heptad.data.versions.splits import Cuts, hash_holdout

START = datetime(2020, 1, 1, tzinfo=UTC)
KEYS = st.lists(st.text(max_size=8), max_size=40)
HOURS = st.lists(st.integers(0, 40), min_size=2, max_size=60)


def times_of(hours: list[int]) -> pl.Series:
    return pl.Series("t", [START + timedelta(hours=hour) for hour in hours], dtype=pl.Datetime("us", "UTC"))


@given(KEYS, KEYS, st.integers(0, 5))
def test_a_row_never_changes_side_when_data_grows(first: list[str], more: list[str], seed: int) -> None:
    """Rows added around them leave the side of the others as it was."""
    grown = pl.Series("k", more + first, dtype=pl.String)
    alone = pl.Series("k", first, dtype=pl.String)
    assert hash_holdout(grown, 0.3, seed)[len(more) :].tolist() == hash_holdout(alone, 0.3, seed).tolist()


LABELLED = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from("abc")), max_size=60)
SHARES = st.lists(st.integers(1, 9), min_size=2, max_size=5).map(lambda parts: [one / sum(parts) for one in parts])


def numbers_of(rows: list[tuple[float, str]], shares: list[float], cuts: Cuts) -> list[int]:
    hashes = np.array([one for one, _ in rows], dtype=np.float64)
    return part_numbers(hashes, [stratum for _, stratum in rows], shares, cuts).tolist()


def cuts_of(rows: list[tuple[float, str]], shares: list[float]) -> Cuts:
    return fit_cuts(np.array([one for one, _ in rows], dtype=np.float64), [stratum for _, stratum in rows], shares)


@given(LABELLED, LABELLED, SHARES)
def test_a_row_keeps_its_part_whatever_rows_come_later(
    first: list[tuple[float, str]], more: list[tuple[float, str]], shares: list[float]
) -> None:
    """Cuts that are kept make a part a matter of the row alone: also of strata that were not there at first."""
    cuts = cuts_of(first, shares)
    assert numbers_of(more + first, shares, cuts)[len(more) :] == numbers_of(first, shares, cuts)


@given(LABELLED, SHARES)
def test_every_stratum_is_dealt_as_nearly_as_whole_rows_allow(
    rows: list[tuple[float, str]], shares: list[float]
) -> None:
    """With different hashes a part of a stratum is off by one row at most; one row alone gets the plain shares."""
    rows = list({hashed: (hashed, stratum) for hashed, stratum in rows}.values())
    numbers = numbers_of(rows, shares, cuts_of(rows, shares))
    for stratum in {one for _, one in rows}:
        own = [number for number, (_, name) in zip(numbers, rows, strict=True) if name == stratum]
        if len(own) > 1:
            limit = 1 if len(shares) > 2 else max(1, 1 - min(shares) * len(own))
            assert all(abs(own.count(part) - share * len(own)) <= limit + 1e-9 for part, share in enumerate(shares))


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=30, unique=True), st.floats(0.01, 0.9))
def test_of_two_parts_none_is_left_empty(hashes: list[float], share: float) -> None:
    """However small the share, two rows are enough to judge one and learn from one."""
    rows = [(one, "") for one in hashes]
    assert set(numbers_of(rows, [share, 1 - share], cuts_of(rows, [share, 1 - share]))) == {0, 1}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), SHARES)
def test_rows_with_one_hash_stay_together(groups: list[int], shares: list[float]) -> None:
    """A group has one hash, and so one part."""
    hashes = unit_hashes(pl.Series("g", groups))
    rows = [(float(one), "") for one in hashes]
    numbers = numbers_of(rows, shares, cuts_of(rows, shares))
    assert len(set(zip(groups, numbers, strict=True))) == len(set(groups))


def test_later_rows_are_dealt_in_nearly_the_same_shares() -> None:
    """Cuts of 200 rows deal the 20,000 that come later in shares that are as sure as 200 rows are: 0.028 either way."""
    hashes = unit_hashes(pl.Series("k", range(20_200)))
    cuts = fit_cuts(hashes[:200], [""] * 200, [0.2, 0.8])
    later = part_numbers(hashes[200:], [""] * 20_000, [0.2, 0.8], cuts)
    assert (later == 0).mean() == pytest.approx(0.2, abs=2 * 0.028)
    assert (part_numbers(hashes[:200], [""] * 200, [0.2, 0.8], cuts) == 0).sum() == 40


@given(KEYS, st.integers(2, 5))
def test_folds_of_parts_judge_every_row_once(keys: list[str], folds: int) -> None:
    """Each row is judged in one fold, by a model that has not seen it."""
    hashes = unit_hashes(pl.Series("k", keys, dtype=pl.String))
    made = folds_of_parts(part_numbers(hashes, [""] * len(keys), [1 / folds] * folds, {}), folds)
    assert sorted(np.concatenate([fold.judge for fold in made]).tolist()) == list(range(len(keys)))
    assert all(not set(fold.train) & set(fold.judge) for fold in made)


def test_hashes_are_uniform_and_the_same_everywhere() -> None:
    """Consecutive keys spread evenly, and the number of a key is fixed for all time."""
    hashes = unit_hashes(pl.Series("k", range(100_000)))
    counts = np.histogram(hashes, bins=10, range=(0, 1))[0]
    assert counts.min() > 9_600
    assert counts.max() < 10_400
    assert unit_hashes(pl.Series("k", ["heptad"]), 7).tolist() == [0.10727156391830894]


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
    for shares in ([], [1.0], [0.5, 0.6], [-0.1, 1.1]):
        with pytest.raises(DataError, match="shares"):
            part_numbers(np.zeros(1), [""], shares, {})
    assert time_folds(pl.Series("t", [], dtype=pl.Datetime("us", "UTC")), 3) == []
