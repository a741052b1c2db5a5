"""`heptad data dp-statistics`: figures with noise that hides each person, and the ledger of what they cost."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table

app = typer.Typer()


@app.command("dp-statistics")
def dp_statistics(
    version: Annotated[str, typer.Argument(help="A number, a tag, an id, or latest.")] = "latest",
    column: Annotated[list[str] | None, typer.Option(help="NAME=LOW:HIGH or NAME=A,B,C; again for more.")] = None,
    epsilon: Annotated[float, typer.Option(help="What these may cost together.")] = 0.1,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Tell figures with noise, or what is left of the budget."""
    from heptad.data import Statistics, wanted_of
    from heptad.project import open_project

    opened = open_project(project)
    settings, record = opened.config.privacy, opened.data.version(version)
    statistics = Statistics(opened.workspace, record.body.name, settings)
    if not column:
        spent = statistics.spent()
        left = max(settings.epsilon - spent, 0.0)
        emit(
            {"budget": settings.epsilon, "spent": spent, "left": left},
            facts({"budget": settings.epsilon, "spent": spent, "left": left}),
            as_json=as_json,
        )
        return
    told = statistics.tell(record, opened.data.scan(record), [wanted_of(one) for one in column], epsilon)
    body = told.body
    rows = [
        {"column": one.column, "figure": one.what, "value": one.value, "within": one.within} for one in body.figures
    ]
    costs = {"cost": body.epsilon, "spent": f"{statistics.spent():.4g} of {settings.epsilon:g}", "record": told.id}
    emit(told, f"{section('Figures', table(rows))}\n\n{facts(costs)}", as_json=as_json)
