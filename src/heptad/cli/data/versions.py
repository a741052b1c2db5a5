"""`heptad data log|show|diff|get|lineage|tag|rollback`: the versions of a project's table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heptad.cli.data import folders
from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table, wrapped

if TYPE_CHECKING:
    from heptad.core.records import Record
    from heptad.data import Data, DatasetVersion, FolderVersion

app = typer.Typer()
Version = Annotated[str, typer.Argument(help="A number, a tag, an id, or latest; of a folder NAME@NUMBER or NAME@TAG.")]
OfTable = Annotated[str, typer.Argument(help="A number, a tag, an id, or latest, of the table.")]


def version_named(data: "Data", which: str) -> "Record[DatasetVersion]":
    """The version that is meant where no file of the name is there; raises `InputError`."""
    from heptad.core.errors import InputError, NotFoundError

    try:
        return data.version(which)
    except NotFoundError as error:
        raise InputError(
            f"There is no file and no data version {which!r}.", allowed=error.allowed, remedy="heptad data log"
        ) from error


@app.command()
def log(
    name: Annotated[str, typer.Argument(help="A folder or file, instead of the table.", show_default=False)] = "",
    limit: Annotated[int, typer.Option(min=1, help="Versions at most.")] = 30,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the versions, newest first."""
    if name or not folders.has_table(project):
        folders.log_of(name, project, as_json=as_json)
        return
    from heptad.cli.reading import newest_records
    from heptad.data import DatasetVersion, tags_of
    from heptad.project import open_project

    versions = newest_records(open_project(project).workspace, DatasetVersion, limit)
    rows = [
        {
            "": one.body.version,
            "rows": one.body.rows,
            "labelled": one.body.labelled,
            "until": one.body.until,
            "repairs": sum(repair.rows + repair.cells for repair in one.body.repairs),
            "warnings": sum(not finding.passed for finding in one.body.findings),
            "tags": ", ".join([*tags_of(one), *_marks(one)]),
        }
        for one in versions
    ]
    emit(versions, table(rows, empty="No version yet. Make one: heptad run"), as_json=as_json)


def _marks(version: "Record[DatasetVersion]") -> list[str]:
    """What happened to a version since."""
    from heptad.data import ROLLED_BACK, erased, is_pruned

    gone = erased(version.attributes)
    rolled_back = ["rolled back"] if ROLLED_BACK in version.attributes else []
    pruned = ["pruned"] if is_pruned(version) else []
    return [*rolled_back, *([f"{gone[0]:,} erased"] if gone else []), *pruned]


