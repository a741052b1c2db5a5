"""`heptad data log|show|diff`: the versions of a project's table."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table, wrapped

app = typer.Typer()
Version = Annotated[str, typer.Argument(help="A number, an id, or latest.")]


@app.command()
def log(
    limit: Annotated[int, typer.Option(min=1, help="Versions at most.")] = 30,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the versions, newest first."""
    from heptad.cli.reading import newest_records
    from heptad.data import DatasetVersion
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
            "id": one.id,
        }
        for one in versions
    ]
    emit(versions, table(rows, empty="No version yet. Make one: heptad run"), as_json=as_json)


@app.command()
def show(version: Version = "latest", project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show a version: sources, repairs, findings, columns."""
    from heptad.data import find_version
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
    old: Annotated[str, typer.Argument(help="A number or an id.")],
    new: Version = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions: columns, rows, distributions, findings."""
    from heptad.project import open_project

    data = open_project(project).data
    difference = data.diff(data.version(old), data.version(new))
    emit(difference, wrapped(difference.text().splitlines()), as_json=as_json)
