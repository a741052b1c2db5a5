"""Every version loses the rows, its record the values that only they had, and the old table is gone."""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.data.erasing.conftest import WHO, door

from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data import Data, DatasetVersion, as_it_is, erased
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
