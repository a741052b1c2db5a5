"""`heptad data add|status|checkout|push|pull|forget`: versioned folders and files, and their pointers in Git."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table, wrapped

if TYPE_CHECKING:
    from heptad.cli.progress import Count
    from heptad.core.records import Record
    from heptad.core.workspace import Workspace
    from heptad.data import DatasetVersion, FolderChanges, Folders, FolderVersion, PlacedFolder

app = typer.Typer()
Pointers = Annotated[
    list[Path] | None,
    typer.Argument(help="Pointers, or the data they are about; without any, all.", show_default=False),
]
Remote = Annotated[str, typer.Option(help="A folder or URL, instead of [remote] uri.", show_default=False)]
_MOST_SHOWN = 20
"""Paths of a folder that are listed; all are in the JSON."""


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Folders, or files by themselves.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Keep folders or files as versions; pointers for Git."""
    opened = _open(project)
    with _watching("add", shown=not as_json) as tell:
        added = opened.add(_below(project, paths), tell)
    lines: list[str] = []
    for one in added:
        body = one.version.body
        again = f", {_size(one.new_bytes)} that were lost stored again" if one.new_bytes else ""
        is_new = f"{_size(one.new_bytes)} of them new" if one.is_new else f"nothing new{again}"
        label = f"{body.name}@{body.version}"
        files = f"{body.files:,} file{'' if body.files == 1 else 's'}"
        lines.append(f"{label}: {files}, {_size(body.bytes)}, {is_new}; pointer {Path(one.pointer).name}")
        lines += [f"  not told apart where case does not count: {' and '.join(same)}" for same in one.clashes]
    emit(added, wrapped(lines), as_json=as_json)


