"""Rows out of files: one file, a glob, or members of a ZIP archive."""

import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from heptad.core.errors import DataError, nearest
from heptad.data.columns.column_types import Dates
from heptad.data.sources.formats import read_files
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, Source, SourceTable

_GLOB = frozenset("*?[")


class Part(msgspec.Struct, frozen=True):
    """One file, or one member of a ZIP archive."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        return f"{self.path.name}/{self.member}" if self.member else self.path.name

    def content(self) -> bytes | Path:
        """The bytes of a member, or the path of a file, which may be too large to hold."""
        if not self.member:
            return self.path
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(self.member)


class FileSource:
    """A path or glob, relative to the project's folder; `archive.zip/member.csv` is a member of an archive.

    Several files are read in the order of their names and must have the same columns. An archive is read
    in memory and never extracted.
    """

    def __init__(self, address: str, settings: SourceSettings, place: Place) -> None:
        self._address = address
        self._settings = settings
        self._place = place
        self._hashed: tuple[object, str] = (None, "")

    def digest(self) -> str:
        paths = sorted({part.path for part in self._parts()})
        # A file that was neither written nor replaced since is not hashed again.
        stamps = [(path, _stamp(path)) for path in paths]
        if self._hashed[0] != stamps:
            total = blake3()
            for path in paths:
                total.update(blake3().update_mmap(path).digest() if path.stat().st_size else b"")
            self._hashed = stamps, total.hexdigest()
        return self._hashed[1]

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        style = Dates(timezone=self._place.timezone, format=self._settings.dates)
        parts = [(part.name, part.content()) for part in self._parts()]
        return read_files(parts, self._settings, style, keep_text)

    def _parts(self) -> Sequence[Part]:
        path = self._place.root / self._address
        archive = next((one for one in (path, *path.parents) if one.suffix.lower() == ".zip" and one.is_file()), None)
        if archive is not None:
            return [Part(archive, name) for name in _members(archive, path.relative_to(archive).as_posix())]
        if path.is_file():
            return [Part(path)]
        top = Path(path.anchor)
        found = sorted(top.glob(str(path.relative_to(top)))) if _GLOB & set(self._address) else []
        files = [Part(one) for one in found if one.is_file()]
        if not files:
            there = sorted(one.name for one in path.parent.iterdir()) if path.parent.is_dir() else []
            raise DataError(
                f"There is no file {str(path)!r}.",
                allowed=nearest(path.name, there),
                remedy="paths and globs are relative to the project's folder",
            )
        return files


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _members(archive: Path, wanted: str) -> list[str]:
    """The names of the files to read in an archive: the one asked for, or the only one."""
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [one for one in opened.infolist() if not one.is_dir()]
    except zipfile.BadZipFile as error:
        raise DataError(f"{archive.name} is not a ZIP archive: {error}.") from error
    names = sorted(one.filename for one in entries if not _is_litter(one.filename))
    if wanted != ".":
        if wanted not in names:
            raise DataError(f"{archive.name} has no member {wanted!r}.", allowed=nearest(wanted, names))
        return [wanted]
    if len(names) != 1:
        raise DataError(
            f"{archive.name} holds {len(names)} files.",
            allowed=", ".join(names[:12]) or "at least one file",
            remedy=f'name one: uri = "{archive.name}/{names[0]}"' if names else "",
        )
    return names


def _is_litter(name: str) -> bool:
    """What archive programs of desktops leave beside the files that were meant."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


if TYPE_CHECKING:
    _: type[Source] = FileSource
