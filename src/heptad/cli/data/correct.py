"""`heptad data correct|corrections`: cells that a person knows better than the source."""

from pathlib import Path
from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, table, wrapped

app = typer.Typer()


@app.command()
def correct(
    file: Annotated[Path, typer.Argument(help="A CSV: the key's columns, column, value, reason.")],
    reason: Annotated[str, typer.Option(help="Why, for lines that give no reason of their own.")] = "",
    new_classes: Annotated[bool, typer.Option(help="Take classes that no row has yet.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Correct cells by a file, and make the version with them."""
    from heptad.core.errors import InputError
    from heptad.project import open_project

    opened = open_project(project)
    data = opened.data
    latest = data.latest()
    if latest is None:
        raise InputError("There is no version to correct.", remedy="make one: heptad run")
    read, correction = data.corrections.correct(latest, file, reason=reason, new_classes=new_classes)
    # As a run would now, since a label that is given now was not known before.
    made = data.collect(None if latest.body.everything else opened.workspace.clock.now())
    label = f"{made.body.name}@{made.body.version}"
    done = {
        "version": label,
        "corrected": len(read.cells),
        "unchanged": read.unchanged,
        "left_open": read.left_open,
        "correction": correction.id if correction else None,
    }
    count = len(read.cells)
    said = [f"cells corrected: {count:,}; {label} has them right" if count else "Nothing to correct."]
    said += [f"lines that say what the version says already: {read.unchanged:,}"] if read.unchanged else []
    said += [f"lines without a value, left open: {read.left_open:,}"] if read.left_open else []
    emit(done, wrapped(said), as_json=as_json)


@app.command()
def corrections(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the corrections of new versions, newest last."""
    from heptad.project import open_project

    cells = open_project(project).data.corrections.cells()
    rows = [
        {
            "row": one["id"],
            "column": one["column"],
            "was": one["was"],
            "is": one["value"],
            "at": one["at"],
            "by": one["actor"],
            "reason": one["reason"],
        }
        for one in cells.iter_rows(named=True)
    ]
    emit(rows, table(rows, empty="Nothing is corrected. Do it: heptad data correct FILE.csv"), as_json=as_json)
