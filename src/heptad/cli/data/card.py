"""`heptad data card`: what a data set is and who answers for it, to read and to pass on."""

from pathlib import Path
from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit

app = typer.Typer()


@app.command()
def card(
    version: Annotated[str, typer.Argument(help="A number, a tag, an id, or latest.")] = "latest",
    out: Annotated[Path | None, typer.Option(help="Write it to this .html or .md file.", show_default=False)] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make the data card of a version, as text, HTML or Markdown."""
    from heptad.cli.documents import document_text, write_document
    from heptad.project import open_project

    data = open_project(project).data
    record = data.version(version)
    made = data.cards.card(record, data.profile(record))
    if out:
        write_document(made, out)
    emit(made, f"{out}: {made.title}" if out else document_text(made), as_json=as_json)
