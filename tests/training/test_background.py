"""Generated rows look like their profile, column by column, and come from nobody."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from heptad.data import Column, profile_frame
from heptad.training.background import generate_rows

COLUMNS = [
    Column(name="size", type="number"),
    Column(name="count", type="integer"),
    Column(name="side", type="category"),
    Column(name="open", type="boolean"),
    Column(name="when", type="datetime"),
    Column(name="note", type="text"),
    Column(name="empty", type="number"),
]
START = datetime(2026, 1, 1, tzinfo=UTC)


def table(rows: int = 5_000) -> pl.DataFrame:
    random = np.random.default_rng(1)
    size = random.lognormal(1, 1, rows)
    return pl.DataFrame(
        {
            "size": pl.Series(np.where(random.random(rows) < 0.3, np.nan, size)).fill_nan(None),
            "count": random.integers(0, 7, rows),
            "side": random.choice(["left", "right"], rows, p=[0.8, 0.2]),
            "open": random.random(rows) < 0.25,
            "when": [START + timedelta(minutes=int(one)) for one in random.integers(0, 10_000, rows)],
            "note": ["a long story about somebody"] * rows,
            "empty": pl.Series([None] * rows, dtype=pl.Float64),
        }
    )


def test_generated_rows_have_the_distribution_of_their_profile() -> None:
    """Medians, shares and missing values are about those of the table; types are those of the columns."""
    frame = table()
    rows = generate_rows(profile_frame(frame, COLUMNS), 4_000, seed=1)
    assert rows["size"].null_count() / 4_000 == pytest.approx(0.3, abs=0.03)
    assert rows["size"].median() == pytest.approx(frame["size"].median(), rel=0.1)  # type: ignore[arg-type]
    assert rows["size"].min() >= frame["size"].min()  # type: ignore[operator]
    assert rows["size"].max() <= frame["size"].max()  # type: ignore[operator]
    assert (rows["side"] == "left").mean() == pytest.approx(0.8, abs=0.03)
    assert rows["open"].mean() == pytest.approx(0.25, abs=0.03)
    assert rows["count"].mean() == pytest.approx(3, abs=0.2)
    assert set(rows["count"].unique()) == set(range(7))
    assert rows["when"].dtype == pl.Datetime("us", "UTC")
    assert rows["when"].min() >= START  # type: ignore[operator]


def test_texts_are_never_copied() -> None:
    """A profile knows how long texts are and not what they say."""
    rows = generate_rows(profile_frame(table(50), COLUMNS), 20, seed=1)
    assert rows["note"].null_count() == rows["empty"].null_count() == 20


def test_equal_seeds_give_equal_rows() -> None:
    """The same profile and seed give the same rows, another seed others."""
    profile = profile_frame(table(), COLUMNS)
    assert generate_rows(profile, 50, 1).equals(generate_rows(profile, 50, 1))
    assert not generate_rows(profile, 50, 1).equals(generate_rows(profile, 50, 2))
