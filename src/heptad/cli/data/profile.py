"""`heptad data profile`: what a table looks like, on the terminal and as a page."""

from pathlib import Path
from typing import Annotated, Any

import typer

from heptad.cli.data.versions import version_named
from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, table, wrapped

app = typer.Typer()


@app.command()
def profile(
    which: Annotated[str, typer.Argument(help="A version (number, tag, id, latest), or a file.")] = "latest",
    html: Annotated[Path | None, typer.Option(help="Write the page here.", show_default=False)] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show what a table looks like, and what is odd in it."""
    from heptad.core.files import write_atomically
    from heptad.data import render_overview, summary_of

    overview = _overview(which, project)
    if html:
        write_atomically(html, render_overview(overview).encode())
    columns = overview.profile.columns
    rows = [
        {name: told or None for name, told in summary_of(one).items() if name not in {"mean", "deviation"}}
        for one in columns
    ]
    signs = {"look": "! ", "know": "  "}
    notes = wrapped(f"{signs[note.weight]}{note.column}: {note.sentence}" for note in overview.notes)
    text = [
        f"{overview.name}: {overview.profile.rows:,} rows, {len(columns)} columns",
        section("What to look at", notes or "nothing is odd"),
        section("Columns", table(rows)),
        *([f"{html}: the same as a page"] if html else []),
    ]
    emit(overview, "\n\n".join(text), as_json=as_json)


def _overview(which: str, project: Path) -> Any:
    from heptad.core.settings import ProjectSettings
    from heptad.data import Place, SourceSettings, look_at_file, look_at_version
    from heptad.project import open_project

    path = Path(which)
    if path.is_file():
        return look_at_file(SourceSettings(uri=str(path.resolve())), Place(root=Path.cwd()), ProjectSettings())
    data = open_project(project).data
    record = version_named(data, which)
    return look_at_version(record.body, data.scan(record), data.profile(record))
