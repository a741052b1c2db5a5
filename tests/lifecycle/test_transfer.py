"""A workspace survives backup, restore and move whole, and a backup that was damaged is refused."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from heptad.core.errors import InputError, IntegrityError, RefusedError, WorkspaceError
from heptad.core.events import verify
from heptad.core.query import Query
from heptad.core.records import Change, NewEvent
from heptad.core.settings import StoreSettings
from heptad.core.sql_copy import copy_store, sql_store
from heptad.core.sql_store import SqlStore, open_store
from heptad.core.store import Store
from heptad.core.workspace import Workspace, open_workspace
from heptad.data.streams.locks import landing_alone
from heptad.lifecycle import transfer
from heptad.lifecycle.transfer import MANIFEST, backup, move, move_store, read_backup, refuse_moved, restore, silent
from heptad.testing.store_contract import points, record

TABLE = "tables/flights"


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """Records, an artifact, a table with its log, and a key that nobody else may read."""
    digest = workspace.blobs.put(b"a model")
    workspace.store.write(
        Change(records=[record("r1", {"model": digest})], events=[NewEvent(kind="t.made", subject="r1")])
    )
    workspace.store.append([points(0, 10)])
    for name, text in {
        f"{TABLE}/_delta_log/0.json": "{}",
        f"{TABLE}/part-0.parquet": "rows",
        "cache/sources/copy": "fetched again where it is needed",
        "keys/release.ed25519": "secret",
        "keys/release.ed25519.pub": "public",
        "keys/trusted/theirs.pub": "their public",
    }.items():
        path = workspace.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (workspace.folder / "keys/release.ed25519").chmod(0o600)
    return workspace


def check_same(old: Workspace, new: Workspace) -> None:
    """All that was filled in is there, and can be gone on with."""
    assert new.store.get(["r1"]) == old.store.get(["r1"])
    assert new.store.read("r1", "loss") == points(0, 10)
    assert list(new.blobs.digests()) == list(old.blobs.digests())
    assert (new.folder / TABLE / "part-0.parquet").read_text() == "rows"
    new.store.write(Change(events=[NewEvent(kind="t.later", subject="r1")]))
    assert verify(new.store) == 2


def test_a_backup_is_restored_whole(filled: Workspace, tmp_path: Path) -> None:
    """In another folder, with the same counts and digests; the first one goes on as before."""
    told: list[str] = []
    made = backup(filled, tmp_path / "kept", lambda part, _: told.append(part))
    assert (made.name, made.records, made.events, made.artifacts) == ("test", 1, 1, 1)
    table = {f"{TABLE}/_delta_log/0.json", f"{TABLE}/part-0.parquet"}
    assert {name for name in made.files if not name.startswith("keys/")} == table
    assert {"record", "event", "artifacts", "files"} <= set(told)
    assert read_backup(tmp_path / "kept") == made
    assert restore(tmp_path / "kept", tmp_path / "elsewhere") == made
    check_same(filled, open_workspace(tmp_path / "elsewhere", "test", StoreSettings()))
    filled.store.write(Change(records=[record("r2")]))


def test_a_backup_goes_into_another_database(filled: Workspace, tmp_path: Path, store_url: str) -> None:
    """The store alone; the rest is in the folder."""
    backup(filled, tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "elsewhere", store_url)
    assert not (tmp_path / "elsewhere/.heptad/heptad.db").exists()
    check_same(filled, open_workspace(tmp_path / "elsewhere", "test", StoreSettings(url=store_url)))


def test_a_workspace_moves_to_another_folder(filled: Workspace, tmp_path: Path) -> None:
    """The old one can still be read, and says where the new one is to who would write to it."""
    move(filled, tmp_path / "elsewhere")
    check_same(filled, open_workspace(tmp_path / "elsewhere", "test", StoreSettings()))
    for old in (filled, open_workspace(filled.root, "test", StoreSettings())):
        assert old.store.get(["r1"])
        with pytest.raises(WorkspaceError, match="elsewhere"):
            old.store.write(Change(records=[record("r2")]))


def test_nothing_moves_from_under_a_stream_that_lands(filled: Workspace, tmp_path: Path) -> None:
    """What has landed, and is not there any more for anybody else, would stay behind."""
    with (
        landing_alone(filled.tables / "stream-clicks-1", "clicks", 0.0),
        pytest.raises(RefusedError, match=r"lands a stream in .*stream-clicks-1"),
    ):
        move(filled, tmp_path / "elsewhere")
    move(filled, tmp_path / "elsewhere")


def test_who_works_on_in_a_workspace_is_told_that_it_has_moved(filled: Workspace, tmp_path: Path) -> None:
    """Before, nothing is said; nor of a store that is not ours, which nobody moves."""
    refuse_moved(filled)
    move(filled, tmp_path / "elsewhere")
    with pytest.raises(WorkspaceError, match=r"was moved to .*elsewhere"):
        refuse_moved(filled)
    refuse_moved(replace(filled, store=cast(Store, object())))


def test_a_store_moves_to_another_database(filled: Workspace, store_url: str) -> None:
    """From SQLite to PostgreSQL, or to another file: counts and digests are those of the source."""
    sums = move_store(filled, store_url)
    assert (sums["record"].rows, sums["event"].rows, sums["segment"].rows) == (1, 1, 1)
    check_same(filled, open_workspace(filled.root, "test", StoreSettings(url=store_url)))
    with pytest.raises(WorkspaceError, match="moved to"):
        filled.store.write(Change(records=[record("r2")]))


def test_nothing_that_is_written_during_a_move_is_lost(filled: Workspace, store: SqlStore, tmp_path: Path) -> None:
    """Who writes meanwhile waits, and is then told where the store went; what was acknowledged has moved."""
    workspace = replace(filled, store=store)
    store.write(Change(records=[record("r1")], events=[NewEvent(kind="t.made", subject="r1")]))
    acknowledged: list[str] = []
    refused: list[str] = []

    def write(name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except WorkspaceError as error:
            refused.append(str(error))
        else:
            acknowledged.append(name)

    writers = [
        threading.Thread(target=write, args=("record", lambda: store.write(Change(records=[record("late")])))),
        threading.Thread(target=write, args=("points", lambda: store.append([points(0, 5)]))),
    ]

    def watch(part: str, _: int) -> None:
        if part == "record":
            for writer in writers:
                writer.start()
                writer.join(0.3)

    move_store(workspace, f"sqlite:///{tmp_path / 'moved.db'}", watch)
    for writer in writers:
        writer.join(60)
    assert acknowledged == []
    assert ["moved.db" in one for one in refused] == [True, True]


def test_a_store_does_not_move_onto_itself(filled: Workspace) -> None:
    """Nor into one that holds something."""
    with pytest.raises(InputError, match="already"):
        move_store(filled, filled.store.url)
    filled.store.write(Change(records=[record("r2")]))


def lose_an_artifact(kept: Path) -> None:
    next(path for path in (kept / "artifacts").glob("??/*")).unlink()


def alter_an_artifact(kept: Path) -> None:
    path = next(path for path in (kept / "artifacts").glob("??/*"))
    path.chmod(0o644)
    path.write_bytes(b"A model")


def alter_a_record(kept: Path) -> None:
    statement = """UPDATE record SET body = '{"x":1}'"""
    code = f"import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute({statement!r}); c.commit()"
    subprocess.run([sys.executable, "-c", code, str(kept / "heptad.db")], check=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: (kept / TABLE / "part-0.parquet").write_text("rowz"),
        lambda kept: (kept / TABLE / "part-0.parquet").unlink(),
        lambda kept: (kept / TABLE / "part-1.parquet").write_text("more"),
        lambda kept: (kept / MANIFEST).write_text("{"),
        lambda kept: (kept / "heptad.db").write_bytes(b"no database" * 1000),
        lose_an_artifact,
        alter_an_artifact,
        alter_a_record,
    ],
    ids=["altered file", "lost file", "added file", "manifest", "store", "lost artifact", "altered artifact", "record"],
)
def test_a_damaged_backup_is_not_restored(filled: Workspace, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """The error names the part, and nothing is left where the workspace would have been."""
    kept = tmp_path / "kept"
    backup(filled, kept)
    damage(kept)
    with pytest.raises(IntegrityError):
        restore(kept, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere/.heptad").exists()
    assert not (tmp_path / "elsewhere/.heptad.part").exists()


def test_nothing_is_overwritten(filled: Workspace, tmp_path: Path) -> None:
    """A folder that is not empty is refused, and so is a folder without a backup."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(InputError, match="not empty"):
        backup(filled, tmp_path / "full")
    backup(filled, tmp_path / "kept")
    with pytest.raises(InputError, match="not empty"):
        restore(tmp_path / "kept", filled.root)
    with pytest.raises(InputError, match="no backup"):
        restore(tmp_path / "full", tmp_path / "elsewhere")


