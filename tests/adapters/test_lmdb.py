"""LMDB is an online store; its map follows what other processes make of it."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from heptad.adapters.lmdb import SMALLEST_MAP, LmdbStore
from heptad.core import faults
from heptad.core.errors import InputError, WorkspaceError
from heptad.data import STAMP
from heptad.testing.online_contract import OnlineStoreContract, Open

ROW = (b"k", (1).to_bytes(STAMP, "big") + b"value")


def url_of(folder: Path) -> str:
    return f"lmdb://{folder}"


class TestLmdbStore(OnlineStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Open:
        return lambda namespace: LmdbStore(url_of(tmp_path), namespace)


def grow(folder: Path) -> None:
    """Fill more than the map's first size, in another process."""
    store = LmdbStore(url_of(folder), "test")
    store.put([(b"%d" % number, bytes(STAMP + 1_000_000)) for number in range(SMALLEST_MAP // 1_000_000 + 5)])


def test_a_reader_follows_a_map_that_another_process_enlarged(tmp_path: Path) -> None:
    """What the other process wrote is read, by a store that was opened when the map was small."""
    store = LmdbStore(url_of(tmp_path), "test")
    store.put([ROW])
    child = multiprocessing.get_context("spawn").Process(target=grow, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert store.get([ROW[0], b"0"]) == [ROW[1], bytes(STAMP + 1_000_000)]
    store.put([(b"after", ROW[1])])
    assert store.get([b"after"]) == [ROW[1]]


def test_a_forked_process_opens_it_for_itself(tmp_path: Path) -> None:
    """A child of `fork` reads and writes without disturbing its parent."""
    store = LmdbStore(url_of(tmp_path), "test")
    store.put([ROW])
    assert store.get([ROW[0]]) == [ROW[1]]
    child = os.fork()
    if child == 0:
        fine = False
        try:
            fine = store.get([ROW[0]]) == [ROW[1]]
            store.put([(b"child", ROW[1])])
        finally:
            os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get([ROW[0], b"child"]) == [ROW[1], ROW[1]]


WRITER = """
import sys
from heptad.adapters.lmdb import LmdbStore
store = LmdbStore(sys.argv[1], "test")
for number in range(1, 10_000_000):
    stamp = number.to_bytes(16, "big")
    store.put([(b"%d" % key, stamp) for key in range(100)], {b"mark": b"%d" % number})
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """A writer is killed in the middle: its last answered put is there, whole, with its mark; others can write on."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url_of(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(20)][-1]
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split()
    writer.stdout.close()
    writer.wait()
    acknowledged = max([acknowledged, *map(int, rest)])
    store = LmdbStore(url_of(tmp_path), "test")
    (stamp,) = set(store.get([b"%d" % key for key in range(100)]))
    assert int.from_bytes(stamp or b"", "big") >= acknowledged
    assert store.mark(b"mark") == b"%d" % int.from_bytes(stamp or b"", "big")
    store.put([ROW])
    assert store.get([ROW[0]]) == [ROW[1]]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """What is no database is refused in words, and a namespace leads nowhere else."""
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "data.mdb").write_bytes(b"something else" * 1000)
    with pytest.raises(WorkspaceError, match="cannot be used"):
        LmdbStore(url_of(tmp_path), "test").get([b"k"])
    with pytest.raises(InputError, match="leads outside"):
        LmdbStore(url_of(tmp_path), "../elsewhere")


SECRET = b"Zzyzx-on-Sea"
OTHERS = [(b"other-%d" % number, (1).to_bytes(STAMP, "big") + b"%d" % number * 50) for number in range(3_000)]


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def with_something_deleted(folder: Path) -> LmdbStore:
    """A store with many rows and a mark; rows that held a secret were deleted, and one was replaced."""
    store = LmdbStore(url_of(folder), "test")
    named = [(b"secret-%d" % number, (1).to_bytes(STAMP, "big") + SECRET) for number in range(50)]
    store.put([*OTHERS, *named], {b"mark": b"17"})
    store.put([(b"secret-0", (2).to_bytes(STAMP, "big") + b"longer than before, and nobody's any more")])
    store.delete(key for key, _ in named[1:])
    assert SECRET in bytes_of(folder)
    return store


def test_compacting_leaves_no_byte_of_what_was_deleted(tmp_path: Path) -> None:
    """Rows and marks stay for those who have it open, and for those who come; it is smaller, and can be done again."""
    store = with_something_deleted(tmp_path)
    other = LmdbStore(url_of(tmp_path), "test")
    assert other.get([b"other-1"]) == [OTHERS[1][1]]
    scanning = store.scan(b"")
    first = next(scanning)
    slack, used = store.slack()
    assert slack > 0 < used
    assert store.compact() > 0
    assert SECRET not in bytes_of(tmp_path)
    assert len([first, *scanning]) == len(OTHERS) + 1
    assert store.slack()[0] < slack
    for one in (store, other):
        assert dict(one.scan(b"other")) == dict(OTHERS)
        assert one.mark(b"mark") == b"17"
    other.put([ROW])
    store.compact()
    assert store.get([ROW[0], b"secret-1"]) == [ROW[1], None]
    assert [path.name for path in (tmp_path / "test").iterdir() if path.is_dir()] == ["generation-3"]


def test_what_nobody_opened_yet_is_not_made_by_compacting(tmp_path: Path) -> None:
    """There is nothing, and nothing is left behind."""
    store = LmdbStore(url_of(tmp_path), "test")
    assert (store.slack(), store.compact()) == ((0, 0), 0)
    assert list(tmp_path.iterdir()) == []


def test_compacting_killed_at_any_boundary_loses_nothing_and_is_finished_by_the_next(tmp_path: Path) -> None:
    """One who has it open reads on and writes on after each kill; done again, the secret is gone, and nothing else."""
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        store = with_something_deleted(folder)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                faults._KILL, faults._ACTIVE, faults._passed = number, True, 0
                LmdbStore(url_of(folder), "test").compact()
                code = 0
            finally:
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        killed = os.WIFSIGNALED(status)
        assert killed or status == 0
        assert store.get([b"other-1", b"secret-1"]) == [OTHERS[1][1], None]
        store.put([ROW])
        late = LmdbStore(url_of(folder), "test")
        assert late.get([ROW[0]]) == [ROW[1]]
        late.compact()
        assert SECRET not in bytes_of(folder)
        assert dict(store.scan(b"")).keys() == {*dict(OTHERS), b"secret-0", ROW[0]}
        assert store.mark(b"mark") == b"17"
        if not killed:
            break
    assert number > 6


COUNTER = """
import sys
from heptad.adapters.lmdb import LmdbStore
store = LmdbStore(sys.argv[1], "test")
for number in range(1, 10_000_000):
    store.put([(b"counter", number.to_bytes(16, "big"))])
    print(number, flush=True)
"""

READER = """
import sys
from heptad.adapters.lmdb import LmdbStore
store, before, reads = LmdbStore(sys.argv[1], "test"), 0, 0
print("reading", flush=True)
while True:
    counter, other = store.get([b"counter", b"other-7"])
    now = int.from_bytes(counter, "big")
    assert now >= before and other == store.get([b"other-7"])[0] is not None
    before, reads = now, reads + 1
    if store.mark(b"end"):
        break
print(before, reads, flush=True)
"""


def test_other_processes_read_and_write_on_while_it_is_compacted(tmp_path: Path) -> None:
    """No answer is missing or older than the one before it, and no acknowledged write is lost."""
    store = with_something_deleted(tmp_path)
    store.put([(b"counter", bytes(STAMP))])
    reader = subprocess.Popen([sys.executable, "-c", READER, url_of(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    writer = subprocess.Popen([sys.executable, "-c", COUNTER, url_of(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    compacting = threading.Thread(target=lambda: [store.compact() for _ in range(10)])
    compacting.start()
    compacting.join()
    writer.send_signal(signal.SIGTERM)
    acknowledged = int(writer.stdout.read().split()[-1])
    writer.stdout.close()
    writer.wait()
    # Before the counter is read: the next write makes one seen whose process was killed.
    store.put([], {b"end": b"1"})
    (counter,) = store.get([b"counter"])
    assert int.from_bytes(counter or b"", "big") >= acknowledged
    last, reads = map(int, reader.stdout.read().split())
    reader.stdout.close()
    assert reader.wait() == 0
    assert reads > 10
    assert 0 < last <= int.from_bytes(counter or b"", "big")
    assert SECRET not in bytes_of(tmp_path)
