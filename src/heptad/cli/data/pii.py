"""`heptad data pii`: columns with personal data, the evidence, and which models use them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.data.versions import version_named
from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, table, wrapped

if TYPE_CHECKING:
    from heptad.project import Project

app = typer.Typer()


@app.command()
def pii(
    which: Annotated[str, typer.Argument(help="A version (number, tag, id, latest), or a file.")] = "latest",
    least: Annotated[float, typer.Option(min=0, max=1, help="Leave out what is less sure.")] = 0.0,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Find personal data, and columns that no model uses."""
    import msgspec

    from heptad.data import Place, SourceSettings, find_personal, open_source
    from heptad.project import open_project

    path, unused = Path(which), list[str]()
    if path.is_file():
        found = find_personal(open_source(SourceSettings(uri=str(path.resolve())), Place(root=Path.cwd())).read().rows)
    else:
        opened = open_project(project)
        version = version_named(opened.data, which)
        used, unused = _used(opened, [one.name for one in version.body.schema.features()])
        found = find_personal(opened.data.scan(version))
        columns = [msgspec.structs.replace(one, used_by=used.get(one.column, [])) for one in found.columns]
        found = msgspec.structs.replace(found, columns=columns)
    listed = [one for one in found.columns if one.confidence >= least]
    rows_told = [
        {
            "column": one.column,
            "kind": one.kind,
            "names": one.category,
            "sure": one.confidence,
            "used by": ", ".join(one.used_by) or None,
            "since": "; ".join(one.evidence),
        }
        for one in listed
    ]
    text = [section(f"Personal data in {found.rows:,} rows", table(rows_told, empty="none was found"))]
    if unused:
        said = [f"{', '.join(unused)}: no model that answers uses them. [data] function can leave them out."]
        text.append(section("Minimisation", wrapped(said)))
    emit({"personal": listed, "unused": unused}, "\n\n".join(text), as_json=as_json)


def _used(project: "Project", features: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Input to the versions that take it, of those in force; and the features that none of them takes."""
    from heptad.lifecycle import inputs_in_force

    used = inputs_in_force(project.workspace, project.release, project.serving)
    return used, [name for name in features if name not in used] if used else []
