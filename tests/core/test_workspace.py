"""A workspace: everything of one project in one folder, or where its settings say."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from heptad.core.clock import FileClock, ManualClock, SystemClock
from heptad.core.errors import NotFoundError, SettingsError, WorkspaceError
from heptad.core.query import Query
from heptad.core.records import Change, Record
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace


def a_record(workspace: Workspace) -> Record:
    return Record(id="note-1", kind="note", scope="test", at=workspace.clock.now(), actor="user:me", body={"a": 1})


def test_everything_is_inside_the_project(workspace: Workspace, tmp_path: Path) -> None:
    """Without settings, records, artifacts and tables are in `.heptad` of the project's folder."""
    workspace.store.write(Change(records=[a_record(workspace)]))
    workspace.blobs.put(b"bytes")
    assert workspace.folder == tmp_path / ".heptad"
    assert workspace.tables == tmp_path / ".heptad" / "tables"
    assert {path.name for path in tmp_path.iterdir()} == {".heptad"}
    assert {"heptad.db", "artifacts"} <= {path.name for path in workspace.folder.iterdir()}


def test_it_opens_again_with_what_it_held(workspace: Workspace, tmp_path: Path) -> None:
    """A second opening finds the records and artifacts of the first."""
    workspace.store.write(Change(records=[a_record(workspace)]))
    digest = workspace.blobs.put(b"bytes")
    again = open_workspace(tmp_path, "test", StoreSettings())
    assert [record.id for record in again.store.find(Query(kind="note")).items] == ["note-1"]
    assert again.blobs.get(digest) == b"bytes"


def test_artifacts_may_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`[store] artifacts` names another place, and may hold a secret that is looked up when it is opened."""
    monkeypatch.setenv("HEPTAD_TEST_PLACE", str(tmp_path / "elsewhere"))
    settings = StoreSettings(artifacts="file://${HEPTAD_TEST_PLACE}")
    digest = open_workspace(tmp_path / "project", "test", settings).blobs.put(b"bytes")
    assert (tmp_path / "elsewhere" / digest[:2] / digest[2:]).is_file()


def test_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    """A URL with an unset `${NAME}` opens nothing and makes nothing."""
    with pytest.raises(SettingsError, match="HEPTAD_TEST_UNSET"):
        open_workspace(tmp_path / "project", "test", StoreSettings(url="postgresql://${HEPTAD_TEST_UNSET}@host/db"))
    assert not (tmp_path / "project").exists()


def test_an_unknown_kind_of_store_names_the_known_ones(tmp_path: Path) -> None:
    """A URL of no installed kind says which kinds there are."""
    with pytest.raises(NotFoundError, match="postgresql, sqlite"):
        open_workspace(tmp_path, "test", StoreSettings(url="mysql://host/db"))


def test_the_clock_is_the_machines_or_a_shared_file(tmp_path: Path) -> None:
    """A file given as clock tells the time to every process that opens the workspace with it."""
    assert isinstance(open_workspace(tmp_path, "test", StoreSettings()).clock, SystemClock)
    moment = datetime(2013, 4, 1, tzinfo=UTC)
    FileClock(tmp_path / "clock").advance_to(moment)
    assert open_workspace(tmp_path, "test", StoreSettings(), tmp_path / "clock").clock.now() == moment


def test_the_tests_clock_stands_still(workspace: Workspace, clock: ManualClock) -> None:
    """The fixture's clock is the workspace's, at the beginning of 2026."""
    assert workspace.clock is clock
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_folder_that_cannot_be_written_is_a_workspace_error(tmp_path: Path) -> None:
    """Where the workspace cannot be made, the error names the folder and a remedy."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(tmp_path / "file", "test", StoreSettings())
    assert str(tmp_path / "file") in str(caught.value)


def test_a_read_only_workspace_can_be_looked_at(tmp_path: Path) -> None:
    """On a read-only mount records and artifacts are read, and writing says why it cannot be done."""
    project = tmp_path / "project"
    project.mkdir()
    workspace = open_workspace(project, "test", StoreSettings())
    record = a_record(workspace)
    workspace.store.write(Change(records=[record]))
    digest = workspace.blobs.put(b"bytes")
    bound = ["mount", "--bind", str(project), str(project)]
    if os.geteuid() != 0 or subprocess.run(bound, check=False, capture_output=True).returncode != 0:
        pytest.skip("a read-only mount cannot be made here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(project)], check=True)
        closed = open_workspace(project, "test", StoreSettings())
        assert [one.id for one in closed.store.get([record.id])] == [record.id]
        assert closed.blobs.get(digest) == b"bytes"
        with pytest.raises(WorkspaceError):
            closed.store.write(Change(records=[record]))
        with pytest.raises(WorkspaceError):
            closed.blobs.put(b"more")
    finally:
        subprocess.run(["umount", "--lazy", str(project)], check=True)
