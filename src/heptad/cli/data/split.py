"""`heptad data split`: which rows are learnt from, judged, and in which fold."""

from pathlib import Path
from typing import Annotated, Any

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, table

app = typer.Typer()


@app.command()
def split(
    version: Annotated[str, typer.Argument(help="A number, a tag, an id, or latest.")] = "latest",
    out: Annotated[Path | None, typer.Option(help="Write each row's part to this file.", show_default=False)] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show how rows are split into parts and folds."""
    from heptad.cli.tables import check_ending, write_table
    from heptad.project import open_project
    from heptad.training import PARTS, SHOWN_CLASSES, split_table

    if out:
        check_ending(out)
    opened = open_project(project)
    record, config = opened.data.version(version), opened.config
    found = split_table(opened.training.parting, record, config.search.folds, config.validate.group)
    if out:
        write_table(found.rows, out)
    rows: list[dict[str, Any]] = []
    for one in found.parts:
        largest = sorted(one.classes, key=lambda name: -found.parts[0].classes[name])[:SHOWN_CLASSES]
        groups = {"groups": one.groups} if one.groups is not None else {}
        shares = {name: f"{one.classes[name]:.1%}" for name in largest}
        rows.append({"part": one.part, "rows": one.rows, "share": f"{one.share:.1%}", **groups, **shares})
    text = [f"{record.body.name}@{record.body.version}, split by {found.by}", table(rows)]
    whole = sum(one.rows for one in found.parts if one.part in PARTS)
    text += [f"{out}: {whole:,} rows"] if out else []
    emit({"by": found.by, "parts": found.parts}, "\n\n".join(text), as_json=as_json)
