"""Where a table is kept between two looks at it: in memory while it is small, else in files that do not stay."""

import fcntl
import os
import secrets
import shutil
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Self

import polars as pl

from heptad.core.faults import boundary
from heptad.core.files import writing
from heptad.core.memory import budget
from heptad.data.versions.tables import in_files, write_file

SMALL = 0.25
"""A table is small where it takes at most this share of what one operation may hold."""
_LOCK = "lock"
_ATTEMPTS = 100


def is_small(*sizes: int) -> bool:
    """Whether tables of so many bytes are together small enough to be held in memory."""
    return sum(sizes) <= SMALL * budget()


class Staged:
    """Rows in order that may be read as often as needed, as long as this object is there."""

    def __init__(self, rows: pl.LazyFrame, height: int, folder: Path | None = None, lock: int = -1) -> None:
        self.rows = rows
        self.height = height
        self.in_memory = folder is None
        self._gone = weakref.finalize(self, _remove, folder, lock) if folder is not None else None

    def settled(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """What is made of the rows: made now where they are in memory, else whenever it is asked for."""
        return rows.collect(engine="streaming").lazy() if self.in_memory else rows

    def close(self) -> None:
        """Forget the rows, and remove their files."""
        if self._gone is not None:
            self._gone()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stage(rows: pl.LazyFrame, folder: Path, *, small: bool) -> Staged:
    """Makes the rows once, in their order: in memory, or in files inside `folder`.

    What processes left there that were killed is removed first.
    """
    if small:
        frame = rows.collect(engine="in-memory")
        return Staged(frame.lazy(), frame.height)
    own, lock = _own_folder(folder)
    try:
        schema, files, height = rows.collect_schema(), [], 0
        with writing(own):
            for batch in in_files(rows):
                files.append(own / f"{height:015d}.parquet")
                write_file(files[-1], batch, "lz4")
                height += len(batch)
        boundary("staging.after_write")
    except BaseException:
        _remove(own, lock)
        raise
    scanned = pl.scan_parquet(files, glob=False) if height else pl.LazyFrame(schema=schema)
    return Staged(scanned, height, own, lock)


def _own_folder(folder: Path) -> tuple[Path, int]:
    """A new private folder, and the lock that tells others that its process is alive."""
    with writing(folder):
        if folder.is_dir():
            clear_left_over(folder)
        own = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        for _ in range(_ATTEMPTS):
            # Whoever removes the last folder in it removes it too, perhaps just now.
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                own.mkdir(mode=0o700)
                break
        lock = os.open(own / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return own, lock


def clear_left_over(folder: Path) -> None:
    """Remove the tables in `folder` whose processes are gone."""
    for other in list(folder.iterdir()):
        try:
            lock = os.open(other / _LOCK, os.O_RDWR)
        except OSError:
            # Being made, or being removed; if its process dies now, an empty folder stays.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        _remove(other, lock)


def _remove(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
    with suppress(OSError):  # others are at work there
        folder.parent.rmdir()
