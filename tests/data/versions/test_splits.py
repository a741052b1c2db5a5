"""Splits depend on keys and times alone, so a row stays where it is when data grows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import sides_by_time, time_cut, unit_hashes
from heptad.data.versions.splits import Cuts, Sides, fit_cuts, hash_holdout, part_number

START = datetime(2020, 1, 1, tzinfo=UTC)
KEYS = st.lists(st.text(max_size=8), max_size=40)
HOURS = st.lists(st.integers(0, 40), min_size=2, max_size=60)


def times_of(hours: list[int]) -> pl.Series:
    return pl.Series("t", [START + timedelta(hours=hour) for hour in hours], dtype=pl.Datetime("us", "UTC"))


def places(rows: pl.DataFrame, sides: Sides) -> tuple[list[int], list[int]]:
    """Rows that are learnt from, and rows that are judged."""
    learnt, judged = (
        rows.select(side.fill_null(value=False).arg_true()).to_series().to_list()
        for side in (sides.learnt, sides.judged)
    )
    return learnt, judged


@given(KEYS, KEYS, st.integers(0, 5))
def test_a_row_never_changes_side_when_data_grows(first: list[str], more: list[str], seed: int) -> None:
    """Rows added around them leave the side of the others as it was."""
    grown = pl.Series("k", more + first, dtype=pl.String)
    alone = pl.Series("k", first, dtype=pl.String)
    assert hash_holdout(grown, 0.3, seed)[len(more) :].tolist() == hash_holdout(alone, 0.3, seed).tolist()


LABELLED = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from("abc")), max_size=60)
SHARES = st.lists(st.integers(1, 9), min_size=2, max_size=5).map(lambda parts: [one / sum(parts) for one in parts])


def hashed(rows: list[tuple[float, str]]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema={"hash": pl.Float64, "stratum": pl.String}, orient="row")


def numbers_of(rows: list[tuple[float, str]], shares: list[float], cuts: Cuts) -> list[int]:
    number = part_number(pl.col("hash"), pl.col("stratum"), shares, cuts)
    return hashed(rows).select(number).collect().to_series().to_list()


def cuts_of(rows: list[tuple[float, str]], shares: list[float]) -> Cuts:
    return fit_cuts(hashed(rows), shares)


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
    rows = [(float(one), "") for one in hashes]
    numbers = numbers_of(rows, [0.2, 0.8], cuts_of(rows[:200], [0.2, 0.8]))
    assert numbers[200:].count(0) / 20_000 == pytest.approx(0.2, abs=2 * 0.028)
    assert numbers[:200].count(0) == 40


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from("ab")), min_size=1, max_size=3_000),
    SHARES,
    st.integers(1, 20_000),
)
@settings(max_examples=50)
def test_cuts_of_many_rows_are_those_of_a_sorted_list(
    rows: list[tuple[int, str]], shares: list[float], spread: int
) -> None:
    """Rows are counted in bins first; what is found is what looking at every hash finds."""
    hashed = [(one % spread / 20_001, stratum) for one, stratum in rows]
    cuts = cuts_of(hashed, shares)
    for stratum, found in cuts.items():
        own = sorted(one for one, name in hashed if name == stratum)
        gaps = [place for place in range(1, len(own)) if own[place] > own[place - 1]]
        gaps = gaps if len(shares) == 2 else [0, *gaps, len(own)]
        for share, cut in zip(np.cumsum(shares), found, strict=False):
            below = sum(one < cut for one in own)
            if len(own) > 1 and gaps:
                assert abs(below - share * len(own)) == min(abs(gap - share * len(own)) for gap in gaps)


def test_hashes_are_uniform_and_the_same_everywhere() -> None:
    """Consecutive keys spread evenly, and the number of a key is fixed for all time."""
    hashes = unit_hashes(pl.Series("k", range(100_000)))
    counts = np.histogram(hashes, bins=10, range=(0, 1))[0]
    assert counts.min() > 9_600
    assert counts.max() < 10_400
    assert unit_hashes(pl.Series("k", ["heptad"]), 7).tolist() == [0.10727156391830894]


@given(HOURS, st.integers(2, 6))
def test_folds_by_time_learn_only_from_before(hours: list[int], folds: int) -> None:
    """Whatever is judged is later than all that was learnt from, and no row is judged twice."""
    frame = times_of(hours).to_frame()
    made = [places(frame, sides) for sides in sides_by_time(frame.lazy(), "t", folds)]
    judged = [row for _, rows in made for row in rows]
    assert len(judged) == len(set(judged))
    for learnt, rows in made:
        assert all(hours[one] < hours[other] for one in learnt for other in rows)


@given(HOURS, st.integers(0, 10))
def test_folds_by_time_know_only_labels_of_before(hours: list[int], delay: int) -> None:
    """A row is learnt from only where its label was known when the judged rows began, and `gap` earlier."""
    frame = times_of(hours).to_frame().with_columns(known=pl.col("t") + timedelta(hours=delay))
    for sides in sides_by_time(frame.lazy(), "t", 3, label_time="known", gap=timedelta(hours=2)):
        learnt, judged = places(frame, sides)
        start = min(hours[one] for one in judged)
        assert all(hours[one] + delay <= start and hours[one] < start - 2 for one in learnt)


def test_folds_by_time_judge_as_many_rows_each_without_those_that_have_no_time() -> None:
    """However uneven the times are, and though a few rows have none."""
    times = times_of([hour**3 for hour in range(400)]).to_frame()
    frame = pl.concat([times, times.clear(5)]).sample(fraction=1, shuffle=True, seed=7)
    found = [places(frame, sides) for sides in sides_by_time(frame.lazy(), "t", 3)]
    assert [(len(learnt), len(judged)) for learnt, judged in found] == [(100, 100), (200, 100), (300, 100)]


@given(HOURS, st.floats(0.05, 0.9))
def test_the_cut_keeps_rows_of_one_moment_together_and_both_sides_filled(hours: list[int], share: float) -> None:
    """A time cut leaves rows on both sides; one moment alone cannot be cut."""
    times = times_of(hours)
    if len(set(hours)) == 1:
        with pytest.raises(DataError, match="all of one moment"):
            time_cut(times.to_frame().lazy(), "t", share)
        return
    cut = time_cut(times.to_frame().lazy(), "t", share)
    assert 0 < (times < cut).sum() < len(times)
    wanted = times.sort()[min(len(times) - 1, max(1, round(len(times) * (1 - share))))]
    assert cut == (wanted if wanted > times.min() else times.filter(times > times.min()).min())


def test_the_cut_leaves_about_the_share() -> None:
    """With different times, the newest fifth is a fifth: of a hundred rows, and of more than are counted one by one."""
    for rows in (100, 30_000):
        times = times_of(list(range(rows)))
        shuffled = times.sample(fraction=1, shuffle=True, seed=7).to_frame().lazy()
        assert (times >= time_cut(shuffled, "t", 0.2)).sum() == rows / 5


def test_impossible_splits_are_refused() -> None:
    """Shares outside of 0 to 1 and a single fold are errors."""
    keys = pl.Series("k", ["a"])
    with pytest.raises(DataError, match="share"):
        hash_holdout(keys, 1.5)
    for shares in ([], [1.0], [0.5, 0.6], [-0.1, 1.1]):
        with pytest.raises(DataError, match="shares"):
            part_number(pl.col("hash"), pl.col("stratum"), shares, {})
    assert sides_by_time(times_of([]).to_frame().lazy(), "t", 3) == []
