"""Versions that were marked lose their files, what others name stays, and the log tells nothing of what is gone."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import RefusedError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.data import Data, DataSettings, DatasetVersion, ExpectSettings, tag
from heptad.data.versions import tables
from heptad.data.versions.pruning import mark_pruned, sweep, unswept, would_free
from heptad.data.versions.tables import Table


@pytest.fixture
def collected(open_data: Callable[..., Data], write: Callable[..., Path]) -> Callable[[int], Record[DatasetVersion]]:
    """Collects a version of so many rows, each of which says its number."""

    def collect(count: int) -> Record[DatasetVersion]:
        numbers = range(count)
        write(
            pl.DataFrame({"k": numbers, "n": [f"v{count}-{one}" for one in numbers], "y": [one % 2 for one in numbers]})
        )
        data = open_data(DataSettings(target="y", key=["k"], types={"n": "text"}), expect=ExpectSettings(infer=False))
        return data.collect()

    return collect


def test_a_version_with_a_name_is_refused(
    workspace: Workspace, collected: Callable[[int], Record[DatasetVersion]], open_data: Callable[..., Data]
) -> None:
    """The latest, and what is tagged; then nothing is marked."""
    collected(5), collected(6)
    data = open_data(DataSettings(target="y", key=["k"]))
    tag(workspace, data.version(1), "gold")
    for number, said in ((1, "has the tag gold"), (2, "is the latest")):
        version = data.version(number)
        with pytest.raises(RefusedError, match=said):
            mark_pruned(workspace, {version.id: "for room"}, [version])
    assert not unswept(data.log())


def test_checkpoints_tell_nothing_of_what_is_gone(
    workspace: Workspace, collected: Callable[[int], Record[DatasetVersion]], open_data: Callable[..., Data]
) -> None:
    """They are made again of the log; versions that stay are read as before, and later ones are written."""
    made = [collected(count) for count in range(3, 7)]
    folder = workspace.tables / "test"
    Table(folder).at(made[1].body.delta_version).create_checkpoint()
    (checkpoint,) = folder.rglob("*.checkpoint.parquet")
    assert b"v4-" in pl.read_parquet(checkpoint, glob=False).write_ndjson().encode()
    data = open_data(DataSettings(target="y", key=["k"]))
    version = data.version(2)
    assert would_free(workspace, [version]).files == 1
    mark_pruned(workspace, {version.id: "for room"}, [version])
    assert [one.id for one in unswept(data.log())] == [version.id]
    assert sweep(workspace).files == 1
    assert not unswept(data.log())
    again = [pl.read_parquet(path, glob=False) for path in folder.rglob("*.checkpoint.parquet")]
    assert len(again) == 2
    assert not any(b"v4-" in told.write_ndjson().encode() for told in again)
    text = b"".join(path.read_bytes() for path in folder.rglob("*.json"))
    assert b"v4-" not in text
    assert b"v3-" in text
    for one in (made[0], made[2], made[3]):
        assert data.digest(one) == one.body.digest
    assert data.digest(collected(9)) == data.version("latest").body.digest


def test_a_file_that_versions_share_stays_as_long_as_one_needs_it(
    workspace: Workspace,
    collected: Callable[[int], Record[DatasetVersion]],
    open_data: Callable[..., Data],
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[..., Path],
) -> None:
    """Rows are appended: the first version's file is a part of the second."""
    monkeypatch.setattr(tables, "FILE_BYTES", 20_000 * 20)
    frame = pl.DataFrame(
        {"k": range(40_000), "a": [one % 7 for one in range(40_000)], "y": [one % 2 for one in range(40_000)]}
    )
    data = open_data(DataSettings(target="y", key=["k"]), expect=ExpectSettings(infer=False))
    write(frame.head(30_000))
    first = data.collect()
    write(frame)
    second = data.collect()
    table = Table(workspace.tables / "test")
    shared = set(table.files(first.body.delta_version)) & set(table.files(second.body.delta_version))
    assert shared
    mark_pruned(workspace, {first.id: "for room"}, [data.version(1)])
    sweep(workspace)
    assert {path.name for path in table.path("").glob("*.parquet")} == set(table.files(second.body.delta_version))
    assert data.digest(second) == second.body.digest


def test_the_log_begins_with_the_oldest_version_that_stays(
    workspace: Workspace, collected: Callable[[int], Record[DatasetVersion]], open_data: Callable[..., Data]
) -> None:
    """However long it grew: versions that stay are read as before, limits of what is gone too are not told."""
    made = [collected(count) for count in range(3, 12)]
    folder = workspace.tables / "test"
    Table(folder).at(made[-2].body.delta_version).create_checkpoint()
    data = open_data(DataSettings(target="y", key=["k"]))
    going = [data.version(number) for number in (1, 2, 3, 4, 6, 8)]
    mark_pruned(workspace, {one.id: "for room" for one in going}, going)
    sweep(workspace)
    first = made[4].body.delta_version
    assert min(int(path.name[:20]) for path in (folder / "_delta_log").glob("0*")) == first
    for one in (made[4], made[6], made[8]):
        assert data.digest(one) == one.body.digest
    log = [path.read_bytes() for path in (folder / "_delta_log").glob("*.json")]
    log += [repr(pl.read_parquet(path).rows()).encode() for path in (folder / "_delta_log").glob("*.parquet")]
    for count, told in ((3, False), (4, False), (8, False), (10, False), (9, True), (11, True)):
        assert (f"v{count}-".encode() in b"".join(log)) == told
    assert data.digest(collected(20)) == data.version("latest").body.digest
    mark_pruned(workspace, {made[4].id: "for room"}, [data.version(5)])
    sweep(workspace)
    assert min(int(path.name[:20]) for path in (folder / "_delta_log").glob("0*")) == made[6].body.delta_version
    assert data.digest(made[6]) == made[6].body.digest
