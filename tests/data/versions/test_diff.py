"""The difference of two versions in columns, rows, distributions and findings."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from heptad.data import DatasetDiff, DataSettings

FIRST = pl.DataFrame(
    {"k": [f"r{x}" for x in range(60)], "a": [float(x % 7) for x in range(60)], "y": [x % 2 for x in range(60)]}
)


def test_rows_are_compared_by_key(open_data: Callable, write: Callable[..., Path]) -> None:
    """Added, removed and changed rows are counted, and how far each column moved."""
    data = open_data(DataSettings(target="y", key=["k"]))
    write(FIRST)
    first = data.collect()
    changed = FIRST.tail(50).with_columns(a=pl.when(pl.col("k") == "r20").then(70.0).otherwise("a"))
    write(pl.concat([changed, pl.DataFrame({"k": [f"s{x}" for x in range(30)], "a": [50.0] * 30, "y": [1, 0] * 15})]))
    second = data.collect()
    diff = data.diff(first, second)
    assert (diff.rows_added, diff.rows_removed, diff.rows_changed, diff.labels_added) == (30, 10, 1, 0)
    assert next(iter(diff.distances)) == "a"
    assert diff.distances["a"] > 0.2
    assert [one.sentence for one in diff.findings_new] == ["a: 31 values outside of 0 to 6"]
    assert data.diff(first, first) == DatasetDiff(before=1, after=1, distances={"a": 0.0, "y": 0.0})
    assert diff.text().splitlines()[0] == (
        "version 1 to 2: 30 rows added, 10 removed, 1 changed, 0 labels became known"
    )


def test_columns_are_compared_by_name_and_type(open_data: Callable, write: Callable[..., Path]) -> None:
    """After a change of settings, columns may come, go and change their type."""
    write(FIRST.with_columns(b=pl.col("a") + 1, c=pl.col("a") * 2))
    first = open_data(DataSettings(target="y", key=["k"])).collect()
    write(FIRST.with_columns(c=pl.col("a") * 2, d=pl.col("a") ** 2))
    data = open_data(DataSettings(target="y", key=["k"], types={"c": "category"}))
    diff = data.diff(first, data.collect())
    assert (diff.columns_added, diff.columns_removed) == (["d"], ["b"])
    assert diff.columns_retyped == {"c": "number -> category"}
    assert "column retyped  c: number -> category" in diff.text()


def test_labels_that_became_known_are_no_changes(open_data: Callable, write: Callable[..., Path]) -> None:
    """A row that only got its label is counted as that."""
    days = FIRST.with_columns(
        t=pl.Series([datetime(2020, 1, 1 + x // 3, tzinfo=UTC) for x in range(60)]),
        known=pl.Series([datetime(2020, 1, 2 + x // 3, tzinfo=UTC) for x in range(60)]),
    )
    write(days)
    data = open_data(DataSettings(target="y", key=["k"], time="t", label_time="known"))
    first = data.collect(until=datetime(2020, 1, 10, 12, tzinfo=UTC))
    second = data.collect(until=datetime(2020, 1, 15, 12, tzinfo=UTC))
    diff = data.diff(first, second)
    assert (diff.rows_added, diff.rows_changed, diff.labels_added) == (15, 0, 3)
