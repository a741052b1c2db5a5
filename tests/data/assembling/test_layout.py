"""`[data] partition` and `cluster` lay a table out; the rows are the same, and what changes is told."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from heptad.core.errors import DataError, NotFoundError
from heptad.core.workspace import Workspace
from heptad.data import Data, DataSettings, ExpectSettings, Subjects, layout_in_words
from heptad.data.versions.partitioned import PartitionedTable, open_table
from heptad.data.versions.pruning import mark_pruned, sweep


def rows(count: int, changed: int = -1) -> pl.DataFrame:
    numbers = range(count)
    return pl.DataFrame(
        {
            "k": [f"k-{one}" for one in numbers],
            "at": [(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=one)).isoformat() for one in numbers],
            "city": [["oslo", "rome", None][one % 3] for one in numbers],
            "a": [99.5 if one == changed else one / 2 for one in numbers],
            "y": [one % 2 for one in numbers],
        }
    )


@pytest.fixture
def door(open_data: Callable[..., Data]) -> Callable[..., Data]:
    """Step 1 with a table that is partitioned by some columns."""

    def opened(*partition: str, **settings: Any) -> Data:
        data = DataSettings(target="y", key=["k"], time="at", partition=list(partition), **settings)
        return open_data(data, expect=ExpectSettings(infer=False))

    return opened


def test_rows_and_digest_are_those_of_any_layout(
    workspace: Workspace, door: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """Versions share files within partitions, and a reader of one city opens only its files."""
    write(rows(300))
    first = door("city").collect()
    write(rows(400))
    second = door("city").collect()
    data = door("city")
    assert first.body.table == second.body.table == "test.by-city"
    for version in (first, second):
        assert data.digest(version) == version.body.digest
    assert data.scan(second).collect()["k"].to_list() == rows(400).sort("at", "k")["k"].to_list()
    table = open_table(workspace.tables / second.body.table)
    assert isinstance(table, PartitionedTable)
    for path in (workspace.tables / "test.by-city").rglob("*.parquet"):
        if path.parent.name != "city=oslo":
            path.unlink()
    oslo = data.scan(second).filter(pl.col("city") == "oslo").collect()
    assert oslo["k"].to_list() == rows(400).filter(pl.col("city") == "oslo")["k"].to_list()


def test_another_layout_is_told_and_leaves_earlier_versions(
    workspace: Workspace, door: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """The rows are written anew once, and again in the first table when it goes back."""
    write(rows(60))
    plain = door().collect()
    parted = door("city").collect()
    assert (plain.body.version, parted.body.version) == (1, 2)
    assert plain.body.digest == parted.body.digest
    said = [one.sentence for one in parted.body.findings if one.expectation == "layout"]
    assert said[0].startswith("the table is now partitioned by city, and was in order of time and key")
    assert door("city").collect().id == parted.id
    write(rows(65))
    back = door().collect()
    assert (back.body.version, back.body.table) == (3, "test")
    assert [one for one in back.body.findings if one.expectation == "layout"]
    write(rows(70))
    later = door().collect()
    assert not [one for one in later.body.findings if one.expectation == "layout"]
    for one in door().log():
        assert door().digest(one) == one.body.digest
    mark_pruned(workspace, {parted.id: "for room"}, [door().version(2)])
    sweep(workspace)
    assert not (workspace.tables / "test.by-city").exists()
    assert door().digest(later) == later.body.digest


def test_people_are_erased_from_partitions(
    workspace: Workspace, door: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """From every version; later ones are written over what is left, and the layout stays."""
    write(rows(100))
    door("city").collect()
    write(rows(130, changed=50))
    door("city").collect()
    data = door("city")
    who = Subjects(columns=["k"], keys=[["k-7"], ["k-120"]])
    found = data.erasing.find(who)
    data.erasing.forget(who, found, "erasure-1", workspace.clock.now())
    kept = [data.scan(data.version(number)).collect()["k"].to_list() for number in (1, 2)]
    assert [len(one) for one in kept] == [99, 128]
    assert kept[1] == [one for one in rows(130).sort("at", "k")["k"] if one not in {"k-7", "k-120"}]
    write(rows(140))
    later = door("city").collect()
    assert later.body.table == "test.by-city~1"
    assert data.digest(later) == later.body.digest
    text = b"".join(path.read_bytes() for path in workspace.tables.rglob("*.json"))
    assert b'"k-7"' not in text.replace(b"\\", b"")


def test_a_clustered_table_has_the_same_rows_and_digest(
    workspace: Workspace, door: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """In their order, alone and within partitions; the version says how it lies, and going back is told."""
    write(rows(300))
    plain = door().collect()
    both = door("city", cluster=["a", "y"]).collect()
    near = door(cluster=["city", "a"]).collect()
    assert {one.body.digest for one in (plain, both, near)} == {plain.body.digest}
    assert [one.body.table for one in (plain, both, near)] == [
        "test",
        "test.by-city.near-a.near-y",
        "test.near-city.near-a",
    ]
    said = ["", "partitioned by city and clustered by a, y", "clustered by city, a"]
    assert [layout_in_words(workspace, one) for one in (plain, both, near)] == said
    write(rows(400))
    later = door(cluster=["city", "a"]).collect()
    assert later.body.table == near.body.table
    assert later.body.findings == [one for one in later.body.findings if one.expectation != "layout"]
    data = door(cluster=["city", "a"])
    for one in data.log():
        assert data.digest(one) == one.body.digest
    assert data.scan(later).collect()["k"].to_list() == rows(400).sort("at", "k")["k"].to_list()
    assert door(cluster=["city", "a"]).collect().id == later.id
    back = [one.sentence for one in door().collect().body.findings if one.expectation == "layout"]
    assert back[0].startswith("the table is now in order of time and key, and was clustered by city, a")


def test_people_are_erased_from_clusters(
    workspace: Workspace, door: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """From every version; the table that is left is clustered as before."""
    write(rows(100))
    door(cluster=["city", "y"]).collect()
    write(rows(130, changed=50))
    door(cluster=["city", "y"]).collect()
    data = door(cluster=["city", "y"])
    who = Subjects(columns=["k"], keys=[["k-7"], ["k-120"]])
    data.erasing.forget(who, data.erasing.find(who), "erasure-1", workspace.clock.now())
    kept = [data.scan(data.version(number)).collect()["k"].to_list() for number in (1, 2)]
    assert [len(one) for one in kept] == [99, 128]
    assert kept[1] == [one for one in rows(130).sort("at", "k")["k"] if one not in {"k-7", "k-120"}]
    assert layout_in_words(workspace, data.version(1)) == "clustered by city, y"
    write(rows(140))
    later = door(cluster=["city", "y"]).collect()
    assert later.body.table.endswith("~1")
    assert data.digest(later) == later.body.digest


def test_columns_that_make_no_clusters_are_refused(door: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Unknown, named twice, or of the partition."""
    write(rows(40))
    with pytest.raises(NotFoundError, match="There is no column 'town'"):
        door(cluster=["town"]).collect()
    with pytest.raises(DataError, match="'city' is named twice"):
        door(cluster=["city", "city"]).collect()
    with pytest.raises(DataError, match=r"'city' is in \[data\] partition too"):
        door("city", cluster=["city"]).collect()
    assert door().log() == []


def test_columns_that_cannot_be_are_refused(door: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Nothing is recorded then."""
    write(rows(40))
    with pytest.raises(DataError, match="numbers with fractions"):
        door("a").collect()
    with pytest.raises(DataError, match="times"):
        door("at").collect()
    with pytest.raises(NotFoundError, match="There is no column 'town'"):
        door("town").collect()
    write(rows(1200))
    with pytest.raises(DataError, match="more than 500 different values"):
        door("k").collect()
    assert door().log() == []
