"""Looks for traces of people in every byte of a workspace: whether they are gone is tried, not only believed."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from heptad.core.graph import every_record
from heptad.core.workspace import Workspace
from heptad.lifecycle.erasing.job import FOLDER

SHORTEST = 6
"""Bytes; shorter ones are in many files by chance."""
_CHUNK = 8 << 20
_STORE, _ARTIFACTS = "heptad.db", "artifacts"


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """How much was looked at, and in what a value was found: files by their paths in the workspace, records by id."""

    files: int
    bytes: int
    values: int
    """Values that were looked for."""
    holding: list[str]
    in_models: list[str]
    """The same, of what belongs to a model: it goes when the model does."""


def search_workspace(workspace: Workspace, values: Collection[str], of_models: Collection[str]) -> Searched:
    """Search all files of the workspace's folder for values of at least `SHORTEST` bytes, as they are in UTF-8.

    `of_models` are digests of artifacts and ids of records that belong to models. What is compressed cannot be seen
    so; tables were rewritten, not searched. A value that is also a part of something else counts.
    """
    wanted = sorted({value.encode() for value in values if len(value.encode()) >= SHORTEST}, key=len, reverse=True)
    pattern = re.compile(b"|".join(map(re.escape, wanted))) if wanted else None
    overlap = max(map(len, wanted), default=1) - 1
    files, size = 0, 0
    holding: list[str] = []
    for path in _files(workspace.folder):
        files += 1
        found, read = _search(path, pattern, overlap)
        size += read
        if found:
            holding.append(path.relative_to(workspace.folder).as_posix())
    records = _records(workspace, pattern)
    if records:
        # They say more than the name of the file that they are in.
        holding = [path for path in holding if not path.startswith(_STORE)]
    holding += records
    models = {one for one in holding if _name(one) in of_models}
    others = sorted(set(holding) - models)
    return Searched(files=files, bytes=size, values=len(wanted), holding=others, in_models=sorted(models))


def _name(found: str) -> str:
    """What a file or a record is called: an artifact's digest is the last two parts of its path."""
    parts = found.split("/")
    return "".join(parts[-2:]) if parts[0] == _ARTIFACTS else parts[-1]


def _records(workspace: Workspace, pattern: re.Pattern[bytes] | None) -> list[str]:
    """Ids of the records whose bodies or attributes hold a value."""
    if pattern is None:
        return []
    records = every_record(workspace)
    return [one.id for one in records if pattern.search(msgspec.json.encode((one.body, one.attributes)))]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and folder / FOLDER not in path.parents:
            yield path


def _search(path: Path, pattern: re.Pattern[bytes] | None, overlap: int) -> tuple[bool, int]:
    read, tail = 0, b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                read += len(chunk)
                if pattern and pattern.search(tail + chunk):
                    return True, read
                tail = chunk[-overlap:] if overlap else b""
    except FileNotFoundError:
        pass  # it was somebody's temporary file
    return False, read
