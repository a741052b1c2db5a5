"""Pointer files: `images.heptad` beside the folder `images` says which version of it belongs to a commit."""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from heptad.core.errors import InputError, NotFoundError
from heptad.core.files import write_atomically
from heptad.data.folders.records import Pointer
from heptad.data.folders.tree import Entry, counts

SUFFIX = ".heptad"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
_HEAD = "# A version of {name}: `heptad data checkout` puts it beside this file, `heptad data add` notes a new one.\n"


def pointer_of(place: Path) -> Path:
    """The pointer of a folder or file."""
    return place.with_name(place.name + SUFFIX)


def place_of(pointer: Path) -> Path:
    """The folder or file that a pointer is about."""
    return pointer.with_name(pointer.name.removesuffix(SUFFIX))


def is_pointer(name: str) -> bool:
    """Whether a file is a pointer, by its name; `.heptad` is the workspace."""
    return name.endswith(SUFFIX) and name != SUFFIX


def text_of(name: str, pointer: Pointer) -> str:
    """The file's text: equal data give equal text, one value a line, so that Git shows what changed."""
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in msgspec.structs.asdict(pointer).items()]
    return _HEAD.format(name=name) + "\n".join(lines) + "\n"


def write_pointer(path: Path, pointer: Pointer) -> bool:
    """Write the pointer, unless it says so already; answers whether it was written."""
    data = text_of(place_of(path).name, pointer).encode()
    if path.is_file() and path.read_bytes() == data:
        return False
    write_atomically(path, data)
    return True


def read_pointer(path: Path) -> Pointer:
    """Raises `InputError` for a file that is no pointer, and where a merge has left both sides in it."""
    try:
        text = path.read_text(encoding="utf-8")
        if _CONFLICT.search(text):
            raise InputError(
                f"{path} holds both sides of a merge.",
                allowed="one side, whole: both digests belong together",
                remedy=f"git checkout --ours {path.name}, or --theirs; or put the files together and add them again",
            )
        pointer = msgspec.convert(tomllib.loads(text), Pointer)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InputError(
            f"{path} is not a pointer: {error}.", allowed="what `heptad data add` wrote", remedy="git checkout it again"
        ) from error
    for digest in (pointer.digest, pointer.stored):
        if not _DIGEST.fullmatch(digest):
            raise InputError(
                f"{path} is not a pointer: {digest[:80]!r} is no digest.",
                allowed="64 hexadecimal digits",
                remedy="git checkout it again",
            )
    return pointer


def check_counts(name: str, pointer: Pointer, entries: Iterable[Entry]) -> None:
    """Raises `InputError` where the numbers of a pointer are not those of the paths that its digest stands for."""
    files, size = counts(entries)
    if (pointer.files, pointer.bytes) != (files, size):
        raise InputError(
            f"The pointer of {name} says files = {pointer.files}, bytes = {pointer.bytes}, and its digest stands for "
            "other data.",
            allowed=f"files = {files}, bytes = {size}",
            remedy="git checkout it again, or add the data again",
        )


def find_pointers(root: Path) -> list[Path]:
    """Every pointer of a project, sorted; hidden folders and data that has a pointer are not searched."""
    return sorted(_pointers_in(root))


def _pointers_in(root: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(root):
        found = [name for name in files if is_pointer(name)]
        yield from (Path(place, name) for name in found)
        held = {name.removesuffix(SUFFIX) for name in found}
        folders[:] = [name for name in folders if name not in held and not name.startswith(".")]


def resolve_pointers(root: Path, given: list[Path]) -> list[Path]:
    """The pointers that were asked for, each by its own name or by that of its data; all of them where none was given.

    Raises `NotFoundError` for one that does not exist, `InputError` where there are none at all.
    """
    if not given:
        found = find_pointers(root)
        if not found:
            raise InputError(f"There is no pointer in {root}.", remedy="add a folder or file: heptad data add PATH")
        return found
    pointers: list[Path] = []
    for one in given:
        path = one if is_pointer(one.name) else pointer_of(one)
        if not path.is_file():
            known = [str(place_of(there).relative_to(root)) for there in find_pointers(root)]
            raise NotFoundError("pointer", str(path), known, remedy="" if known else "heptad data add PATH")
        pointers.append(path)
    return pointers


def named(place: Path, root: Path) -> str:
    """The name of a folder in the records: its path inside the project; raises `InputError` for what has none."""
    whole = place.parent.resolve() / place.name
    if root.is_relative_to(whole):
        raise InputError(
            f"{whole} holds the project itself, with its workspace.", allowed="a folder or file inside of the project"
        )
    if not whole.is_relative_to(root):
        raise InputError(
            f"{whole} is not inside of the project {root}.", allowed="a folder or file in it", remedy="move it there"
        )
    name = whole.relative_to(root).as_posix()
    if not name.isprintable() or len(name.encode("utf-8", "replace")) > _LONGEST or "\ufffd" in name:
        raise InputError(
            f"{name!r} cannot be the name of data.",
            allowed=f"up to {_LONGEST} bytes of printable text, for the path inside the project; what is in it is free",
            remedy="rename it",
        )
    if any(part.startswith(".") for part in Path(name).parts[:-1]) or name in {".git", ".heptad"}:
        raise InputError(f"{name} is in a hidden folder, where no pointer is looked for.", remedy="move it elsewhere")
    return name


_LONGEST = 400
