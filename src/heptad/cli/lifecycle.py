"""`heptad lifecycle`: plans, and what came of them."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table, wrapped

app = typer.Typer(help="Step 7: plans, and what came of them.")


@app.command()
def plans(
    limit: Annotated[int, typer.Option(min=1, help="Plans at most.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the plans, newest first."""
    from heptad.cli.reading import newest_records
    from heptad.lifecycle import Plan
    from heptad.project import open_project

    found = newest_records(open_project(project).workspace, Plan, limit)
    rows = [
        {
            "plan": one.id,
            "begun": f"{one.at:%Y-%m-%d}",
            "outcome": one.attributes.get("outcome") or one.attributes.get("stage"),
            "begun since": one.body.triggers[0].sentence,
        }
        for one in found
    ]
    emit(found, table(rows, empty="No plan yet: nothing was due."), as_json=as_json)


@app.command()
def show(
    plan: Annotated[str, typer.Argument(help="Id of a plan, or latest.")] = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show a plan: what started it, what was done, how it ended."""
    from heptad.cli.reading import record_named
    from heptad.lifecycle import Plan, why_recorded
    from heptad.project import open_project

    workspace = open_project(project).workspace
    record = record_named(workspace, Plan, plan, "plans begin when something is due: heptad up")
    overview = {
        "plan": record.id,
        "begun": f"{record.at:%Y-%m-%d %H:%M} by {record.actor}",
        "strategy": f"{record.body.strategy}, trained on {', '.join(record.body.windows)}",
        "stage": record.attributes.get("stage"),
        "outcome": record.attributes.get("outcome"),
        "reason": record.attributes.get("reason"),
    }
    told = why_recorded(workspace, record.id)
    followed = told.followed if told else []
    done = [{"at": one.at, "what": f"{one.sentence} ({one.id})"} for one in followed]
    text = [facts(overview), section("Begun since", wrapped(one.sentence for one in record.body.triggers))]
    text.append(section("What was done", table(done, empty="nothing yet")))
    emit({"plan": record, "done": followed}, "\n\n".join(text), as_json=as_json)