@app.command()
def status(pointers: Pointers = None, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Say what differs from the pointers; if anything, exit 1."""
    opened = _open(project)
    with _watching("status", shown=not as_json) as tell:
        found = opened.status(_below(project, pointers), tell)
    rows = [
        {"data": one.name, "is": one.state, "differs by": one.changes.counts() or None, "next": one.next}
        for one in found
    ]
    text = [table(rows)] + [section(one.name, _changes(one.changes)) for one in found if one.changes]
    emit(found, "\n\n".join(text), as_json=as_json)
    if any(one.state != "same" for one in found):
        raise typer.Exit(1)


@app.command()
def checkout(
    pointers: Pointers = None,
    force: Annotated[bool, typer.Option("--force", help="Also where that loses what no version has.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Put the data in place that the pointers name."""
    opened = _open(project)
    with _watching("checkout", shown=not as_json) as tell:
        placed = opened.checkout(_below(project, pointers), force=force, tell=tell)
    emit(placed, _placed(placed), as_json=as_json)


@app.command()
def push(
    pointers: Pointers = None,
    remote: Remote = "",
    everything: Annotated[bool, typer.Option("--all", help="Every version, not only what pointers name.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Send data to the remote: what it does not have yet."""
    opened = _open(project)
    with _watching("push", shown=not as_json) as tell:
        moved = opened.push(_below(project, pointers), _meant(remote), everything=everything, tell=tell)
    text = f"{moved.packs:,} packs sent, {_size(moved.bytes)}; {moved.there:,} were there"
    emit(moved, text, as_json=as_json)


@app.command()
def pull(
    pointers: Pointers = None,
    remote: Remote = "",
    force: Annotated[bool, typer.Option("--force", help="Also where that loses what no version has.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Fetch the data that the pointers name, and put it in place."""
    opened = _open(project)
    with _watching("pull", shown=not as_json) as tell:
        moved, placed = opened.pull(_below(project, pointers), _meant(remote), force=force, tell=tell)
    text = f"{moved.packs:,} packs fetched, {_size(moved.bytes)}; {moved.there:,} were here\n\n{_placed(placed)}"
    emit({"moved": moved, "placed": placed}, text, as_json=as_json)


@app.command()
def forget(
    version: Annotated[str, typer.Argument(help="NAME@NUMBER.")],
    reason: Annotated[str, typer.Option(help="A sentence that says why, for whoever asks later.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Give up the bytes of a version, for `heptad gc` to free."""
    from heptad.core.errors import NotFoundError

    opened = _open(project)
    record = opened.find(version)
    if record is None:
        raise NotFoundError("version", version, opened.names())
    opened.forget(record, reason)
    label = f"{record.body.name}@{record.body.version}"
    emit({"forgotten": label}, f"{label} is forgotten. Then: heptad gc --yes", as_json=as_json)


def has_table(project: Path) -> bool:
    """Whether the project has settings, which name its table; else all that it has are folders."""
    from heptad.config import FILE

    return (project / FILE).is_file()


def log_of(name: str, project: Path, *, as_json: bool) -> None:
    """The versions of one folder, or of all."""
    from heptad.core.errors import NotFoundError
    from heptad.data import FORGOTTEN, tags_of

    opened = _open(project)
    versions = [one for folder in ([name.rstrip("/")] if name else opened.names()) for one in opened.log(folder)]
    if name and not versions:
        raise NotFoundError("data", name, opened.names())
    rows = [
        {
            "": f"{one.body.name}@{one.body.version}",
            "files": one.body.files,
            "size": _size(one.body.bytes),
            "new": _size(one.body.new_bytes),
            "added": one.at,
            "by": one.actor,
            "digest": one.body.digest[:12],
            "tags": ", ".join(tags_of(one)),
            "note": "forgotten" if FORGOTTEN in one.attributes else "fetched" if one.body.fetched_from else "",
        }
        for one in versions
    ]
    emit(versions, table(rows, empty="No version yet. Make one: heptad data add PATH"), as_json=as_json)


def folder_version(ref: str, project: Path) -> "tuple[Folders, Record[FolderVersion]] | None":
    """The version of a folder that `ref` names; `None` where it names none, and may be a version of the table.

    Raises `InputError` where it names both: a folder may be called like the project.
    """
    if ref == "latest" or ref.isdecimal():
        return None
    opened = _open(project)
    found = opened.find(ref)
    if found is None:
        return None
    if ref != found.id and (other := _version_of_table(opened.workspace, ref)):
        from heptad.core.errors import InputError

        raise InputError(
            f"{ref!r} is a version of the table and one of the folder {found.body.name}.",
            allowed=f"their ids: {other.id} of the table, {found.id} of the folder",
        )
    return opened, found


def _version_of_table(workspace: "Workspace", ref: str) -> "Record[DatasetVersion] | None":
    from heptad.core.errors import NotFoundError
    from heptad.data import find_version

    try:
        return find_version(workspace, workspace.name, ref)
    except NotFoundError:
        return None


def show_version(opened: "Folders", record: "Record[FolderVersion]", *, as_json: bool) -> None:
    """What is known of a version, and the first of its paths."""
    from heptad.data import FORGOTTEN, shown_path, tags_of

    body, forgotten = record.body, record.attributes.get(FORGOTTEN)
    entries = [] if forgotten else opened.entries(record).entries
    kinds = {"f": "", "x": "executable", "l": "link", "d": "empty folder"}
    files = [{"path": shown_path(one.path) or body.name, "size": one.size, "kind": kinds[one.kind]} for one in entries]
    overview = {
        "version": f"{body.name}@{body.version} ({record.id})",
        "files": f"{body.files:,}, {_size(body.bytes)}",
        "stored": f"{_size(body.new_bytes)} were new",
        "added": f"{record.at:%Y-%m-%d %H:%M} by {record.actor}",
        "digest": body.digest,
    }
    more = {"tags": ", ".join(tags_of(record)), "fetched from": body.fetched_from, "forgotten": forgotten}
    overview |= {what: str(said) for what, said in more.items() if said}
    rest = f"\nand {len(files) - _MOST_SHOWN:,} more" if len(files) > _MOST_SHOWN else ""
    listed = table(files[:_MOST_SHOWN], empty="none") + rest
    emit({"version": record, "files": files}, f"{facts(overview)}\n\n{section('Paths', listed)}", as_json=as_json)


def diff_versions(opened: "Folders", old: "Record[FolderVersion]", new: str, *, as_json: bool) -> None:
    """Paths that differ between two versions."""
    from heptad.core.errors import NotFoundError

    name = old.body.name
    record = opened.find(f"{name}@{new}" if new == "latest" or new.isdecimal() else new)
    if record is None:
        raise NotFoundError("version", new, opened.names())
    changes = opened.diff(old, record)
    head = f"{name}@{old.body.version} to {record.body.name}@{record.body.version}: {changes.counts() or 'the same'}"
    emit(changes, f"{wrapped([head])}\n{_changes(changes)}", as_json=as_json)


def get_version(opened: "Folders", record: "Record[FolderVersion]", target: Path, *, as_json: bool) -> None:
    """Write a version to a new path."""
    with _watching("get", shown=not as_json) as tell:
        placed = opened.get(record, target, tell)
    text = f"{target}: {placed.written:,} files of {record.body.name}@{record.body.version}"
    how = f"copied, since {placed.copied_because}" if placed.copied_because else ""
    how = f"{_size(placed.shared)} shared with the workspace" if placed.shared else how
    said = {"version": f"{record.body.name}@{record.body.version}", "path": str(target), "shared": placed.shared}
    emit(said, "\n".join([text, *([how] * bool(how))]), as_json=as_json)


def _open(project: Path) -> "Folders":
    from heptad.project import open_folders

    return open_folders(project)


@contextmanager
def _watching(title: str, *, shown: bool) -> "Generator[Count]":
    from heptad.cli.progress import counting

    with counting(title, shown=shown) as count:
        yield count


def _below(project: Path, paths: list[Path] | None) -> list[Path]:
    """Paths as they are meant: relative to the project that was named, else to the present folder."""
    return [project / one for one in paths or []]


def _meant(remote: str) -> str:
    """A remote that is typed is relative to the present folder; one in the settings to theirs."""
    return remote if not remote or "://" in remote else str(Path(remote).absolute())


def _placed(placed: "list[PlacedFolder]") -> str:
    rows = [
        {
            "data": one.name,
            "written": one.written,
            "kept": one.kept,
            "removed": one.removed,
            "size": _size(one.bytes),
            "shared": _size(one.shared),
        }
        for one in placed
    ]
    reasons = dict.fromkeys(one.copied_because for one in placed if one.copied_because)
    return "\n".join([table(rows), *(wrapped([f"copied, since {reason}"]) for reason in reasons)])


def _changes(changes: "FolderChanges") -> str:
    lines = changes.lines()
    more = [f"and {len(lines) - _MOST_SHOWN:,} more"] if len(lines) > _MOST_SHOWN else []
    return "\n".join([*lines[:_MOST_SHOWN], *more])


def _size(count: int) -> str:
    """Bytes in a unit that leaves few digits."""
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
