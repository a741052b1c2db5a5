"""`heptad data quarantine list|show|release|released`: rows that the latest collection set aside, and the way back."""

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

    aside = open_project(project).data.quarantine.rows()
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
    """Show rows that a rule set aside, as they were when it did, with their ids."""
    import msgspec

    from heptad.core.errors import NotFoundError
    from heptad.project import open_project

    quarantine = open_project(project).data.quarantine
    found = quarantine.rows(rule).head(limit).collect(engine="streaming")
    if found.is_empty():
        known = quarantine.rows().select("rule").unique().collect(engine="streaming")["rule"].to_list()
        raise NotFoundError("rule with rows in quarantine", rule, known)
    rows = [{"quarantine_id": one["id"], **msgspec.json.decode(one["row"])} for one in found.to_dicts()]
    emit(rows, table(rows, empty=""), as_json=as_json)


@group.command()
def release(
    rows: Annotated[list[str], typer.Argument(help="Ids of rows, as `heptad data quarantine show` lists them.")],
    reason: Annotated[str, typer.Option(help="Why they belong into the table.", show_default=False)],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let rows into the next version until their content changes."""
    from heptad.project import open_project

    made = open_project(project).data.quarantine.release(rows, reason)
    count = len(made.body.rows) if made else 0
    text = f"{count:,} {'row comes' if count == 1 else 'rows come'} back in the next version, which heptad run makes."
    emit({"released": count}, text if count else "They are released already.", as_json=as_json)


@group.command()
def released(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the rows that were released, by whom and why, newest first."""
    from heptad.project import open_project

    rows = [
        {"id": one.row, "rule": one.rule, "at": record.at, "by": record.actor, "reason": record.body.reason}
        for record in open_project(project).data.quarantine.released()
        for one in record.body.rows
    ]
    emit(rows, table(rows, empty="No row is released."), as_json=as_json)
