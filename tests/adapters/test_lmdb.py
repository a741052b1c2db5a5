"""LMDB is an online store; its map follows what other processes make of it."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from heptad.adapters.lmdb import SMALLEST_MAP, LmdbStore
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
