"""The contract of an online store: one packed row for each entity of a view, read while somebody waits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from heptad.core import catalogue
from heptad.core.errors import InputError
from heptad.core.secrets import reveal
from heptad.data.features.settings import OnlineSettings

STAMP = 16
"""The first bytes of every value: whatever is greater, as bytes, is newer."""
MOST_KEY = 400
"""Bytes that a key has at most."""

Pair: TypeAlias = tuple[bytes, bytes]


class OnlineStore(Protocol):
    """Keys and values, of which the newest stays; safe to use from many threads, and many processes at once.

    Made as `StoreType(url, namespace)`: two namespaces share nothing.

    Promised: a `put` is seen whole or not at all, with its marks, by every reader, and survives `kill -9` of any
    process once it has returned. A row whose value's first 16 bytes are lower than those of the stored one is
    dropped, so that writers need not agree on an order and doing it again changes nothing; equal ones replace.
    Reading is never held up by a writer for longer than one commit. Not promised: that two calls see the same state;
    the order of `scan`; that the last `put` survives a power cut, unless the place says so.

    Keys have 1 to 400 bytes, values at least 16. Errors: `UnavailableError` (retryable) where the place does not
    answer, `WorkspaceError` where it cannot be used, `InputError` for keys and values of other sizes.
    """

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The value of each key in order, all of one moment; `None` where there is none."""
        ...

    def put(self, rows: Iterable[Pair], marks: Mapping[bytes, bytes] | None = None) -> None:
        """Store the newest of each key, and set marks, in one act."""
        ...

    def mark(self, name: bytes) -> bytes:
        """What a mark was set to last; empty where it never was."""
        ...

    def scan(self, prefix: bytes) -> Iterator[Pair]:
        """Keys that begin so, with their values; each that is there throughout exactly once."""
        ...

    def delete(self, keys: Iterable[bytes]) -> int:
        """Remove keys; answers how many were there."""
        ...

    def clear(self, prefix: bytes) -> int:
        """Remove all keys and marks that begin so; answers how many keys were there."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Whatever is called afterwards opens them again."""
        ...


@runtime_checkable
class CompactingStore(Protocol):
    """An online store with files of its own, in which the bytes of what was deleted stay until they are made anew.

    Promised: whoever reads or writes meanwhile, in any process, goes on and misses nothing; interrupted anywhere, the
    rows are whole, and done again it finishes. Not promised: that writers do not wait.
    """

    def slack(self) -> tuple[int, int]:
        """Bytes of its files that hold nothing that can be read, and those that do."""
        ...

    def compact(self) -> int:
        """Make the files anew of what can be read, and delete the old ones; answers how many bytes less there are."""
        ...


def open_online(settings: OnlineSettings, folder: Path, project: str) -> OnlineStore:
    """The store of a project at `[online] url`, by its scheme; without one, LMDB inside the workspace's folder."""
    url = reveal(settings.url) or f"lmdb://{folder / 'online'}"
    made: OnlineStore = catalogue.find("online", url.partition(":")[0])(url, project)
    return made


def left_online(settings: OnlineSettings, folder: Path, project: str, others: Iterable[str]) -> dict[str, OnlineStore]:
    """Project to what it has in the workspace's folder beside the store that the settings of `project` name.

    That is what the project has left there under another name or another `url`.
    """
    names = {*others, project} if settings.url else {*others} - {project}
    here = [name for name in sorted(names) if (folder / "online" / name).is_dir()]
    return {name: open_online(OnlineSettings(), folder, name) for name in here}


def checked_pairs(rows: Iterable[Pair]) -> list[Pair]:
    """The rows that a store is given, all of sizes that it takes; raises `InputError`."""
    given = list(rows)
    for key, value in given:
        if not 0 < len(key) <= MOST_KEY or len(value) < STAMP:
            raise InputError(
                f"A key of {len(key)} bytes with a value of {len(value)} cannot be stored.",
                allowed=f"keys of 1 to {MOST_KEY} bytes, values of at least {STAMP}",
            )
    return given
