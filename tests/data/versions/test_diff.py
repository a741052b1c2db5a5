"""The difference of two versions in columns, rows, distributions and findings."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data import Column, DatasetDiff, DataSettings, DatasetVersion, Schema, SourceSettings, profile_frame
from heptad.data.versions.diff import diff_versions
from heptad.data.versions.digests import block_digests

CELLS = st.sampled_from([None, 0.0, -0.0, 1.5, math.nan, math.inf])
Row: TypeAlias = tuple[int, float | None, float | None]
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


@given(
    st.lists(st.tuples(st.integers(0, 40), CELLS, CELLS), unique_by=lambda row: row[0], max_size=30),
    st.lists(st.tuples(st.integers(0, 40), CELLS, CELLS), unique_by=lambda row: row[0], max_size=30),
    st.sampled_from(["", "0"]),
)
def test_rows_are_counted_as_one_by_one(old: list[Row], new: list[Row], memory: str) -> None:
    """Held in memory or parted on disk; what is missing, not a number, or a negative nothing is a value like others."""
    columns = [Column(name="k", type="integer", role="key"), Column(name="a", type="number", role="feature"),
               Column(name="y", type="number", role="target")]  # fmt: skip
    frames = [
        pl.DataFrame(rows, {"k": pl.Int64, "a": pl.Float64, "y": pl.Float64}, orient="row") for rows in (old, new)
    ]
    schema = Schema(columns=columns, task="regression")
    bodies = [
        DatasetVersion(
            name="d", version=number, table="t", delta_version=0, rows=len(frame), labelled=0, digest="",
            profile="", blocks=block_digests(frame.lazy()), schema=schema, until=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number, frame in enumerate(frames, 1)
    ]  # fmt: skip
    profiles = [profile_frame(frame, columns[1:]) for frame in frames]
    with pytest.MonkeyPatch.context() as patch:
        if memory:
            patch.setenv("POLARS_OOC_MEMORY_BUDGET_MB", memory)
        found = diff_versions(*bodies, (frames[0].lazy(), frames[1].lazy()), (profiles[0], profiles[1]))
    before, after = ({key: (a, y) for key, a, y in rows} for rows in (old, new))
    both = before.keys() & after.keys()
    learnt = {key for key in both if before[key][1] is None and after[key][1] is not None}
    same = {key for key in both if _same(before[key][0], after[key][0])}
    kept = {key for key in same if _same(before[key][1], after[key][1])}
    assert found.rows_added == len(after.keys() - both)
    assert found.rows_removed == len(before.keys() - both)
    assert found.labels_added == len(learnt & same)
    assert found.rows_changed == len(both - kept - (learnt & same))


def _same(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and math.isnan(one) and math.isnan(other))


def test_columns_are_compared_by_name_and_type(open_data: Callable, write: Callable[..., Path]) -> None:
    """Where that is accepted, columns may come, go and change their type."""
    sources = {"rows": SourceSettings(uri="rows.csv", on_change="accept")}
    write(FIRST.with_columns(b=pl.col("a") + 1, c=pl.col("a") * 2))
    first = open_data(DataSettings(target="y", key=["k"]), sources=sources).collect()
    write(FIRST.with_columns(c=pl.col("a") * 2, d=pl.col("a") ** 2))
    data = open_data(DataSettings(target="y", key=["k"], types={"c": "category"}), sources=sources)
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
