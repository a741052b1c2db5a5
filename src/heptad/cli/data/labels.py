"""`heptad data labels`: how labelling functions did."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, shown, table, wrapped

app = typer.Typer()


@app.command()
def labels(
    version: Annotated[str, typer.Argument(help="A number, a tag, an id, or latest.")] = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show how labelling functions voted, and how well."""
    from heptad.data import find_version
    from heptad.project import open_project

    workspace = open_project(project).workspace
    body = find_version(workspace, workspace.name, version).body
    rows = [
        {
            "coverage": f"{one.coverage:.1%}",
            "overlaps": f"{one.overlaps:.1%}",
            "conflicts": f"{one.conflicts:.1%}",
            "right": "-" if one.accuracy is None else f"{one.accuracy:.1%}",
            "measured": "-" if one.measured is None else f"{one.measured:.1%} of {one.measured_rows:,}",
            "function": one.name,
        }
        for one in body.labelling
    ]
    made = sum(one.cells for one in body.repairs if one.rule == "labelled_by_functions")
    told = wrapped([f"{body.name}@{body.version}: {shown(made)} of {body.rows:,} rows are labelled by functions"])
    empty = "No functions label this version. Name some: [labelling] functions in heptad.toml"
    emit(body.labelling, "\n\n".join([told, table(rows)]) if rows else wrapped([empty]), as_json=as_json)
