"""Every version loses the rows, its record the values that only they had, and the old table is gone."""

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.erasing.conftest import WHO, door

from heptad.core.records import Record
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.data import (
    CleanSettings,
    Data,
    DataSettings,
    DatasetVersion,
    ExpectSettings,
    SourceSettings,
    as_it_is,
    erased,
)
from heptad.data.erasing.finding import find_rows
from heptad.data.erasing.removing import remove_rows

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_versions_records_and_profiles_are_those_of_the_rows_left(
    workspace: Workspace, open_data: Callable[..., Data], collected: Callable[[int], Record[DatasetVersion]]
) -> None:
    """What the record was born with stays, but for categories, limits and examples; events are not touched."""
    born = [collected(count) for count in (10, 40, 60)]
    found = find_rows(workspace, WHO)
    for _ in range(2):  # done again, it changes nothing
        remove_rows(workspace, WHO, found, "erasure-1", NOW)
    data = door(open_data)
    for before, now in zip(born, reversed(data.log()), strict=True):
        assert now.body.rows == before.body.rows
        assert now.body.digest == before.body.digest
        expected = (1, NOW) if before.body.rows > 17 else None
        assert erased(now.attributes) == expected
        left = data.scan(now).collect()
        assert left.height == before.body.rows - bool(expected)
        assert data.digest(now) == as_it_is(workspace, now).digest
        columns = {column.name: column for column in now.body.schema.columns}
        assert "zzyzx-on-sea" not in (columns["town"].categories or [])
        assert columns["age"].max == left["age"].max()
        assert not any(repair.examples for repair in now.body.repairs)
        profile = data.profile(now)
        assert profile.rows == left.height
        town = profile.column("town")
        assert town is not None
        assert "zzyzx-on-sea" not in town.values
    assert sorted(path.name for path in workspace.tables.iterdir()) == ["test~1"]


def test_the_next_version_builds_on_what_is_left(
    workspace: Workspace, open_data: Callable[..., Data], collected: Callable[[int], Record[DatasetVersion]]
) -> None:
    """Also a third one after a second erasure; each digest is that of its rows."""
    collected(40)
    remove_rows(workspace, WHO, find_rows(workspace, WHO), "erasure-1", NOW)
    later = collected(60)  # nobody keeps them out here, so they come back
    data = door(open_data)
    assert data.digest(later) == later.body.digest
    assert later.body.table == "test~1"
    remove_rows(workspace, WHO, find_rows(workspace, WHO), "erasure-2", NOW)
    newest = collected(80)
    assert newest.body.table == "test~2"
    assert data.digest(newest) == newest.body.digest
    assert data.scan(data.version(1)).collect().height == 39
    assert erased(data.version(1).attributes) == (1, NOW)


def test_all_rows_of_a_version_may_go(
    workspace: Workspace, open_data: Callable[..., Data], collected: Callable[[int], Record[DatasetVersion]]
) -> None:
    """It is empty then, and can be read."""
    collected(30)
    everybody = WHO.__class__(columns=["customer"], keys=[[f"cust-{one}"] for one in range(30)])
    remove_rows(workspace, everybody, find_rows(workspace, everybody), "erasure-1", NOW)
    data = door(open_data)
    assert data.scan(data.version(1)).collect().is_empty()
    assert data.scan(data.version(1)).collect_schema().names()[0] == "customer"


@settings(max_examples=8)
@given(
    st.lists(st.lists(st.integers(0, 15), min_size=3, max_size=12, unique=True), min_size=1, max_size=3),
    st.lists(st.sets(st.integers(0, 15), min_size=1, max_size=3), min_size=1, max_size=2),
)
def test_whoever_is_erased_in_whatever_order_the_others_stay(
    tmp_path_factory: pytest.TempPathFactory, tables: list[list[int]], erased_in_turn: list[set[int]]
) -> None:
    """Versions of any rows, erased from once or twice: each has its other rows in order, with the digest of those."""
    root = tmp_path_factory.mktemp("any")
    workspace = open_workspace(root, "test", StoreSettings())
    data = Data(
        workspace,
        ProjectSettings(name="test"),
        {"rows": SourceSettings(uri="rows.csv")},
        DataSettings(target="y", key=["k"], types={"y": "number"}),
        CleanSettings(),
        ExpectSettings(),
        {},
    )
    for keys in tables:
        rows = {
            "k": [f"k{one:02}" for one in keys],
            "x": [one + 0.25 * (one % 3) for one in keys],
            "y": [one + 0.5 for one in keys],
        }
        pl.DataFrame(rows).write_csv(root / "rows.csv")
        data.collect()
    had = {one.id: data.scan(one).collect()["k"].to_list() for one in data.log()}
    gone = set[str]()
    for number, some in enumerate(erased_in_turn):
        subjects = WHO.__class__(columns=["k"], keys=[[f"k{one:02}"] for one in sorted(some)])
        remove_rows(workspace, subjects, find_rows(workspace, subjects), f"erasure-{number}", NOW)
        gone |= {f"k{one:02}" for one in some}
    for version in data.log():
        left = data.scan(version).collect()
        assert left["k"].to_list() == [key for key in had[version.id] if key not in gone]
        now = as_it_is(workspace, version)
        assert (now.rows, now.digest) == (left.height, data.digest(version))
        found = erased(version.attributes)
        assert (found[0] if found else 0) == len(had[version.id]) - left.height
