"""What is told of one file: its content's digest, what it is, how large, and whether it can be read to its end."""

import mimetypes
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from heptad.core.errors import DataError
from heptad.data.folders.tree import shown_path
from heptad.data.manifests import images, sounds, texts
from heptad.data.sources.cache import content_digest, stamp

_HALF = re.compile("[\ud800-\udfff]")
_MOST_NAMED = 5
"""Paths that an error names."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `path` is relative to the folder; `stamp` changes whenever it is written; `problem`: it is broken."""

    path: str
    stamp: tuple[int, int, int]
    digest: str
    media: str
    size: int
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    characters: int | None = None
    problem: str | None = None
    image_hash: int | None = None
    text_hash: bytes = b""
    instants: bytes = b""
    """The fingerprint of a sound."""


def find_files(folder: Path) -> Iterator[str]:
    """Paths of all files below a folder, in order; hidden ones and links are none.

    Raises `DataError` for no folder, and for names that are not UTF-8: a path is a value of the table, which is text.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {str(folder)!r}.", allowed="a folder, relative to the project's")
    found = []
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(top).relative_to(folder)
        for name in names:
            mode = os.lstat(Path(top) / name).st_mode
            # A link may lead anywhere, and a pipe never ends.
            if not name.startswith(".") and stat.S_ISREG(mode):
                found.append((inside / name).as_posix())
    _refuse_bytes(folder, found)
    yield from sorted(found)


def _refuse_bytes(folder: Path, paths: Sequence[str]) -> None:
    """Python holds the bytes of a name that is not UTF-8 as halves of characters, which no text may have."""
    broken = sorted(shown_path(os.fsencode(path)) for path in paths if _HALF.search(path))
    if broken:
        more = f" and {len(broken) - _MOST_NAMED:,} more" if len(broken) > _MOST_NAMED else ""
        raise DataError(
            f"The folder {str(folder)!r} has files whose names are not UTF-8: {', '.join(broken[:_MOST_NAMED])}{more}.",
            allowed="names in UTF-8, since the path is a column of the table",
            remedy="rename these, or move them out of the folder; convmv renames from an older encoding",
        )


def read_entry(folder: Path, path: str, most_pixels: int) -> Entry:
    """What is told of one file; one that is broken has a problem and raises nothing."""
    file = folder / path
    seen = stamp(file)
    media = mimetypes.guess_type(path, strict=False)[0] or ""
    entry = Entry(path=path, stamp=seen, digest=content_digest(file).hex(), media=media, size=seen[1])
    if not entry.size:
        return msgspec.structs.replace(entry, media=media or "application/octet-stream", problem="it is empty")
    if media.startswith("image/") and media != "image/svg+xml":
        image = images.look_at(file, most_pixels)
        return msgspec.structs.replace(
            entry,
            media=image.media or media,
            width=image.width,
            height=image.height,
            image_hash=image.hash,
            problem=image.problem,
        )
    if media.startswith("audio/"):
        sound = sounds.listen_to(file)
        return msgspec.structs.replace(entry, seconds=sound.seconds, instants=sound.instants, problem=sound.problem)
    return _text(entry, file)


def _text(entry: Entry, file: Path) -> Entry:
    text = texts.read(file)
    if text is None:
        is_text = entry.media.startswith("text/")
        problem = "it is called a text and holds bytes that are none" if is_text else None
        return msgspec.structs.replace(entry, media=entry.media or "application/octet-stream", problem=problem)
    return msgspec.structs.replace(
        entry,
        media=entry.media or "text/plain",
        characters=text.characters,
        text_hash=text.hash,
    )
