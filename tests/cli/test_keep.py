"""Looking after a workspace: what the doctor finds, backups that come back, moves, and exports."""

import json
import os
import shutil
import time

import pytest

from heptad.cli.app import run
from heptad.project import open_experiments, open_project
from tests.cli.conftest import Shell


@pytest.fixture
def own(shell: Shell, tmp_path) -> Shell:
    """The project, copied for tests that change it."""
    copy = shutil.copytree(shell.project, tmp_path / "copy", ignore=shutil.ignore_patterns("workers"))
    return Shell(shell._capsys, copy)


def beside(shell: Shell, folder) -> Shell:
    """Another project with the same settings and no workspace."""
    folder.mkdir()
    for name in ("heptad.toml", "rides.csv"):
        shutil.copy(shell.project / name, folder / name)
    return Shell(shell._capsys, folder)


def test_the_doctor_finds_nothing_in_a_sound_workspace(shell: Shell):
    """Exit code 0, every check on a line of its own, on 80 columns."""
    asked = shell("doctor")
    assert asked.code == 0
    assert "0 of" in asked.out
    assert all(len(line) <= 80 for line in asked.out.splitlines())
    assert {check["state"] for check in shell("doctor", "--json").json} == {"ok"}


def test_the_doctor_finds_what_is_broken(own: Shell):
    """A key that others may read and a missing artifact: exit code 1, each with its remedy."""
    (own.project / ".heptad" / "keys" / "release.ed25519").chmod(0o644)
    shutil.rmtree(own.project / ".heptad" / "artifacts")
    asked = own("doctor")
    assert asked.code == 1
    assert "chmod 600" in asked.out
    assert "heptad restore" in asked.out


def test_the_doctor_says_why_a_project_does_not_open(own: Shell):
    """Settings that cannot be read are a finding, beside those about the machine."""
    (own.project / "heptad.toml").write_text("[project")
    asked = own("doctor", "--json")
    assert asked.code == 1
    assert [check["name"] for check in asked.json if check["state"] == "error"] == ["project"]


def test_a_backup_comes_back_as_it_was(own: Shell, tmp_path):
    """Backed up, restored into another project: the same status, and the chain holds."""
    assert own("backup", str(tmp_path / "kept")).code == 0
    other = beside(own, tmp_path / "other")
    restored = other("restore", str(tmp_path / "kept"), "--json")
    assert restored.code == 0
    assert other("status", "--json").json["steps"] == own("status", "--json").json["steps"]
    assert other("events", "--verify", "--json").json == own("events", "--verify", "--json").json


def test_a_backup_may_be_named_from_the_present_folder(own: Shell, tmp_path, monkeypatch):
    """A relative path is one of the folder in which the command is given."""
    monkeypatch.chdir(tmp_path)
    assert own("backup", "kept").code == 0
    assert beside(own, tmp_path / "other")("restore", "kept").code == 0


def test_nothing_is_backed_up_over_or_restored_over(own: Shell, tmp_path):
    """A folder that holds something, and a project that has a workspace, are left alone."""
    assert own("backup", str(tmp_path)).code == 2
    assert own("backup", str(tmp_path / "kept"), "--json").code == 0
    assert own("restore", str(tmp_path / "kept")).code == 2
    assert own("restore", str(tmp_path / "nowhere")).code == 2


def test_a_workspace_moves_and_the_old_place_says_where_to(own: Shell, tmp_path):
    """All of it is there; what the old one is asked to write, it refuses."""
    records = own("status", "--json").json["steps"]
    other = beside(own, tmp_path / "other")
    moved = own("move", str(other.project))
    assert moved.code == 0
    assert "heptad.toml" in moved.out
    assert other("status", "--json").json["steps"] == records
    refused = own("release", "approve", "1", "--reason", "one more word")
    assert refused.code != 0
    assert str(other.project) in refused.err


def test_nothing_moves_from_under_a_server(own: Shell, tmp_path):
    """What a server logs after the move would stay behind, so it is stopped first; `status` tells that it runs."""
    assert "no server runs here" in own("status").out
    with open_project(own.project).serving.start_server(port=0):
        refused = own("move", str(tmp_path / "other"))
        assert refused.code == 1
        assert "A server answers from this workspace" in refused.err
        assert "no server" not in own("status").out
    assert not (tmp_path / "other").exists()


def test_artifacts_without_a_record_are_counted_then_removed(own: Shell):
    """Without --yes nothing goes; what is younger than a day is left to whoever may still want to record it."""
    workspace = open_project(own.project).workspace
    digest = workspace.blobs.put(b"nobody needs this")
    assert own("gc", "--json").json == {"bytes": 0, "digests": []}
    old = time.time() - 2 * 86_400
    for path in (workspace.folder / "artifacts").rglob(f"*{digest[-8:]}*"):
        os.utime(path, (old, old))
    assert own("gc", "--json").json == {"bytes": 17, "digests": [digest]}
    assert workspace.blobs.get(digest) == b"nobody needs this"
    assert own("gc", "--yes", "--json").json == {"bytes": 17, "digests": [digest]}
    assert own("gc", "--json").json == {"bytes": 0, "digests": []}


def test_a_store_moves_to_a_database_of_its_own(own: Shell, tmp_path):
    """With a URL the store alone moves, and the setting to write is named."""
    moved = own("move", f"sqlite:///{tmp_path}/elsewhere.db")
    assert moved.code == 0
    assert "[store]" in moved.out


def test_everything_is_exported_in_open_formats(shell: Shell, tmp_path):
    """Records, tables and models are files that other programs read; the manifest names each."""
    folder = tmp_path / "out"
    assert shell("export", str(folder)).code == 0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {name.partition("/")[0] for name in manifest["files"]} >= {"records", "data", "tables", "models", "packages"}
    assert shell("export", str(folder)).code == 2


@pytest.mark.parametrize("settings", ["", '[store]\nurl = "sqlite:///{folder}/runs.db"\n'])
def test_runs_without_a_table_are_exported_too(settings: str, tmp_path):
    """Nothing of [data] is needed, and no heptad.toml."""
    if settings:
        (tmp_path / "heptad.toml").write_text(settings.format(folder=tmp_path))
    with open_experiments(tmp_path).start("first") as tracked:
        tracked.log(loss=0.5)
        tracked.attach("note.txt", b"1")
    assert run(["export", str(tmp_path / "out"), "--project", str(tmp_path)]) == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["records"]["run"] == 1
    assert manifest["points"] == 1
    assert any(name.startswith("attachments/") for name in manifest["files"])