def test_a_workspace_in_use_is_backed_up_at_one_moment(filled: Workspace, tmp_path: Path) -> None:
    """Whoever writes meanwhile goes on; the copy holds whole changes, and every artifact that it refers to."""
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            digest = filled.blobs.put(f"artifact {number}".encode())
            change = Change(records=[record(f"w{number}", {"artifact": digest})])
            filled.store.write(change)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup(filled, tmp_path / "kept")
    finally:
        done.set()
        writer.join()
    restore(tmp_path / "kept", tmp_path / "elsewhere")
    copy = open_workspace(tmp_path / "elsewhere", "test", StoreSettings())
    for one in copy.store.find(Query(kind="run"), limit=100_000).items:
        if one.id != "r1":
            assert copy.blobs.get(str(one.attributes["artifact"]))


def test_a_killed_move_is_completed_by_the_next(filled: Workspace, tmp_path: Path) -> None:
    """Until its last step there is no new workspace and the old one is in use; then the new one is whole."""
    code = """
import sys
from pathlib import Path
from heptad.core.settings import StoreSettings
from heptad.core.sql_copy import copy_store, sql_store
from heptad.core.sql_store import open_store
from heptad.lifecycle.transfer import move
from heptad.core.workspace import open_workspace
move(open_workspace(Path(sys.argv[1]), "test", StoreSettings()), Path(sys.argv[2]))
"""
    elsewhere = tmp_path / "elsewhere"
    arguments = [sys.executable, "-c", code, str(filled.root), str(elsewhere)]
    passed = tmp_path / "passed"

    def killed_at(boundary: int) -> str:
        """The boundary's name."""
        environment = os.environ | {"HEPTAD_FAULT_KILL": str(boundary), "HEPTAD_FAULT_LOG": str(passed)}
        assert subprocess.run(arguments, env=environment, check=False).returncode == -9
        return passed.read_text().splitlines()[-1].split()[1]

    boundary = 3
    while killed_at(boundary) != "store.before_commit" or not (elsewhere / ".heptad").exists():
        filled.store.write(Change(records=[record(f"after-{boundary}")]))
        assert not (elsewhere / ".heptad").exists()
        boundary += 2
    assert boundary > 5
    move(filled, elsewhere)
    moved = open_workspace(elsewhere, "test", StoreSettings())
    assert len(moved.store.find(Query(kind="run")).items) == len(filled.store.find(Query(kind="run")).items) > 2
    with pytest.raises(WorkspaceError, match="elsewhere"):
        filled.store.write(Change(records=[record("r2")]))


