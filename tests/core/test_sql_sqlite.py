"""A SQLite file under many processes, kills, full and read-only disks, and damage."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from heptad.core import sql_sqlite
from heptad.core.errors import IntegrityError, UnavailableError, WorkspaceError
from heptad.core.query import Query
from heptad.core.records import Attribute, Change
from heptad.core.sql_sqlite import SqliteDatabase
from heptad.core.sql_store import SqlStore, open_store
from heptad.core.store import Segment
from heptad.testing.store_contract import record

WRITER = """
import sys, time
from heptad.core.records import Change, NewEvent
from heptad.core.sql_store import open_store
from heptad.testing.store_contract import record
url, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
store = open_store(url)
print("ready", flush=True)
sys.stdin.readline()
end, number, longest = time.monotonic() + seconds, 0, 0.0
while time.monotonic() < end:
    began = time.monotonic()
    written = f"{name}-{number}"
    store.write(Change(records=[record(written)], events=[NewEvent(kind="t.written", subject=written)]))
    longest = max(longest, time.monotonic() - began)
    number += 1
    print(written, flush=True)
print(f"longest {longest}", flush=True)
"""


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'heptad.db'}"


def writer(url: str, name: str, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, name, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start(processes: list[subprocess.Popen[str]]) -> None:
    """Let them all begin at once, when each has opened the store."""
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def ids(store: SqlStore) -> set[str]:
    found, after = set(), None
    while True:
        page = store.find(Query(kind="run", attributes=()), after, 10_000)
        found |= {one.id for one in page.items}
        if page.after is None:
            return found
        after = page.after


def test_what_a_killed_process_was_told_is_there(tmp_path: Path) -> None:
    """Each write that returned before `kill -9` is found again, the one in between whole or not, and others go on."""
    url = url_of(tmp_path)
    processes = [writer(url, f"p{number}", 60) for number in range(3)]
    start(processes)
    time.sleep(1.0)
    for process in processes:
        process.send_signal(signal.SIGKILL)
    acknowledged = {
        line for process in processes for line in process.communicate()[0].split("\n") if line.startswith("p")
    }
    store = open_store(url)
    found = ids(store)
    assert len(acknowledged) > 10
    assert acknowledged <= found
    assert len(found - acknowledged) <= 3
    assert {event.subject for event in store.follow(0, limit=100_000)} == found
    store.write(Change(records=[record("afterwards")]))


def test_a_write_returns_when_the_log_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on the disk at the time of the sync, and no more, already holds the change."""
    store = open_store(url_of(tmp_path))
    synced = tmp_path / "synced"
    really_sync = os.fdatasync

    def sync(descriptor: int) -> None:
        shutil.rmtree(synced, ignore_errors=True)
        synced.mkdir()
        for name in ("heptad.db", "heptad.db-wal"):
            # With another process: closing the file in this one would drop SQLite's locks.
            subprocess.run(["cp", str(tmp_path / name), str(synced)], check=True)
        really_sync(descriptor)

    monkeypatch.setattr(sql_sqlite.os, "fdatasync", sync)
    store.write(Change(records=[record("r1", {"score": 0.5})]))
    assert open_store(url_of(synced)).get(["r1"]) == store.get(["r1"])


def test_points_are_synced_soon_after_they_were_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`append` returns at once; a sync follows within a tenth of a second."""
    store = open_store(url_of(tmp_path))
    store.write(Change(records=[record("r1")]))
    synced = threading.Event()
    monkeypatch.setattr(sql_sqlite.os, "fdatasync", lambda _: synced.set())
    store.append([Segment(record="r1", key="loss", first=0, steps=[0], values=[1.0], times=[0.0])])
    assert not synced.is_set()
    assert synced.wait(60)


def test_points_of_a_program_that_ends_are_synced(tmp_path: Path) -> None:
    """The end of the program waits for the sync that is due."""
    code = """
import os, sys
from heptad.core import sql_sqlite
from heptad.core.records import Change
from heptad.core.sql_store import open_store
from heptad.core.store import Segment
from heptad.testing.store_contract import record
store = open_store(sys.argv[1])
store.write(Change(records=[record("r1")]))
sql_sqlite.os.fdatasync = lambda _: print("synced", flush=True)
store.append([Segment(record="r1", key="loss", first=0, steps=[0], values=[1.0], times=[0.0])])
print("end", flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code, url_of(tmp_path)], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["end", "synced"]


def test_another_program_that_holds_the_file_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And after a while the error says that trying again may help."""
    monkeypatch.setattr(sql_sqlite, "BUSY_SECONDS", 0.2)
    store = open_store(url_of(tmp_path))
    other = sqlite3.connect(tmp_path / "heptad.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="busy"):
        store.write(Change(records=[record("r1")]))
    other.execute("COMMIT")
    other.close()
    store.write(Change(records=[record("r1")]))


def test_a_forked_process_has_connections_of_its_own(tmp_path: Path) -> None:
    """Both sides of a fork go on reading and writing, whoever ends first."""
    store = open_store(url_of(tmp_path))
    store.write(Change(records=[record("before")]))
    child = os.fork()
    if child == 0:
        try:
            store.write(Change(records=[record("child")]))
            assert len(store.get(["before", "child"])) == 2
        except BaseException:  # noqa: BLE001 - the only way to tell the parent
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    store.write(Change(records=[record("parent")]))
    assert ids(store) == {"before", "child", "parent"}


OPENER = """
import sys
from heptad.core.sql_store import open_store
print("ready", flush=True)
for line in sys.stdin:
    store = open_store(line.strip())
    store.follow(0)
    store.database.close()
    print("opened", flush=True)
