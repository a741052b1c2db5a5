"""`heptad data anonymity`: how people hide among each other, and what it takes that they do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section

if TYPE_CHECKING:
    from heptad.data import Anonymity, Generalised

app = typer.Typer()


@app.command()
def anonymity(
    version: Annotated[str, typer.Argument(help="A number, a tag, an id, or latest.")] = "latest",
    quasi: Annotated[str, typer.Option(help="Columns by which people are recognised, with commas.")] = "",
    sensitive: Annotated[str, typer.Option(help="The column that nobody is to learn.")] = "",
    k: Annotated[int, typer.Option(min=0, help="Reach it: rows that a class has at least.")] = 0,
    least: Annotated[int, typer.Option("--l", min=1, help="Different sensitive values in a class.")] = 1,
    suppress: Annotated[float, typer.Option(min=0, max=1, help="Share of rows that may be left out.")] = 0.05,
    write: Annotated[Path | None, typer.Option(help="Write the rows so to this file.", show_default=False)] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Measure k-anonymity and l-diversity, or reach them."""
    from heptad.cli.tables import write_table
    from heptad.core.errors import InputError
    from heptad.data import anonymise, generalise, measure_anonymity
    from heptad.project import open_project

    if write and not k:
        raise InputError("Nothing says what to write.", allowed="--k NUMBER with --write FILE")
    if least > 1 and not sensitive:
        raise InputError(f"--l {least} needs --sensitive.", allowed="--sensitive COLUMN with --l NUMBER")
    if least > 1 and not k:
        raise InputError(f"--l {least} needs --k.", allowed="--k NUMBER with --l NUMBER; without them l is measured")
    data = open_project(project).data
    columns = [one.strip() for one in quasi.split(",") if one.strip()]
    rows = data.scan(data.version(version))
    measured = measure_anonymity(rows, columns, sensitive)
    text = [section("As it is", facts(_measured(measured)))]
    found = generalise(rows, columns, k, sensitive, least, suppress) if k else None
    if found:
        text.append(section(f"What makes it {k}-anonymous and loses least", _generalised(found)))
    if found and write:
        write_table(anonymise(rows, found, k, sensitive, least), write)
        text.append(f"{write}: {found.rows - found.suppressed:,} rows")
    emit({"measured": measured, "reached": found}, "\n\n".join(text), as_json=as_json)


def _measured(found: "Anonymity") -> dict[str, object]:
    return {
        "k": found.k,
        **({"l": found.l} if found.l is not None else {}),
        "classes": f"{found.classes:,} of {found.rows:,} rows",
        "alone": f"{found.alone:,} rows are a class by themselves",
        "risk": f"{found.risk:.1%} chance to pick the right row, on average",
    }


def _generalised(found: "Generalised") -> str:
    lines = [
        f"# {column} is left out" if step.rule is None else f"[clean.columns.{column}]\n{step.words()}"
        for column, step in found.steps.items()
        if step.words()
    ]
    left = found.suppressed > 0
    nothing = "no column: it is enough to leave rows out" if left else "nothing: it is so already"
    told = {
        "k": found.k,
        **({"l": found.l} if found.l is not None else {}),
        "left out": f"{found.suppressed:,} of {found.rows:,} rows{', by --write; rules leave none out' * left}",
        "loss": f"{found.loss:.0%} of the detail of these columns; {found.tried:,} ways were tried",
    }
    return "\n".join([*(lines or [f"# {nothing}"]), "", facts(told)])
