"""Commands that look after a workspace: doctor, gc, backup, restore, move, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, table

if TYPE_CHECKING:
    from heptad.lifecycle import Backup, Check

app = typer.Typer()


@app.command()
def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Read every artifact: are its bytes what they were?")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say what is wrong with this machine or workspace."""
    checks = _examine(project, deep=deep)
    wrong = [one for one in checks if one.state != "ok"]
    rows = [
        {"": one.state, "what": one.name, "found": one.sentence + (f". Remedy: {one.remedy}" if one.remedy else "")}
        for one in checks
    ]
    emit(checks, f"{table(rows)}\n\n{len(wrong)} of {len(checks)} need a look", as_json=as_json)
    if any(one.state == "error" for one in checks):
        raise typer.Exit(1)


def _examine(project: Path, *, deep: bool) -> "list[Check]":
    """What is found as far as one gets: a project that does not open is a finding too."""
    from heptad.config import has_table
    from heptad.core.errors import HeptadError
    from heptad.lifecycle import Check, examine_machine, examine_workspace
    from heptad.project import find_workspace, open_project

    checks = examine_machine(project)
    try:
        workspace, config = find_workspace(project, begin=False)
        if has_table(workspace.root):
            open_project(workspace.root)
        checks.append(Check(name="project", state="ok", sentence=f"{config.project.name} opens"))
        return checks + examine_workspace(workspace, deep=deep)
    except HeptadError as error:
        sentence = str(error.args[0])
        return [*checks, Check(name="project", state="error", sentence=sentence, remedy=error.remedy)]


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Copy the workspace, also while it is in use; checked."""
    from heptad.cli.progress import counting
    from heptad.lifecycle import backup as make_backup
    from heptad.project import find_workspace

    workspace, _ = find_workspace(project, begin=False)
    with counting("backup", shown=not as_json) as watch:
        made = make_backup(workspace, folder.resolve(), watch)
    emit(made, facts({"backup": folder, **_held(made)}), as_json=as_json)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make the project's workspace from a backup; checked."""
    from heptad.cli.progress import counting
    from heptad.config import read_folder_config
    from heptad.core.secrets import reveal
    from heptad.lifecycle import restore as make_again

    url = reveal(read_folder_config(project).store.url)
    with counting("restore", shown=not as_json) as watch:
        kept = make_again(folder.resolve(), project.resolve(), url, watch)
    emit(kept, facts({"restored": project.resolve(), **_held(kept)}), as_json=as_json)


@app.command()
def move(
    target: Annotated[str, typer.Argument(help="A folder, or a postgresql:// URL for the store alone.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Move the workspace to a folder, or its store to a URL."""
    from heptad.cli.progress import counting
    from heptad.core.secrets import reveal
    from heptad.lifecycle import move as move_workspace
    from heptad.lifecycle import move_store
    from heptad.project import find_workspace

    workspace, _ = find_workspace(project, begin=False)
    with counting("move", shown=not as_json) as watch:
        if "://" in target:
            sums = move_store(workspace, reveal(target), watch)
            then = f'put this under [store] in heptad.toml: url = "{target}"'
            counts = {f"rows of {name}": one.rows for name, one in sums.items()}
            emit(sums, facts({**counts, "next": then}), as_json=as_json)
            return
        moved = move_workspace(workspace, Path(target).resolve(), watch)
    then = f"take heptad.toml and your functions there too; {workspace.folder} can be deleted when all is well"
    emit(moved, facts({"moved to": target, **_held(moved), "next": then}), as_json=as_json)


def _held(made: "Backup") -> dict[str, object]:
    """What a backup holds, for people."""
    return {
        "of": f"{made.name}, {made.at:%Y-%m-%d %H:%M}",
        "records": made.records,
        "events": made.events,
        "artifacts": made.artifacts,
        "files": len(made.files),
    }


@app.command()
def gc(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this they are only counted.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Remove artifacts that no record mentions."""
    from heptad.core.garbage import collect_garbage
    from heptad.project import find_workspace

    found = collect_garbage(find_workspace(project, begin=False)[0], dry_run=not yes)
    then = "done" if yes else "heptad gc --yes" if found.digests else "nothing to do"
    counted = {"artifacts": len(found.digests), "freed" if yes else "to free": f"{found.bytes / 1e6:.1f} MB"}
    emit(found, facts({**counted, "next": then}), as_json=as_json)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write everything in open formats: Parquet, JSON, ONNX."""
    from heptad.cli.progress import progress
    from heptad.config import has_table
    from heptad.lifecycle import export_workspace
    from heptad.project import find_workspace, open_project

    workspace, _ = find_workspace(project, begin=False)
    serving = open_project(workspace.root).serving if has_table(workspace.root) else None
    with progress("export", shown=not as_json) as tell:
        exported = export_workspace(workspace, serving, folder, tell)
    lines = {
        "records": sum(exported.records.values()),
        "links": exported.links,
        "events": exported.events,
        "metric points": exported.points,
        "data versions": exported.data_versions,
        "models": f"{exported.models}, {exported.packages} of them as signed packages",
        "files": f"{len(exported.files):,}, {sum(one.bytes for one in exported.files.values()) / 1e6:,.1f} MB",
        "where": f"{folder}, named with their digests in manifest.json",
    }
    emit(exported, facts(lines), as_json=as_json)