"""


def test_programs_that_open_a_new_store_at_once_all_succeed(tmp_path: Path) -> None:
    """Whoever comes while the file is being made waits for it; nobody is told that it is busy."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 6
    for number in range(40):
        for process in processes:
            process.stdin.write(f"sqlite:///{tmp_path / str(number) / 'heptad.db'}\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["opened\n"] * 6
    assert [process.communicate()[1] for process in processes] == [""] * 6


def test_a_child_forked_during_a_write_does_not_keep_the_turn(tmp_path: Path) -> None:
    """The lock is let go by the writer, although a child has the same open file."""
    store = open_store(url_of(tmp_path))
    with store.database.writing():
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
    done = threading.Event()
    threading.Thread(target=lambda: (store.write(Change(records=[record("r1")])), done.set()), daemon=True).start()
    try:
        assert done.wait(60)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of three megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_leaves_no_half_change(small_disk: Path) -> None:
    """What was written before is there, and when there is space again, writing goes on."""
    store = open_store(url_of(small_disk))
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1_000_000))
    written: list[str] = []

    def fill() -> None:
        for number in range(100):
            parts = [record(f"r{number}-{part}", {"text": "x" * 20_000}) for part in range(3)]
            store.write(Change(records=parts))
            written.extend(one.id for one in parts)

    with pytest.raises(WorkspaceError, match="disk is full") as caught:
        fill()
    assert "space" in caught.value.remedy
    assert written
    assert ids(store) == set(written)
    filler.unlink()
    store.write(Change(records=[record("afterwards")]))
    assert ids(store) == {*written, "afterwards"}
    store.database.close()


@pytest.mark.parametrize("is_open_elsewhere", [False, True], ids=["closed", "in use"])
def test_a_read_only_folder_can_be_read(small_disk: Path, is_open_elsewhere: bool) -> None:
    """Writing says why it cannot be, also where the last writer left a log behind."""
    store = open_store(url_of(small_disk))
    store.write(Change(records=[record("r1")]))
    if is_open_elsewhere:
        # As after a kill: the log is still there.
        for name in ("heptad.db-wal", "heptad.db-shm", "heptad.db"):
            subprocess.run(["cp", str(small_disk / name), str(small_disk / f"kept-{name}")], check=True)
    store.database.close()
    if is_open_elsewhere:
        for name in ("heptad.db-wal", "heptad.db-shm", "heptad.db"):
            (small_disk / f"kept-{name}").rename(small_disk / name)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    again = open_store(url_of(small_disk))
    assert ids(again) == {"r1"}
    with pytest.raises(WorkspaceError, match="read-only"):
        again.write(Change(attributes=[Attribute("r1", "a", 1)]))
    again.database.close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """The place of the store is a file, or below one."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="file"):
        open_store(url_of(tmp_path / "file" / "below"))
    (tmp_path / "heptad.db").mkdir()
    with pytest.raises(WorkspaceError, match=r"heptad\.db"):
        open_store(url_of(tmp_path))


@pytest.mark.parametrize("damage", ["header", "pages", "no database"])
def test_a_damaged_file_is_said(tmp_path: Path, damage: str) -> None:
    """The error names the file and the way back, and is no traceback of a driver."""
    store = open_store(url_of(tmp_path))
    store.write(Change(records=[record(f"r{n}", {"text": "x" * 500}) for n in range(200)]))
    store.database.close()
    path = tmp_path / "heptad.db"
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:16] = b"no sqlite at all"
    elif damage == "pages":
        content[4096 * 2 : -4096] = os.urandom(len(content) - 4096 * 3)
    else:
        content = bytearray(b"name,value\n" * 1000)
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"heptad\.db") as caught:
        ids(open_store(url_of(tmp_path)))
    assert "backup" in caught.value.remedy


def test_a_copy_is_whole_while_others_write(tmp_path: Path) -> None:
    """A snapshot taken under writers holds whole changes: as many events as records."""
    store = open_store(url_of(tmp_path))
    process = writer(url_of(tmp_path), "p", 60)
    start([process])
    while len(store.follow(0)) < 20:
        time.sleep(0.01)
    assert isinstance(store.database, SqliteDatabase)
    (tmp_path / "copy").mkdir()
    store.database.copy_to(tmp_path / "copy" / "heptad.db")
    process.kill()
    process.communicate()
    copy = open_store(url_of(tmp_path / "copy"))
    assert len(copy.follow(0, limit=100_000)) == len(ids(copy)) >= 20
