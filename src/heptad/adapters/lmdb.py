"""Online features in LMDB: a file that every process of this machine maps, read without asking anybody."""

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

import lmdb

from heptad.core.errors import UnavailableError, WorkspaceError
from heptad.core.faults import boundary
from heptad.core.files import confined, make_folder, writing
from heptad.data import STAMP, OnlineStore, Pair, checked_pairs

T = TypeVar("T")

SMALLEST_MAP = 64 << 20
"""Bytes of address space at first; it is doubled whenever it is full."""
READERS = 1024
"""Threads of all processes that may read at once."""
_MARK = b"\xff"
"""Before the names of marks; keys stand behind a byte 0, so that neither is taken for the other."""
_ROW = b"\0"
_PAGE = 1000
"""Keys that are looked at or removed in one transaction."""


class LmdbStore:
    """`lmdb:///FOLDER`: an environment in a folder; namespaces have folders of their own.

    Commits are synced to the disk before `put` returns, so they survive a power cut too.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._folder = confined(Path(unquote(urlsplit(url).path)), namespace)
        self._place: _Place | None = None
        _stores.add(self)

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        # Somebody waits for this one, so it does by itself what `_Place.read` does.
        place = self._place or self._opened()
        with place.reading:
            try:
                transaction = place.begin()
            except lmdb.MapResizedError:
                pass
            else:
                get = transaction.get
                found = [get(_ROW + key) for key in keys]
                transaction.abort()
                return found
        place.follow()
        return self.get(keys)

    def put(self, rows: Iterable[Pair], marks: Mapping[bytes, bytes] | None = None) -> None:
        given = [(_ROW + key, value) for key, value in checked_pairs(rows)]
        named = [(_MARK + name, value) for name, value in (marks or {}).items()]
        boundary("online.before_commit")
        self._opened().write(lambda transaction: _put(transaction, given, named))
        boundary("online.after_commit")

    def mark(self, name: bytes) -> bytes:
        return self._opened().read(lambda transaction: transaction.get(_MARK + name)) or b""

    def scan(self, prefix: bytes) -> Iterator[Pair]:
        place, start = self._opened(), _ROW + prefix
        while True:
            page = place.read(partial(_page, start=start, prefix=_ROW + prefix))
            yield from ((key[1:], value) for key, value in page)
            if len(page) < _PAGE:
                return
            start = page[-1][0] + b"\0"

    def delete(self, keys: Iterable[bytes]) -> int:
        given = [_ROW + key for key in keys]
        return self._opened().write(lambda transaction: sum(transaction.delete(key) for key in given))

    def clear(self, prefix: bytes) -> int:
        cleared = sum(self._cleared(_ROW + prefix))
        for _ in self._cleared(_MARK + prefix):
            pass
        return cleared

    def close(self) -> None:
        self._place = None

    def _cleared(self, prefix: bytes) -> Iterator[int]:
        def remove(transaction: "lmdb.Transaction[bytes]") -> int:
            return sum(transaction.delete(key) for key, _ in _page(transaction, prefix, prefix))

        while removed := self._opened().write(remove):
            yield removed

    def _opened(self) -> "_Place":
        if self._place is None:
            self._place = _open(self._folder)
        return self._place


class _Place:
    """One environment of this process, which LMDB allows to be opened once only; shared by all who use it.

    Its map may only grow while this process has no transaction in it, hence the two locks.
    """

    def __init__(self, folder: Path) -> None:
        with writing(folder):
            make_folder(folder)
        self._folder = folder
        self.reading = threading.Lock()
        self._writing = threading.Lock()
        try:
            self.environment = lmdb.open(
                str(folder), map_size=max(SMALLEST_MAP, _size(folder)), max_readers=READERS, max_spare_txns=4
            )
        except lmdb.Error as error:
            raise _unusable(folder, error) from error
        self.begin = self.environment.begin

    def read(self, act: "Callable[[lmdb.Transaction[bytes]], T]") -> T:
        while True:
            with self.reading:
                try:
                    with self.environment.begin() as transaction:
                        return act(transaction)
                except lmdb.MapResizedError:
                    pass
                except lmdb.Error as error:
                    raise _unusable(self._folder, error) from error
            self.follow()

    def write(self, act: "Callable[[lmdb.Transaction[bytes]], T]") -> T:
        """What `act` answers, once it is committed; it is done again where the map had to grow."""
        with self._writing:
            while True:
                try:
                    with self.environment.begin(write=True) as transaction:
                        return act(transaction)
                except lmdb.MapFullError:
                    self._resize(2 * self.environment.info()["map_size"])
                except lmdb.MapResizedError:
                    self._resize(0)
                except lmdb.Error as error:
                    raise _unusable(self._folder, error) from error

    def follow(self) -> None:
        """Take over the size that another process gave the map."""
        with self._writing:
            self._resize(0)

    def _resize(self, size: int) -> None:
        with self.reading:
            try:
                self.environment.set_mapsize(size)
            except (lmdb.Error, OSError) as error:
                raise _unusable(self._folder, error) from error


_places: "weakref.WeakValueDictionary[Path, _Place]" = weakref.WeakValueDictionary()
_stores: "weakref.WeakSet[LmdbStore]" = weakref.WeakSet()
_opening = threading.Lock()


def _open(folder: Path) -> _Place:
    with _opening:
        place = _places.get(folder)
        if place is None:
            place = _places[folder] = _Place(folder)
        return place


def _forget_inherited() -> None:
    """In a forked process: what the parent opened must not be used, so it is opened anew when it is needed."""
    global _opening  # noqa: PLW0603 - a thread of the parent may have held it
    _opening = threading.Lock()
    for store in list(_stores):
        store.close()
    for place in list(_places.values()):
        place.environment.close()
    _places.clear()


os.register_at_fork(after_in_child=_forget_inherited)


def _put(transaction: "lmdb.Transaction[bytes]", rows: Sequence[Pair], marks: Sequence[Pair]) -> None:
    get, put = transaction.get, transaction.put
    for key, value in rows:
        stored = get(key)
        if stored is None or stored[:STAMP] <= value[:STAMP]:
            put(key, value)
    for name, value in marks:
        put(name, value)


def _page(transaction: "lmdb.Transaction[bytes]", start: bytes, prefix: bytes) -> list[Pair]:
    """The next entries from `start` on that begin with the prefix."""
    found: list[Pair] = []
    cursor = transaction.cursor()
    more = cursor.set_range(start)
    while more and len(found) < _PAGE:
        key, value = cursor.item()
        if not key.startswith(prefix):
            break
        found.append((key, value))
        more = cursor.next()
    return found


def _size(folder: Path) -> int:
    """What the map has to hold to begin with: the file as it is."""
    file = folder / "data.mdb"
    return file.stat().st_size if file.exists() else 0


def _unusable(folder: Path, error: Exception) -> UnavailableError | WorkspaceError:
    if isinstance(error, lmdb.ReadersFullError | lmdb.LockError):
        return UnavailableError(f"The online store in {folder} is used by too many at once: {error}.")
    return WorkspaceError(
        f"The online store in {folder} cannot be used: {error}.",
        remedy="free space there, or remove the folder and materialise again: heptad data features materialise",
    )


if TYPE_CHECKING:
    _: type[OnlineStore] = LmdbStore
