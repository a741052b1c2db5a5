"""Rows out of files: one file, a glob, or members of an archive, compressed or not."""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

from heptad.core.errors import DataError, nearest
from heptad.data.columns.column_types import Dates
from heptad.data.sources.archives import archive_kind, extract, find_members
from heptad.data.sources.cache import SourceCache, content_digest, passing_folder, stamp
from heptad.data.sources.compression import SUFFIXES, compression_of, decompress
from heptad.data.sources.formats import read_files
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
        self._hashed: tuple[object, str] = (None, "")

    def digest(self) -> str:
        paths, _ = self._found()
        # A file that was neither written nor replaced since is not hashed again.
        stamps = [(path, stamp(path)) for path in paths]
        if self._hashed[0] != stamps:
            total = blake3()
            for path in paths:
                total.update(content_digest(path) if path.stat().st_size else b"")
            self._hashed = stamps, total.hexdigest()
        return self._hashed[1]

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        paths, member = self._found()
        return read_local([(path.name, path) for path in paths], member, self._settings, self._place, keep_text)

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


def read_local(
    files: Sequence[tuple[str, Path]],
    member: str,
    settings: SourceSettings,
    place: Place,
    keep_text: Collection[str],
) -> SourceTable:
    """The rows of local files (name and path), of one member of theirs, or of the members that a pattern fits."""
    cache = cache_of(place)
    limit = int(settings.unpacked_gb * 1e9)
    parts = [part for name, path in files for part in _unpacked(name, path, member, cache, limit)]
    return read_files(parts, settings, Dates(timezone=place.timezone, format=settings.dates), keep_text, cache)


def cache_of(place: Place) -> SourceCache:
    """Where files of sources are kept: in the workspace, or as long as this process where there is none."""
    return SourceCache(place.cache or passing_folder())


def _unpacked(name: str, path: Path, member: str, cache: SourceCache, limit: int) -> Iterator[tuple[str, Path]]:
    plain_name, plain = _plain(name, path, cache, limit)
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


def _plain(name: str, path: Path, cache: SourceCache, limit: int) -> tuple[str, Path]:
    """The name and file without compression."""
    if not compression_of(path):
        return name, path
    plain = cache.made_of(path, "decompressed", lambda target: decompress(path, target, name, limit))
    suffix = next((one for one in SUFFIXES if name.lower().endswith(one)), "")
    return name[: len(name) - len(suffix)], plain


if TYPE_CHECKING:
    _: type[Source] = FileSource