@app.command()
def show(version: Version = "latest", project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show a version: sources, repairs, findings, columns."""
    if folder := folders.folder_version(version, project):
        folders.show_version(*folder, as_json=as_json)
        return
    from heptad.data import ROLLED_BACK, erased_in_words, find_version, layout_in_words, pruned_in_words, tags_of
    from heptad.project import open_project

    workspace = open_project(project).workspace
    record = find_version(workspace, workspace.name, version)
    body = record.body
    overview = {
        "version": f"{body.name}@{body.version} ({record.id})",
        "rows": f"{body.rows:,}, {body.labelled:,} with labels known at {body.until:%Y-%m-%d %H:%M}",
        "task": f"{body.schema.task} of {body.schema.target}",
        "made": f"{record.at:%Y-%m-%d %H:%M} by {record.actor}",
        "digest": body.digest[:16],
    }
    marks = {
        "layout": layout_in_words(workspace, record),
        "tags": ", ".join(tags_of(record)),
        "rolled back": str(record.attributes.get(ROLLED_BACK, "")),
        "erased": erased_in_words(record.attributes),
        "pruned": pruned_in_words(record).removeprefix("pruned "),
    }
    overview |= {what: said for what, said in marks.items() if said}
    sources = [{"source": one.name, "rows": one.rows, "from": one.uri} for one in body.sources]
    understood = [
        f"{one.name}: {', '.join(f'{what} {how}' for what, how in one.understood.items())}"
        for one in body.sources
        if one.understood
    ]
    repairs = [
        {
            "rows": one.rows,
            "cells": one.cells,
            "column": one.column or None,
            "rule": one.rule + (f", for example {one.examples[0]}" if one.examples else ""),
        }
        for one in body.repairs
    ]
    found = [f"{one.severity}: {one.sentence}" for one in body.findings if not one.passed]
    columns = [
        {"column": one.name, "type": one.type, "role": one.role, "values": len(one.categories or []) or None}
        for one in body.schema.columns
    ]
    text = [
        facts(overview),
        section("Sources", "\n".join([table(sources), *([wrapped(understood)] * bool(understood))])),
    ]
    text += [section("Repairs", table(repairs, empty="none"))]
    text += [section("Findings", wrapped(found) or "everything holds"), section("Columns", table(columns))]
    emit(record, "\n\n".join(text), as_json=as_json)


@app.command()
def diff(
    old: Version,
    new: Version = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions: columns, rows, findings; paths."""
    if folder := folders.folder_version(old, project):
        folders.diff_versions(*folder, new, as_json=as_json)
        return
    from heptad.core.errors import InputError
    from heptad.project import open_project

    if folders.folder_version(new, project):
        raise InputError(f"{old} is no version of a folder, and {new} is one.", allowed="two versions of the same")
    data = open_project(project).data
    difference = data.diff(data.version(old), data.version(new))
    emit(difference, wrapped(difference.text().splitlines()), as_json=as_json)


@app.command()
def get(
    version: Version,
    file: Annotated[
        Path, typer.Argument(help="What to write: .parquet, .csv, .jsonl or .arrow; of a folder its path.")
    ],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write the rows of a version, or the files of a folder."""
    if folder := folders.folder_version(version, project):
        folders.get_version(*folder, file, as_json=as_json)
        return
    from heptad.cli.tables import check_ending, write_table
    from heptad.data import as_it_is
    from heptad.project import open_project

    check_ending(file)
    opened = open_project(project)
    data = opened.data
    record = data.version(version)
    write_table(data.scan(record), file)
    rows = as_it_is(opened.workspace, record).rows
    done = {"version": f"{record.body.name}@{record.body.version}", "rows": rows, "file": str(file)}
    emit(done, f"{file}: {rows:,} rows of {done['version']}", as_json=as_json)


@app.command()
def lineage(version: Version = "latest", project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List what a version was made from, and what with it."""
    from heptad.data import find_version
    from heptad.lifecycle import sentence_of
    from heptad.project import open_project

    record: Record[Any]
    text: list[str] = []
    parts: dict[str, Any] = {}
    if folder := folders.folder_version(version, project):
        workspace, record = folder[0].workspace, folder[1]
    else:
        workspace = open_project(project).workspace
        record = find_version(workspace, workspace.name, version)
        parts["sources"] = record.body.sources
        lines = [f"{one.uri}: {one.rows:,} rows, digest {one.digest[:12]}" for one in record.body.sources]
        text.append(section("Read from", wrapped(lines)))
    trace = workspace.store.trace
    behind = [link.target for link in trace([record.id], "ancestors")]
    # What was made with later versions is theirs.
    own = [link.source for link in trace([record.id], "in") if link.role != "previous"]
    ahead = [*own, *(link.source for link in trace(own, "descendants"))] if own else []
    for title, ids in (("Made from", behind), ("Made with it", ahead)):
        found = workspace.store.get(list(dict.fromkeys(ids)))
        parts[title.lower().replace(" ", "_")] = found
        told = wrapped(f"{one.id}  {sentence_of(one)}" for one in found)
        text.append(section(title, told or "nothing"))
    emit(parts, "\n\n".join(text), as_json=as_json)


@app.command()
def tag(
    which: Annotated[str, typer.Argument(help="The version; with --remove the tag, of a folder NAME@TAG.")],
    name: Annotated[str, typer.Argument(help="The tag.", show_default=False)] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag away.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Name a version, so that it is found by the name."""
    from heptad.core.errors import InputError
    from heptad.data import find_version, untag
    from heptad.data import tag as name_version
    from heptad.project import open_project

    if remove == bool(name):
        raise InputError("Nothing says what to tag.", allowed="VERSION TAG, or TAG --remove")
    record: Record[DatasetVersion] | Record[FolderVersion]
    if folder := folders.folder_version(which, project):
        workspace, record = folder[0].workspace, folder[1]
    else:
        workspace = open_project(project).workspace
        record = find_version(workspace, workspace.name, which)
    label = f"{record.body.name}@{record.body.version}"
    if remove:
        untag(workspace, record, which.removeprefix(f"{record.body.name}@"))
    else:
        name_version(workspace, record, name)
    said = f"{label} is {'no longer ' if remove else ''}{name or which}"
    emit({"version": label, "tag": name or which}, said, as_json=as_json)


@app.command()
def rollback(
    version: OfTable,
    reason: Annotated[str, typer.Option(help="A sentence that says why, for whoever asks later.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make an earlier version the latest again."""
    from heptad.data import find_version, roll_back
    from heptad.project import open_project

    workspace = open_project(project).workspace
    record = find_version(workspace, workspace.name, version)
    roll_back(workspace, record, reason)
    label = f"{record.body.name}@{record.body.version}"
    text = f"{label} is the latest. The next run collects from the sources again: mend them first."
    emit({"latest": label}, text, as_json=as_json)
