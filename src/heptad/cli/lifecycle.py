"""`heptad lifecycle`: plans, and what came of them."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table

app = typer.Typer(help="Step 7: plans.", no_args_is_help=True)


@app.command()
def plans(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the plans, newest first."""
    from heptad.project import open_project

    found = open_project(project).lifecycle.plans()
    rows = [
        {
            "plan": one.id,
            "begun": f"{one.at:%Y-%m-%d}",
            "outcome": one.attributes.get("outcome") or one.attributes.get("stage"),
            "why": one.body.triggers[0].sentence,
        }
        for one in found
    ]
    emit(found, table(rows, empty="No plan yet: nothing was due."), as_json=as_json)


@app.command()
def show(
    plan: Annotated[str, typer.Argument(help="Id of a plan.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show a plan: what started it, what was trained, what was decided and why."""
    from heptad.core import graph
    from heptad.lifecycle import Plan, why_record
    from heptad.project import open_project

    workspace = open_project(project).workspace
    record = graph.load(workspace, plan, Plan)
    overview = {
        "plan": record.id,
        "begun": record.at,
        "stage": record.attributes.get("stage"),
        "outcome": record.attributes.get("outcome"),
        "reason": record.attributes.get("reason"),
    }
    why = "\n".join(trigger.sentence for trigger in record.body.triggers)
    chain = [
        {"role": one.role, "at": f"{one.at:%Y-%m-%d}", "id": one.id, "": one.sentence}
        for one in why_record(workspace, plan).chain
    ]
    emit(record, "\n\n".join([facts(overview), section("Why", why), section("Chain", table(chain))]), as_json=as_json)
