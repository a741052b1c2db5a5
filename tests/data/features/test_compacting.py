"""Files of the online store are made anew where there are any, and only what is worth it is told of."""

from pathlib import Path

from heptad.adapters.lmdb import LmdbStore
from heptad.adapters.redis import RedisStore
from heptad.data import STAMP
from heptad.data.features.compacting import OnlineFiles


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_little_slack_is_not_told_of_and_goes_where_it_is_asked_for(tmp_path: Path) -> None:
    """An erasure compacts whatever the slack."""
    store = LmdbStore(f"lmdb://{tmp_path}", "test")
    files = OnlineFiles(lambda: [store])
    store.put([(b"k", bytes(STAMP) + b"a value")])
    store.delete([b"k"])
    assert files.slack() == 0
    assert files.compact(worth_it=True) == 0
    assert b"a value" in bytes_of(tmp_path)
    files.compact()
    assert b"a value" not in bytes_of(tmp_path)
    store.put([(b"k", bytes(3 << 20))])
    store.delete([b"k"])
    assert files.slack() > 3 << 20
    assert files.compact(worth_it=True) > 3 << 20
    assert files.slack() == 0


def test_a_store_elsewhere_has_no_files_here() -> None:
    """It is not even asked."""
    files = OnlineFiles(lambda: [RedisStore("redis://127.0.0.1:1/0", "test")])
    assert (files.slack(), files.compact()) == (0, 0)
