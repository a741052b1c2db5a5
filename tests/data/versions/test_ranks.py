"""What stands at a rank is what stands there in a sorted list, though rows are only counted."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.versions.ranks import BINS, moments, runs

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: list[int | None]) -> pl.LazyFrame:
    times = [None if one is None else START + timedelta(seconds=one) for one in seconds]
    return pl.LazyFrame({"t": times}, schema={"t": pl.Datetime("us", "UTC")})


@given(st.lists(st.none() | st.integers(-5, 5) | st.integers(-(10**9), 10**9), max_size=80))
def test_times_at_ranks_are_those_of_a_sorted_list(seconds: list[int | None]) -> None:
    """Also where many are of one moment, some have none, or there are none at all."""
    known = sorted(one for one in seconds if one is not None)
    found = moments(at(seconds), "t", range)
    assert [one.astimezone(UTC) for one in found] == [START + timedelta(seconds=one) for one in known]


@pytest.mark.parametrize("spread", ["even", "skewed", "one moment"])
def test_of_more_times_than_are_counted_one_by_one(spread: str) -> None:
    """However they are spread, and in whatever order they come."""
    count = 5 * BINS
    drawn = np.random.default_rng(7).integers(0, 10**7, count)
    seconds = {
        "even": drawn,
        "skewed": (drawn / 10**7) ** 9 * 10**7,
        "one moment": np.where(drawn < 9 * 10**6, 5, drawn),
    }
    given_seconds = seconds[spread].astype(np.int64)
    ranks = [0, 1, count // 3, count // 2, count - 2, count - 1]
    found = moments(at(given_seconds.tolist()), "t", lambda _count: ranks)
    wanted = np.sort(given_seconds)[ranks].tolist()
    assert [one.astimezone(UTC) for one in found] == [START + timedelta(seconds=one) for one in wanted]


def test_runs_are_single_values_where_a_rank_is_and_hold_every_row() -> None:
    """Elsewhere they are as coarse as the bins."""
    values = np.random.default_rng(7).integers(0, 1_000, 2_000)
    rows = pl.LazyFrame({"value": values, "stratum": ["a", "b"] * 1_000})
    for stratum, found in runs(rows, pl.col("value") // 100, lambda count: [count / 2]):
        own = np.sort(values[0 if stratum == "a" else 1 :: 2])
        assert found["rows"].sum() == len(own)
        ends = found["rows"].cum_sum().to_numpy()
        place = int(np.searchsorted(ends, len(own) / 2, side="right"))
        assert found["low"][place] == found["high"][place] == own[len(own) // 2]
        assert found["low"].is_sorted()
        assert (found["low"] < found["high"]).any()
