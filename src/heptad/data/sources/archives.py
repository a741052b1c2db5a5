"""Members of ZIP and TAR archives, which are never extracted under names of their own."""

import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import msgspec

from heptad.core.errors import DataError, nearest
from heptad.data.sources.compression import CHUNK, write_within

_ARCHIVE = re.compile(r"(?i).\.(zip|tar(\.(gz|bz2|xz|zst))?|tgz|tbz2|txz)$")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BOOK = ("[Content_Types].xml", "mimetype")
"""What books of Excel and OpenDocument hold, which are ZIP archives too."""


class _Entry(msgspec.Struct, frozen=True):
    name: str
    packed: int
    """Bytes it takes in the archive."""
    encrypted: bool = False


def archive_kind(path: Path) -> str:
    """`zip`, `tar`, or empty for what is no archive; told by content, but a file called .zip or .tar must be one.

    Raises `DataError` for one that is not, or that is damaged.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(_ZIP):
        with _zip(path) as archive:
            return "" if any(name in _BOOK for name in archive.namelist()) else "zip"
    return "tar" if head[257:262] == b"ustar" else ""


def find_members(path: Path, kind: str, name: str, wanted: str) -> list[str]:
    """The members to read: the one asked for, those that a pattern fits, or the only one there is.

    Raises `DataError` where there is none or a choice, for an encrypted one, and for an archive with a name that
    leads out of its folder.
    """
    entries = {one.name: one for one in _entries(path, kind, name)}
    for one in entries:
        if one.startswith(("/", "\\")) or ".." in PurePosixPath(one.replace("\\", "/")).parts or one[1:2] == ":":
            raise DataError(
                f"{name} has a member {one!r}, which leads out of its folder.",
                allowed="names below the archive",
                remedy="do not unpack it; ask whoever made it for another",
            )
    names = sorted(one for one in entries if not _is_litter(one))
    if wanted:
        found = [wanted] if wanted in names else [one for one in names if fnmatchcase(one, wanted)]
        if not found:
            raise DataError(f"{name} has no member {wanted!r}.", allowed=nearest(wanted, names))
    elif len(names) == 1:
        found = names
    else:
        raise DataError(
            f"{name} holds {len(names)} files.",
            allowed=", ".join(names[:12]) or "at least one file",
            remedy=f'name one or a pattern: uri = "{name}/{names[0]}"' if names else "",
        )
    for one in found:
        if entries[one].encrypted:
            raise DataError(
                f"{name}/{one} is encrypted.", allowed="archives without a password", remedy="unpack it yourself"
            )
    return found


def extract(path: Path, kind: str, member: str, name: str, limit: int, target: Path) -> None:
    """Write one member to `target`; raises `DataError` for a damaged one and one that is larger than `limit` bytes."""
    packed = next(one.packed for one in _entries(path, kind, name) if one.name == member)
    write_within(_chunks(path, kind, member, name), target, f"{name}/{member}", packed=packed, limit=limit)


def _entries(path: Path, kind: str, name: str) -> Iterator[_Entry]:
    if kind == "zip":
        with _zip(path) as archive:
            for info in archive.infolist():
                if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16):
                    yield _Entry(info.filename, info.compress_size, encrypted=bool(info.flag_bits & 1))
        return
    with _whole(name), tarfile.open(path, "r:") as tar:
        for member in tar:
            # Links and devices hold no rows, and following them would leave the archive.
            if member.isfile():
                yield _Entry(member.name.removeprefix("./"), member.size)


def _chunks(path: Path, kind: str, member: str, name: str) -> Iterator[bytes]:
    with _whole(f"{name}/{member}"):
        if kind == "zip":
            with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
                while chunk := stream.read(CHUNK):
                    yield chunk
            return
        with tarfile.open(path, "r:") as tar:
            info = next(one for one in tar if one.isfile() and one.name.removeprefix("./") == member)
            held = tar.extractfile(info)
            while held is not None and (chunk := held.read(CHUNK)):
                yield chunk


@contextmanager
def _zip(path: Path) -> Iterator[zipfile.ZipFile]:
    with _whole(path.name), zipfile.ZipFile(path) as archive:
        yield archive


@contextmanager
def _whole(name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError) as error:
        raise DataError(
            f"{name} cannot be unpacked: {str(error).rstrip('.')}.",
            allowed="a whole ZIP or TAR archive",
            remedy="copy or make it again; it may be cut short",
        ) from error


def _is_litter(name: str) -> bool:
    """What archive programs of desktops leave beside the files that were meant."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def split_member(address: str) -> tuple[str, str]:
    """An address and the member of an archive that it names, told by the names of its parts.

    >>> split_member("bucket/all.tar.gz/in/*.csv")
    ('bucket/all.tar.gz', 'in/*.csv')
    """
    parts = address.split("/")
    for place, part in enumerate(parts[:-1], 1):
        if _ARCHIVE.search(part) and any(parts[place:]):
            return "/".join(parts[:place]), "/".join(parts[place:])
    return address, ""
