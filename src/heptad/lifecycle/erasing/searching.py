"""Looks for traces of people in every byte of a workspace: whether they are gone is tried, not only believed."""

import html
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec

from heptad.core.graph import every_record
from heptad.core.workspace import Workspace
from heptad.lifecycle.erasing.job import FOLDER

SHORTEST = 6
"""Bytes; shorter ones are in many files by chance."""
_CHUNK = 8 << 20
_BESIDE = 8
"""Bytes beside a value that tell whether a word goes on there."""
_STARTS_WITH_WORD, _ENDS_IN_WORD = re.compile(rb"[0-9A-Za-z\x80-\xff]"), re.compile(rb"[0-9A-Za-z\x80-\xff]\Z")
_ENDS_IN_ESCAPE = re.compile(rb"(\\[bfnrt]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CONTINUATION = bytes(range(0x80, 0xC0))
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


def long_enough(values: Collection[str]) -> list[str]:
    """Those of at least `SHORTEST` bytes."""
    return [value for value in values if len(value.encode()) >= SHORTEST]


class Sought:
    """Values that are looked for, each as a whole: a longer word that has one in it is somebody else's.

    In text, where words end is seen. In other files, where anything may stand beside a value, only what is known to be
    a longer word is taken for one.
    """

    def __init__(self, values: Collection[str], longer: Collection[str] = ()) -> None:
        """`longer`: words that hold a value and more, and are nobody's who is looked for."""
        there = set(long_enough(values))
        self.count = len(there)
        wanted = sorted({form.encode() for value in there for form in _forms(value)}, key=len, reverse=True)
        self._wanted = re.compile(b"|".join(map(re.escape, wanted))) if wanted else None
        self._longer = {one: _around(one, [word.encode() for word in longer]) for one in wanted}
        self.margin = max(map(len, [*wanted, *(word.encode() for word in longer)]), default=0) + _BESIDE

    def are_in(self, data: bytes, *, text: bool, begin: int = 0, end: int | None = None) -> bool:
        """Whether one of them begins there; `data` reaches on by `margin` on both sides, where there is more."""
        while self._wanted and (hit := self._wanted.search(data, begin)):
            if end is not None and hit.start() >= end:
                return False
            if not (_is_within(data, hit) if text else self._is_longer(data, hit)):
                return True
            begin = hit.start() + 1
        return False

    def _is_longer(self, data: bytes, hit: re.Match[bytes]) -> bool:
        return any(data.startswith(word, max(0, hit.start() - place)) for word, place in self._longer[hit.group()])


def search_workspace(
    workspace: Workspace, values: Collection[str], of_models: Collection[str], longer: Collection[str] = ()
) -> Searched:
    """Search all files of the workspace's folder for values of at least `SHORTEST` bytes, also where they are escaped.

    `of_models` are digests of artifacts and ids of records that belong to models; `longer` are words of rows that are
    left, which hold a value and more. What is compressed cannot be seen so; tables were rewritten, not searched.
    """
    sought = Sought(values, longer)
    files, size = 0, 0
    holding: list[str] = []
    for path in _files(workspace.folder):
        files += 1
        found, read = _search(path, sought)
        size += read
        if found:
            holding.append(path.relative_to(workspace.folder).as_posix())
    records = _records(workspace, sought)
    if records:
        # They say more than the name of the file that they are in.
        holding = [path for path in holding if not path.startswith(_STORE)]
    holding += records
    models = {one for one in holding if _name(one) in of_models}
    others = sorted(set(holding) - models)
    return Searched(files=files, bytes=size, values=sought.count, holding=others, in_models=sorted(models))


def _name(found: str) -> str:
    """What a file or a record is called: an artifact's digest is the last two parts of its path."""
    parts = found.split("/")
    return "".join(parts[-2:]) if parts[0] == _ARTIFACTS else parts[-1]


def _records(workspace: Workspace, sought: Sought) -> list[str]:
    """Ids of the records whose bodies or attributes hold a value."""
    if not sought.count:
        return []
    records = every_record(workspace)
    return [one.id for one in records if sought.are_in(msgspec.json.encode((one.body, one.attributes)), text=True)]


def _forms(value: str) -> set[str]:
    """A value as text, in JSON as it is and in ASCII, on a page, and in an address."""
    in_json = {json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True)}
    return {value, *in_json, html.escape(value), quote(value), quote(value, safe="@")}


def _around(value: bytes, words: Collection[bytes]) -> list[tuple[bytes, int]]:
    """Words that hold the value, with each place of it in them."""
    return [(word, hit.start()) for word in words if word != value for hit in re.finditer(re.escape(value), word)]


def _is_within(text: bytes, hit: re.Match[bytes]) -> bool:
    """Whether a longer word holds it; what escapes a sign before it is no part of a word."""
    before = text[max(0, hit.start() - _BESIDE) : hit.start()]
    joined = (
        _ENDS_IN_WORD.search(before) and not _ENDS_IN_ESCAPE.search(before) and _STARTS_WITH_WORD.match(hit.group())
    )
    return bool(joined or (_ENDS_IN_WORD.search(hit.group()) and _STARTS_WITH_WORD.match(text, hit.end())))


def _is_text(data: bytes) -> bool:
    """Whether it is UTF-8 without control characters; a sign may be cut at both ends."""
    try:
        data.lstrip(_CONTINUATION).decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
    return not _CONTROL.search(data)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and folder / FOLDER not in path.parents:
            yield path


def _search(path: Path, sought: Sought) -> tuple[bool, int]:
    read, held, begin, text = 0, b"", 0, True
    try:
        with path.open("rb") as file:
            while True:
                chunk = file.read(_CHUNK)
                read += len(chunk)
                data = held + chunk
                text = text and _is_text(data)
                # What begins near the end is judged with what follows.
                end = max(begin, len(data) - sought.margin) if chunk else len(data)
                if sought.are_in(data, text=text, begin=begin, end=end):
                    return True, read
                if not chunk:
                    return False, read
                held, begin = data[max(0, end - sought.margin) :], min(end, sought.margin)
    except FileNotFoundError:
        return False, read  # it was somebody's temporary file
