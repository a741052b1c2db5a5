"""Rows out of files: one file, a glob, or members of an archive, compressed or not."""

import os
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from blake3 import blake3

from heptad.core.errors import DataError, nearest
from heptad.data.columns.column_types import Dates
from heptad.data.hash_cache import HashCache, Seen, Stamp
from heptad.data.progress import Estimate, note_done
from heptad.data.sources.archives import archive_kind, extract, find_members
from heptad.data.sources.cache import SourceCache, content_digest, passing_folder
from heptad.data.sources.compression import SUFFIXES, compression_of, decompress
from heptad.data.sources.formats import cells_of, estimate_files, read_files
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, Source, SourceTable

GLOB = frozenset("*?[")
_ARCHIVES = (".zip", ".tar")


class FileSource:
    """A path or glob, relative to the project's folder; `archive.zip/member.csv` is a member of an archive.

    Several files are read in the order of their names and must have the same columns. What is packed is unpacked
    once into the workspace's cache.
    """

    def __init__(self, address: str, settings: SourceSettings, place: Place) -> None:
        self._address = address
        self._settings = settings
        self._place = place
        self._cache = HashCache(place.cache / "digests.db") if place.cache else None
        self._seen: dict[bytes, Seen] = {}

    def digest(self) -> str:
        paths, _ = self._found()
        # A file that was neither written nor replaced since is not hashed again, by no process.
        known = self._cache.recall(self._address) if self._cache else self._seen
        seen = {os.fsencode(path): _seen(path, known.get(os.fsencode(path))) for path in paths}
        fresh = {path: one for path, one in seen.items() if known.get(path) != one}
        if self._cache and fresh:
            self._cache.remember(self._address, fresh)
        self._seen = seen
        return blake3(b"".join(one.digest for one in seen.values())).hexdigest()

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        paths, member = self._found()
        return read_local([(path.name, path) for path in paths], member, self._settings, self._place, keep_text)

    def estimate(self) -> Estimate:
        paths, member = self._found()
        return estimate_local([(path.name, path) for path in paths], member, self._settings)

    def cells(self) -> pl.LazyFrame:
        """The rows as they are written: nothing is tidied, and no text becomes a number or a time."""
        paths, member = self._found()
        files = [(path.name, path) for path in paths]
        return cells_of(_parts(files, member, self._settings, self._place), self._settings, cache_of(self._place))

    def _found(self) -> tuple[Sequence[Path], str]:
        """The files that the address names, and what of them if they are archives."""
        path = self._place.root / self._address
        file = next((one for one in (path, *path.parents) if one.is_file()), None)
        if file is not None:
            return [file], path.relative_to(file).as_posix() if file != path else ""
        top = Path(path.anchor)
        found = sorted(top.glob(str(path.relative_to(top)))) if GLOB & set(self._address) else []
        files = [one for one in found if one.is_file()]
        if not files:
            there = sorted(one.name for one in path.parent.iterdir()) if path.parent.is_dir() else []
            raise DataError(
                f"There is no file {str(path)!r}.",
                allowed=nearest(path.name, there),
                remedy="paths and globs are relative to the project's folder",
            )
        return files, ""


def _seen(path: Path, before: Seen | None) -> Seen:
    """The file and its digest, from `before` where nobody touched it since."""
    stamp = Stamp.of(path.stat())
    if before is not None and before.stamp == stamp:
        return before
    return Seen(stamp, content_digest(path))


def read_local(
    files: Sequence[tuple[str, Path]],
    member: str,
    settings: SourceSettings,
    place: Place,
    keep_text: Collection[str],
) -> SourceTable:
    """The rows of local files (name and path), of one member of theirs, or of the members that a pattern fits."""
    style = Dates(timezone=place.timezone, format=settings.dates)
    return read_files(_parts(files, member, settings, place), settings, style, keep_text, cache_of(place))


def estimate_local(files: Sequence[tuple[str, Path]], member: str, settings: SourceSettings) -> Estimate:
    """About how many rows local files have; of what is packed the bytes as they are there."""
    if member or any(compression_of(path) or archive_kind(path) for _, path in files):
        return Estimate(sum(path.stat().st_size for _, path in files), "bytes")
    return estimate_files(files, settings)


def _parts(
    files: Sequence[tuple[str, Path]], member: str, settings: SourceSettings, place: Place
) -> list[tuple[str, Path]]:
    cache, limit = cache_of(place), int(settings.unpacked_gb * 1e9)
    return [part for name, path in files for part in _unpacked(name, path, member, cache, limit)]


def cache_of(place: Place) -> SourceCache:
    """Where files of sources are kept: in the workspace, or as long as this process where there is none."""
    return SourceCache(place.cache or passing_folder())


def _unpacked(name: str, path: Path, member: str, cache: SourceCache, limit: int) -> Iterator[tuple[str, Path]]:
    plain_name, plain = _plain(name, path, cache, limit)
    counted = not cache.is_ours(path)
    if counted and plain != path:
        note_done(path.stat().st_size, "bytes")
    kind = archive_kind(plain)
    if not kind:
        if member or plain_name.lower().endswith(_ARCHIVES):
            raise DataError(
                f"{name} is not a ZIP archive, nor a TAR.", remedy="look what it is; only archives have members"
            )
        yield plain_name, plain
        return
    for one in find_members(plain, kind, name, member):
        held = cache.made_of(plain, f"member {one}", partial(extract, plain, kind, one, name, limit))
        yield _plain(f"{name}/{one}", held, cache, limit)
    if counted and plain == path:
        note_done(path.stat().st_size, "bytes")


def _plain(name: str, path: Path, cache: SourceCache, limit: int) -> tuple[str, Path]:
    """The name and file without compression."""
    if not compression_of(path):
        return name, path
    plain = cache.made_of(path, "decompressed", lambda target: decompress(path, target, name, limit))
    suffix = next((one for one in SUFFIXES if name.lower().endswith(one)), "")
    return name[: len(name) - len(suffix)], plain


if TYPE_CHECKING:
    _: type[Source] = FileSource
