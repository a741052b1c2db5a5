"""The doctor finds each thing that is wrong, says so in a sentence, and names the remedy."""

import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from heptad.core import graph
from heptad.core.clock import ManualClock
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.data import Folders, RemoteSettings
from heptad.experiments import Run
from heptad.lifecycle import doctor
from heptad.lifecycle.doctor import Check, examine_machine, examine_workspace
from tests.lifecycle.conftest import Played


def finding(checks: list[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


@pytest.fixture
def copied(played: Played, tmp_path) -> Workspace:
    """The rehearsed workspace, copied for tests that break it."""
    shutil.copytree(played.project.root / ".heptad", tmp_path / ".heptad", ignore=shutil.ignore_patterns("workers"))
    return replace(open_workspace(tmp_path, "rides", StoreSettings()), clock=played.project.workspace.clock)


def test_a_sound_machine_and_workspace_have_no_findings(played: Played):
    """Every check is there and says what it saw."""
    checks = [*examine_machine(played.project.root), *examine_workspace(played.project.workspace)]
    assert [check.name for check in checks] == [
        "python", "packages", "disk", "memory", "folder", "file system",
        "events", "artifacts", "tables", "keys", "journals", "clock",
    ]  # fmt: skip
    assert [check for check in checks if check.state == "error"] == []
    assert all(check.sentence for check in checks)


def test_an_empty_workspace_is_sound(workspace):
    """There is nothing yet that could be broken."""
    assert {check.state for check in examine_workspace(workspace)} == {"ok"}


def test_a_folder_that_does_not_exist_yet_is_judged_by_the_one_above(tmp_path):
    """Where the project would be made."""
    assert finding(examine_machine(tmp_path / "a" / "b"), "folder").state == "ok"


def test_a_full_disk_and_little_memory_are_found(monkeypatch, tmp_path):
    """A little room is a warning, none is an error."""
    for free, state in ((500 << 20, "warning"), (1 << 20, "error")):
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert finding(examine_machine(tmp_path), "disk").state == state
    monkeypatch.setattr(doctor, "_available_memory", lambda: 100 << 20)
    assert "--sample" in finding(examine_machine(tmp_path), "memory").remedy


def test_a_missing_package_is_found(monkeypatch, tmp_path):
    """By the name under which it is installed."""
    monkeypatch.setattr(
        doctor, "requires", lambda _: ["polars>=2.0", "no-such-thing[x]>=1", 'psycopg>=3; extra == "y"']
    )
    found = finding(examine_machine(tmp_path), "packages")
    assert (found.state, found.sentence) == ("error", "not installed: no-such-thing")


def test_a_network_file_system_is_no_place_for_the_embedded_store(monkeypatch, tmp_path):
    """Its locks cannot be relied on."""
    monkeypatch.setattr(doctor, "_kind_of_file_system", lambda _: "nfs4")
    found = finding(examine_machine(tmp_path), "file system")
    assert found.state == "error"
    assert "PostgreSQL" in found.remedy


def test_a_folder_that_may_not_be_written_is_found(monkeypatch, tmp_path):
    """Tests run as root, who may write anywhere: the answer of the system is replaced."""
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert finding(examine_machine(tmp_path), "folder").state == "error"


def test_an_altered_event_is_found(copied):
    """One byte of one event, changed behind our back."""
    with sqlite3.connect(copied.folder / "heptad.db") as connection:
        connection.execute("UPDATE event SET actor = 'somebody else' WHERE position = 3")
    connection.close()
    found = finding(examine_workspace(copied), "events")
    assert found.state == "error"
    assert "position 3" in found.sentence


def test_of_a_long_chain_the_end_is_checked(copied, monkeypatch):
    """What was altered there is found, and the sentence says that this was not all of it."""
    monkeypatch.setattr(doctor, "EVENTS_CHECKED", 5)
    assert "the newest 5 of" in finding(examine_workspace(copied), "events").sentence
    with sqlite3.connect(copied.folder / "heptad.db") as connection:
        (last,) = connection.execute("SELECT max(position) FROM event").fetchone()
        connection.execute("UPDATE event SET actor = 'somebody else' WHERE position = ?", (last - 1,))
    connection.close()
    assert f"position {last - 1}" in finding(examine_workspace(copied), "events").sentence


def test_a_missing_artifact_is_found_with_the_record_that_needs_it(copied):
    """The package of the champion, for example."""
    digest = "0" * 64
    run = graph.save(copied, Run(name="r", experiment="e"), scope="e", attributes={"artifacts.model": digest})
    found = finding(examine_workspace(copied), "artifacts")
    assert found.state == "error"
    assert run.id in found.sentence


def test_a_missing_pack_of_a_folder_is_found(workspace):
    """Until the version is forgotten; packs that many versions share are counted once."""
    folders = Folders(workspace, RemoteSettings())
    place = workspace.root / "images"
    place.mkdir()
    for number in range(2):
        (place / str(number)).write_text(f"{number}")
        (added,) = folders.add([place])
    needed = str(added.version.attributes["artifacts"]).split()
    assert finding(examine_workspace(workspace), "artifacts").sentence.startswith("4 that")
    workspace.blobs.delete([one for one in needed if one != added.version.attributes["stored"]][:1])
    found = finding(examine_workspace(workspace), "artifacts")
    assert found.state == "error"
    assert "1 of 4 are missing" in found.sentence
    assert "a version of images" in found.sentence
    assert "heptad data add images" in found.remedy


def test_a_missing_table_is_found(copied):
    """By its name."""
    shutil.rmtree(copied.tables / "rides")
    assert finding(examine_workspace(copied), "tables").sentence == "missing: rides"


def test_keys_that_others_may_read_or_that_lost_their_half_are_found(copied):
    """Both are errors, with what to type."""
    private = copied.folder / "keys" / "release.ed25519"
    private.chmod(0o640)
    assert finding(examine_workspace(copied), "keys").remedy == f"chmod 600 {private}"
    private.unlink()
    assert "nothing can be signed" in finding(examine_workspace(copied), "keys").sentence


def test_a_journal_that_nobody_collects_is_found(copied, monkeypatch):
    """Its size tells."""
    monkeypatch.setattr(doctor, "LONG_JOURNAL", 10)
    assert finding(examine_workspace(copied), "journals").remedy == "keep the loop turning: heptad up"


def test_a_clock_that_went_backwards_is_found(workspace, clock):
    """The newest event is later than now; a little is forgiven."""
    graph.save(workspace, Run(name="r", experiment="e"), scope="e", event="experiments.run_started")
    early = replace(workspace, clock=ManualClock(clock.now() - timedelta(hours=1)))
    assert finding(examine_workspace(early), "clock").state == "warning"
    nearly = replace(workspace, clock=ManualClock(clock.now() - timedelta(minutes=1)))
    assert finding(examine_workspace(nearly), "clock").state == "ok"


def test_a_damaged_pack_of_a_folder_is_found_when_all_are_read_and_mended_by_add(workspace):
    """Its size is what it was, so that only its bytes tell; the folder has them still."""
    folders = Folders(workspace, RemoteSettings())
    place = workspace.root / "images"
    place.mkdir()
    (place / "one").write_text("what is in it")
    (added,) = folders.add([place])
    stored = str(added.version.attributes["stored"])
    pack = next(one for one in str(added.version.attributes["artifacts"]).split() if one != stored)
    path = workspace.folder / "artifacts" / pack[:2] / pack[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert "heptad doctor --deep" in finding(examine_workspace(workspace), "artifacts").sentence
    found = finding(examine_workspace(workspace, deep=True), "artifacts")
    assert "1 of 2 are missing or damaged" in found.sentence
    assert f"{path.relative_to(workspace.folder)}; then heptad data add images" in found.remedy
    path.unlink()
    folders.add([place])
    assert finding(examine_workspace(workspace, deep=True), "artifacts").sentence.endswith("are whole")
