"""`heptad data prune`: versions give up their rows; what is new, named or needed keeps them."""

from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, confirm, emit, section, table

if TYPE_CHECKING:
    from heptad.lifecycle import Outlook

app = typer.Typer()


@app.command()
def prune(
    name: Annotated[str, typer.Argument(help="One data set; left out: all.", show_default=False)] = "",
    keep: Annotated[int, typer.Option(min=0, help="So many of the newest stay; 0: no rule.")] = 0,
    older_than: Annotated[str, typer.Option(help="Only older ones go, such as 90d.")] = "",
    reason: Annotated[str, typer.Option(help="A sentence that says why; else the rule.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Delete rows of old versions that nothing needs."""
    from heptad.core.identity import as_reason
    from heptad.project import open_project

    retention = open_project(project).lifecycle.retention
    rule = retention.rule(keep, older_than)
    reason = as_reason(reason) if reason else ""
    if dry_run:
        outlook = retention.look(rule, name)
        emit(outlook, _told(outlook, "to free"), as_json=as_json)
        return
    if not yes:
        outlook = retention.look(rule, name)
        typer.echo(_told(outlook, "to free"), err=True)
        confirm(f"Delete the rows of {_counted(outlook)} for good?", "Nothing was pruned.")
    done = retention.prune(rule, name, reason)
    emit(done, _told(done, "freed"), as_json=as_json)


def _told(outlook: "Outlook", freed: str) -> str:
    rows = [
        {
            "version": f"{one.name}@{one.version}",
            "made": one.at,
            "rows": one.rows,
            "": "goes" if one.goes else "stays",
            "why": "; ".join(one.reasons),
        }
        for one in outlook.versions
    ]
    size = f"{outlook.freed.bytes / 1e6:,.2f} MB, files of tables: {outlook.freed.files:,}"
    artifacts = f", artifacts: {outlook.freed.artifacts:,}" if outlook.freed.artifacts else ""
    online = f"; of the online store: {outlook.online / 1e6:,.2f} MB" if outlook.online else ""
    rule = f"Goes what is {outlook.rule.sentence}, and needed by nothing"
    return section(rule, f"{table(rows, empty='No version has rows.')}\n\n{freed}: {size}{artifacts}{online}")


def _counted(outlook: "Outlook") -> str:
    count = len(outlook.going)
    return "1 version" if count == 1 else f"{count:,} versions"
