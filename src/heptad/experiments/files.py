"""Files of runs and logged models: kept as artifacts, found by relative names that lead nowhere else."""

from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import unquote

from heptad.core.errors import InputError, NotFoundError
from heptad.core.records import Attribute, Change, NewEvent, Record
from heptad.core.workspace import Workspace
from heptad.experiments.records import LoggedModel, Run

ATTACHED = "artifacts."
"""In front of the name of a file, in the key of the attribute that holds its digest."""
LONGEST = 480
"""Bytes of a file's name, folders included: with what stands in front it is an attribute's key."""
LONGEST_PART = 255
"""Bytes between two slashes of a name: what file systems take, so that who downloads the file can store it."""
CHANGED = {Run.kind: "experiments.run_changed", LoggedModel.kind: "experiments.model_changed"}
"""Kind of a record that may have files, to the event that says that it has others now."""
_AT_ONCE = 500


class Entry(NamedTuple):
    """What a folder holds: a file with its digest, or a folder. `name` counts from the top."""

    name: str
    digest: str = ""

    @property
    def is_folder(self) -> bool:
        return not self.digest


def checked_name(name: str) -> str:
    r"""The name of a file below a record, as it may be used; raises `InputError` for one that leads anywhere else.

    Names are compared as they are written. One that could mean another file after some program has unquoted it, cut
    it at `#`, or read `\` as `/` is no name here.
    """
    parts = name.split("/")
    suspect = unquote(name).split("/")
    if not name or {"", ".", ".."} & {*parts, *suspect}:
        problem = "it is empty, absolute, or leads out of its folder"
    elif any(one in part for part in (name, unquote(name)) for one in "\\#\0") or not name.isprintable():
        problem = "it holds a backslash, a `#` or what cannot be printed"
    elif len(name.encode("utf-8", "surrogatepass")) > LONGEST:
        problem = f"it has more than {LONGEST} bytes"
    elif any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_PART for part in parts):
        problem = f"a part of it has more than {LONGEST_PART} bytes, and could not be stored where it is downloaded"
    else:
        return name
    raise InputError(
        f"{name[:200]!a} is not the name of a file: {problem}.", allowed="a relative name, for example a/b.txt"
    )


def files_of(record: Record[Any]) -> dict[str, str]:
    """Name and digest of every file of a record."""
    return {
        key.removeprefix(ATTACHED): str(value)
        for key, value in record.attributes.items()
        if key.startswith(ATTACHED) and value
    }


def in_folder(files: Mapping[str, str], folder: str = "") -> list[Entry]:
    """What is in a folder of these files, sorted by name; nothing where there is no such folder."""
    start = f"{folder}/" if folder else ""
    found: dict[str, Entry] = {}
    for name, digest in files.items():
        if name.startswith(start):
            first, slash, _ = name.removeprefix(start).partition("/")
            if slash or start + first not in found:
                found[start + first] = Entry(start + first, "" if slash else digest)
    return sorted(found.values())


def file_digest(workspace: Workspace, owner: Record[Any], name: str) -> str:
    """The digest of one file of a record; raises `NotFoundError` where it has no such file."""
    key = ATTACHED + checked_name(name)
    digest = workspace.store.get([owner.id], [key])[0].attributes.get(key)
    if not digest:
        raise NotFoundError("file", name, remedy=f"list what {owner.id} has")
    return str(digest)


def keep_file(workspace: Workspace, owner: Record[Any], name: str, content: bytes | BinaryIO) -> str:
    """Store a file of a record, in place of the one that has the name; answers the digest.

    The content is read as it comes, and the record names it when it is durable. Raises `InputError` for a name that
    is none, and for one that a folder has, or that would make a folder of a file.
    """
    refuse_clash(workspace, owner, name)
    return link_file(workspace, owner, name, workspace.blobs.put(content))


def link_file(workspace: Workspace, owner: Record[Any], name: str, digest: str) -> str:
    """Let a record have a file whose content is stored already."""
    _change(workspace, owner, {ATTACHED + checked_name(name): digest})
    return digest


def remove_files(workspace: Workspace, owner: Record[Any], name: str = "") -> int:
    """Take a file away from a record, or all that are in a folder; answers how many.

    Content that nobody names any more is freed by the next garbage collection.
    """
    inside = f"{checked_name(name)}/" if name else ""
    gone = [one for one in files_of(owner) if one == name or one.startswith(inside)]
    for start in range(0, len(gone), _AT_ONCE):
        _change(workspace, owner, dict.fromkeys(ATTACHED + one for one in gone[start : start + _AT_ONCE]))
    return len(gone)


def _change(workspace: Workspace, owner: Record[Any], values: Mapping[str, str | None]) -> None:
    workspace.store.write(
        Change(
            attributes=[Attribute(owner.id, key, value) for key, value in values.items()],
            events=[NewEvent(kind=CHANGED[owner.kind], subject=owner.id, body=dict(values))],
            at=workspace.clock.now(),
        )
    )


def refuse_clash(workspace: Workspace, owner: Record[Any], name: str) -> None:
    """Raise `InputError` where a folder has the name, or a file would be its folder: both could not be downloaded."""
    above = [ATTACHED + one for one in _folders_above(checked_name(name))]
    inside = f"{ATTACHED}{name}/"
    taken = sorted(workspace.store.get([owner.id], above, inside)[0].attributes)
    below = [key for key in taken if key.startswith(inside)]
    if below:
        raise InputError(
            f"{name!r} is a folder, of {below[0].removeprefix(ATTACHED)!r} for one, so it cannot be a file.",
            remedy="use another name",
        )
    if taken:
        file = taken[0].removeprefix(ATTACHED)
        raise InputError(f"{file!r} is a file, so it cannot be the folder of {name!r}.", remedy="use another name")


def _folders_above(name: str) -> Iterable[str]:
    parts = name.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))
