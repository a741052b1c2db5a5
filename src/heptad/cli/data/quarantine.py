"""`heptad data quarantine list|show`: the rows that the latest collection set aside."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, table

app = typer.Typer()
group = typer.Typer(help="The rows that the latest collection set aside.")
app.add_typer(group, name="quarantine")


@group.command("list")
def list_rules(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the rules that set rows aside, with how many."""
    import polars as pl

    from heptad.project import open_project

    aside = open_project(project).data.quarantine()
    counted = aside.group_by("rule").agg(pl.len().alias("rows")).sort("rows", "rule", descending=[True, False])
    rows = counted.collect(engine="streaming").to_dicts()
    emit(rows, table(rows, empty="No row is set aside."), as_json=as_json)


@group.command()
def show(
    rule: Annotated[str, typer.Argument(help="The rule, as `heptad data quarantine list` names it.")],
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show rows that a rule set aside, as they were when it did."""
    import msgspec

    from heptad.core.errors import NotFoundError
    from heptad.project import open_project

    data = open_project(project).data
    found = data.quarantine(rule).head(limit).collect(engine="streaming")
    if found.is_empty():
        known = data.quarantine().select("rule").unique().collect(engine="streaming")["rule"].to_list()
        raise NotFoundError("rule with rows in quarantine", rule, known)
    rows = [msgspec.json.decode(row) for row in found["row"]]
    emit(rows, table(rows, empty=""), as_json=as_json)