def test_a_store_that_arrived_is_not_copied_again(filled: Workspace, store_url: str) -> None:
    """As after a kill between the last row and the word that the store was moved."""
    copy_store(sql_store(filled.store), open_store(store_url), silent)
    assert move_store(filled, store_url)["record"].rows == 1
    assert open_store(store_url).get(["r1"])


def test_an_artifact_that_goes_meanwhile_is_left_out(filled: Workspace, tmp_path: Path) -> None:
    """A collection of garbage beside a backup takes what no record mentions, and disturbs nothing."""
    loose = [filled.blobs.put(f"loose {number}".encode()) for number in range(5)]

    def watch(part: str, _: int) -> None:
        if part == "artifacts":
            filled.blobs.delete(loose)

    made = backup(filled, tmp_path / "kept", watch)
    assert made.artifacts in {1, 2}
    assert restore(tmp_path / "kept", tmp_path / "elsewhere") == made


def test_names_in_folders_are_durable_too(filled: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a backup gets its name, every file in it is synced, and every folder that holds one."""
    synced: set[Path] = set()
    monkeypatch.setattr(transfer, "sync_files", lambda _, paths: synced.update(paths))
    backup(filled, tmp_path / "kept")
    kept = {path.relative_to(tmp_path / "kept") for path in (tmp_path / "kept").rglob("*")}
    assert {path.relative_to(tmp_path / "kept.part") for path in synced} >= kept


def test_a_backup_holds_no_private_key(filled: Workspace, tmp_path: Path) -> None:
    """Whoever finds it can sign nothing; what the old key signed stays trusted where it is restored."""
    made = backup(filled, tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "elsewhere")
    keys = tmp_path / "elsewhere/.heptad/keys"
    assert {path.read_text() for path in keys.rglob("*") if path.is_file()} == {"public", "their public"}
    assert {path.parent.name for path in keys.rglob("*.pub")} == {"trusted"}
    assert not any(b"secret" in path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file())
    assert sum(name.startswith("keys/") for name in made.files) == 2


def test_a_move_takes_the_keys_along(filled: Workspace, tmp_path: Path) -> None:
    """The workspace stays who it is, and its key as private as it was."""
    move(filled, tmp_path / "elsewhere")
    key = tmp_path / "elsewhere/.heptad/keys/release.ed25519"
    assert key.read_text() == "secret"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.with_suffix(".ed25519.pub").read_text() == "public"


def test_a_database_that_is_written_meanwhile_arrives_whole(filled: Workspace, tmp_path: Path) -> None:
    """What was committed before is in the copy, also where it was still in the write-ahead log; nothing is torn."""
    path = filled.folder / "serving/x/journal.db"
    path.parent.mkdir(parents=True)
    source = sqlite3.connect(path, isolation_level=None)
    source.execute("PRAGMA journal_mode = WAL")
    source.execute("CREATE TABLE entry (number INTEGER PRIMARY KEY, text TEXT)")
    source.execute("INSERT INTO entry (text) VALUES ('before')")

    def watch(_part: str, _done: int) -> None:
        source.execute("INSERT INTO entry (text) VALUES (?)", ("meanwhile" * 1000,))
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    made = backup(filled, tmp_path / "kept", watch)
    source.close()
    assert not any(name.endswith(("-wal", "-shm")) for name in made.files)
    restore(tmp_path / "kept", tmp_path / "elsewhere")
    copy = sqlite3.connect(tmp_path / "elsewhere/.heptad/serving/x/journal.db")
    assert copy.execute("SELECT text FROM entry WHERE number = 1").fetchone() == ("before",)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
