"""Digests are remembered as long as nobody touched the file, and no longer."""

import os
import threading
import time
from pathlib import Path

from heptad.data.hash_cache import SECOND, TICK, HashCache, Seen, Stamp, is_settled

OLD = Stamp(1, 2, 3_000_000_001, 4)


def test_what_was_remembered_is_recalled_by_folder(tmp_path: Path) -> None:
    """Whatever bytes the path has; what is gone is forgotten."""
    cache = HashCache(tmp_path / "cache" / "files.db")
    assert cache.recall("images") == {}
    cache.remember("images", {b"\xff": Seen(OLD, b"d"), b"b": Seen(OLD, b"e")})
    cache.remember("others", {b"c": Seen(OLD, b"f")})
    cache.remember("images", {b"b": Seen(OLD, b"g")}, [b"\xff"])
    assert HashCache(tmp_path / "cache" / "files.db").recall("images") == {b"b": Seen(OLD, b"g")}
    cache.place("images", "1")
    cache.place("images", "2")
    assert (cache.placed("images"), cache.placed("others")) == ("2", "")


def test_a_file_that_was_just_written_is_not_believed(tmp_path: Path) -> None:
    """A second write in the same tick of the clock would not be seen."""
    cache, now = HashCache(tmp_path / "files.db"), time.time_ns()
    cache.remember("images", {b"a": Seen(Stamp(1, 1, now, now), b"d"), b"b": Seen(OLD, b"d")})
    assert cache.recall("images").keys() == {b"b"}
    whole = 10**18
    assert is_settled(Stamp(1, 1, whole + 1, 0), whole + TICK + 2)
    assert not is_settled(Stamp(1, 1, whole, 0), whole + TICK + 2)
    assert is_settled(Stamp(1, 1, whole, 0), whole + SECOND + 1)
    assert not is_settled(Stamp(1, 1, 0, whole), whole)


def test_a_stamp_changes_with_whatever_is_done_to_a_file(tmp_path: Path) -> None:
    """Also where somebody sets the time back, or puts another file of the same size and time in its place."""
    path = tmp_path / "a"
    path.write_bytes(b"one")
    before = Stamp.of(path.stat())
    time.sleep(0.02)
    path.write_bytes(b"two")
    os.utime(path, ns=(before.written, before.written))
    assert Stamp.of(path.stat()) != before
    (tmp_path / "b").write_bytes(b"six")
    os.utime(tmp_path / "b", ns=(before.written, before.written))
    (tmp_path / "b").replace(path)
    assert Stamp.of(path.stat()) != before


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    """It only ever saves time."""
    path = tmp_path / "files.db"
    cache = HashCache(path)
    cache.remember("images", {b"a": Seen(OLD, b"d")})
    path.write_bytes(b"no database at all" * 1000)
    assert cache.recall("images") == {}
    cache.remember("images", {b"a": Seen(OLD, b"d")})
    assert cache.recall("images") == {b"a": Seen(OLD, b"d")}


def test_several_processes_remember_at_once(tmp_path: Path) -> None:
    """Nobody is told that the database is locked."""
    cache = HashCache(tmp_path / "files.db")

    def remember(number: int) -> None:
        for turn in range(20):
            cache.remember("images", {b"%d %d" % (number, turn): Seen(OLD, b"d")})

    threads = [threading.Thread(target=remember, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(cache.recall("images")) == 80
