"""Online features in LMDB: a file that every process of this machine maps, read without asking anybody."""

import fcntl
import os
import shutil
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

import lmdb

from heptad.core.errors import UnavailableError, WorkspaceError
from heptad.core.faults import boundary
from heptad.core.files import confined, locked, make_folder, sync_folder, write_atomically, writing
from heptad.data import STAMP, CompactingStore, OnlineStore, Pair, checked_pairs

T = TypeVar("T")
Act: TypeAlias = "Callable[[lmdb.Transaction[bytes]], T]"

SMALLEST_MAP = 64 << 20
"""Bytes of address space at first; it is doubled whenever it is full."""
READERS = 1024
"""Threads of all processes that may read at once."""
_MARK = b"\xff"
"""Before the names of marks; keys stand behind a byte 0, so that neither is taken for the other."""
_ROW = b"\0"
_PAGE = 1000
"""Keys that are looked at or removed in one transaction."""
_COPIED = 20_000
"""Entries that are copied in one transaction."""
_MOVED = b"\1moved"
"""The key, neither a row's nor a mark's, under which an environment that was compacted names its successor."""
_POINTER, _LOCK = "generation", "generation.lock"
"""Files beside the environments: the number of the one in force, and who opens or deletes one holds the other."""


class LmdbStore:
    """`lmdb:///FOLDER`: an environment in a folder; namespaces have folders of their own.

    Commits are synced to the disk before `put` returns, so they survive a power cut too.

    LMDB never clears a page, so what was deleted stays in the file. `compact` makes a new environment, the next
    generation, of what is there now. Its number is the last thing that is committed to the old one, in place of all
    rows, and every transaction that misses something looks for it: whoever has the old one open reads it as it was
    until that commit, and the new one from then on, and nobody writes to the old one afterwards.
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
                again = place.follow
            else:
                found: list[bytes | None] = []
                for key in keys:
                    found.append(transaction.get(_ROW + key))  # noqa: PERF401 - which for one key takes 0.3 us more
                # One that has a successor is empty: whoever finds everything need not look for it.
                has_moved = None in found and transaction.get(_MOVED) is not None
                transaction.abort()
                if not has_moved:
                    return found
                again = self.close
        again()
        return self.get(keys)

    def put(self, rows: Iterable[Pair], marks: Mapping[bytes, bytes] | None = None) -> None:
        given = [(_ROW + key, value) for key, value in checked_pairs(rows)]
        named = [(_MARK + name, value) for name, value in (marks or {}).items()]
        boundary("online.before_commit")
        self._write(lambda transaction: _put(transaction, given, named))
        boundary("online.after_commit")

    def mark(self, name: bytes) -> bytes:
        return self._read(lambda transaction: transaction.get(_MARK + name)) or b""

    def scan(self, prefix: bytes) -> Iterator[Pair]:
        start = _ROW + prefix
        while True:
            page = self._read(partial(_page, start=start, prefix=_ROW + prefix))
            yield from ((key[1:], value) for key, value in page)
            if len(page) < _PAGE:
                return
            start = page[-1][0] + b"\0"

    def delete(self, keys: Iterable[bytes]) -> int:
        given = [_ROW + key for key in keys]
        return self._write(lambda transaction: sum(transaction.delete(key) for key in given))

    def clear(self, prefix: bytes) -> int:
        cleared = sum(self._cleared(_ROW + prefix))
        for _ in self._cleared(_MARK + prefix):
            pass
        return cleared

    def close(self) -> None:
        self._place = None

    def slack(self) -> tuple[int, int]:
        if not self._folder.is_dir():
            return 0, 0
        used = self._followed(_Place.used)
        return max(0, self._bytes() - used), used

    def compact(self) -> int:
        if not self._folder.is_dir():
            return 0
        before = self._bytes()
        boundary("compacting.before_copy")
        generation = self._followed(_Place.succeed)
        boundary("compacting.after_moved")
        _clear_before(self._folder, generation)
        return max(0, before - self._bytes())

    def _bytes(self) -> int:
        return sum(path.stat().st_size for path in self._folder.rglob("data.mdb"))

    def _cleared(self, prefix: bytes) -> Iterator[int]:
        def remove(transaction: "lmdb.Transaction[bytes]") -> int:
            return sum(transaction.delete(key) for key, _ in _page(transaction, prefix, prefix))

        while removed := self._write(remove):
            yield removed

    def _read(self, act: "Act[T]") -> T:
        return self._followed(lambda place: place.read(act))

    def _write(self, act: "Act[T]") -> T:
        return self._followed(lambda place: place.write(act))

    def _followed(self, act: "Callable[[_Place], T]") -> T:
        while True:
            try:
                return act(self._opened())
            except _MovedError:
                self.close()

    def _opened(self) -> "_Place":
        place = self._place
        if place is None:
            place = self._place = _open(self._folder)
        return place


class _MovedError(Exception):
    """The environment was compacted; its rows are in the next generation."""


class _Place:
    """One environment of this process, which LMDB allows to be opened once only; shared by all who use it.

    Its map may only grow while this process has no transaction in it, hence the two locks.
    """

    def __init__(self, folder: Path, generation: int) -> None:
        self._parent, self.generation = folder, generation
        self._folder = folder = _folder_of(folder, generation)
        with writing(folder):
            make_folder(folder)
        self.reading = threading.Lock()
        self._writing = threading.Lock()
        try:
            # No spare transactions: a forked process that lets go of them frees the slots of its parent.
            self.environment = lmdb.open(
                str(folder), map_size=max(SMALLEST_MAP, _size(folder)), max_readers=READERS, max_spare_txns=0
            )
        except lmdb.Error as error:
            raise _unusable(folder, error) from error
        self.begin = self.environment.begin

    def read(self, act: "Act[T]") -> T:
        """What `act` answers; raises `_MovedError` where another generation has the rows."""
        while True:
            with self.reading:
                try:
                    with self.environment.begin() as transaction:
                        _check_in_force(transaction)
                        return act(transaction)
                except lmdb.MapResizedError:
                    pass
                except lmdb.Error as error:
                    raise _unusable(self._folder, error) from error
            self.follow()

    def write(self, act: "Act[T]") -> T:
        """What `act` answers, once it is committed; it is done again where the map had to grow.

        Raises `_MovedError` where another generation has the rows.
        """
        with self._writing:
            while True:
                try:
                    with self.environment.begin(write=True) as transaction:
                        _check_in_force(transaction)
                        return act(transaction)
                except lmdb.MapFullError:
                    self._resize(2 * self.environment.info()["map_size"])
                except lmdb.MapResizedError:
                    self._resize(0)
                except lmdb.Error as error:
                    raise _unusable(self._folder, error) from error

    def successor(self) -> int:
        """The generation that took this one's place; 0 where it is in force."""
        try:
            return self.read(lambda _: 0)
        except _MovedError as moved:
            return int(moved.args[0])

    def succeed(self) -> int:
        """Put the next generation into force, with the rows and marks of this one; answers its number.

        Writers wait meanwhile, readers do not. Cut off before the commit at the end, nothing happened.
        """
        return self.write(self._copied)

    def used(self) -> int:
        """Bytes of the pages that hold rows and marks now."""
        return self.read(self._used)

    def _used(self, transaction: "lmdb.Transaction[bytes]") -> int:
        stat = self.environment.stat()
        del transaction
        return (stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]) * stat["psize"]

    def _copied(self, transaction: "lmdb.Transaction[bytes]") -> int:
        generation = self.generation + 1
        folder = _folder_of(self._parent, generation)
        with writing(folder):
            if folder.is_dir():
                shutil.rmtree(folder)  # somebody was killed while he made it
            make_folder(folder)
            _copy(transaction, folder, 2 * self.environment.info()["map_size"])
            sync_folder(folder)
        boundary("compacting.after_copy")
        transaction.drop(self.environment.open_db(), delete=False)
        transaction.put(_MOVED, b"%d" % generation)
        return generation

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
    """The environment in force; while it is opened nobody deletes it."""
    with writing(folder):
        make_folder(folder)
    with _opening, locked(folder / _LOCK, fcntl.LOCK_SH):
        generation = _pointed_at(folder)
        while True:
            path = _folder_of(folder, generation)
            place = _places.get(path)
            if place is None:
                place = _places[path] = _Place(folder, generation)
            successor = place.successor()
            if not successor:
                return place
            generation = successor


def _folder_of(folder: Path, generation: int) -> Path:
    """The first one is in the folder itself."""
    return folder / f"generation-{generation}" if generation > 1 else folder


def _pointed_at(folder: Path) -> int:
    try:
        return int((folder / _POINTER).read_text(encoding="ascii"))
    except FileNotFoundError:
        return 1


def _clear_before(folder: Path, generation: int) -> None:
    """Say which generation is in force, unless a later one is already, and delete those before it."""
    with writing(folder), locked(folder / _LOCK):
        newest = max(generation, _pointed_at(folder))
        write_atomically(folder / _POINTER, b"%d" % newest)
        boundary("compacting.before_delete")
        for name in ("data.mdb", "lock.mdb"):
            (folder / name).unlink(missing_ok=True)
        for path in folder.glob("generation-*"):
            if int(path.name.rpartition("-")[2]) < newest:
                shutil.rmtree(path)
        sync_folder(folder)
        boundary("compacting.after_delete")


def _copy(transaction: "lmdb.Transaction[bytes]", folder: Path, map_size: int) -> None:
    """Give a new environment every entry, in order: its pages never held anything else, as copies of pages would."""
    with lmdb.open(str(folder), map_size=map_size, sync=False) as environment:
        entries = iter(transaction.cursor())
        while page := list(islice(entries, _COPIED)):
            with environment.begin(write=True) as writing_there, writing_there.cursor() as cursor:
                cursor.putmulti(page, append=True)
        environment.sync(True)


def _check_in_force(transaction: "lmdb.Transaction[bytes]") -> None:
    successor = transaction.get(_MOVED)
    if successor is not None:
        raise _MovedError(int(successor))


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
    _compacting: type[CompactingStore] = LmdbStore
