"""`heptad release`: versions, who is champion, and who decided that."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table

app = typer.Typer(help="Step 4: versions and decisions.", no_args_is_help=True)
Version = Annotated[str, typer.Argument(help="A number, NAME@NUMBER, champion, or an id.")]
Reason = Annotated[str, typer.Option(help="A sentence that says why, for whoever asks later.")]


@app.command("list")
def list_versions(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the versions, newest first, with their aliases."""
    from heptad.project import open_project

    versions = open_project(project).release.list()
    rows = [
        {
            "version": one.body.label,
            "aliases": ", ".join(sorted(one.aliases)) or "-",
            "estimator": one.body.estimator,
            one.body.metric: one.body.value,
            "made": one.at,
            "id": one.id,
        }
        for one in versions
    ]
    emit(versions, table(rows, empty="No version yet. Make one: heptad run"), as_json=as_json)


@app.command()
def show(version: Version = "champion", project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show a version: the gates it passed, and its model card."""
    from heptad.core import graph
    from heptad.project import open_project
    from heptad.release import Decision

    opened = open_project(project)
    record = opened.release.version(version)
    decision = graph.load(opened.workspace, record.body.decision, Decision)
    overview = {
        "version": f"{record.body.label}  {record.id}",
        "aliases": ", ".join(sorted(record.aliases)) or "-",
        "made": f"{record.at:%Y-%m-%d %H:%M} by {record.actor}",
        "package": record.body.package,
    }
    gates = "\n".join(f"{'holds' if gate.passed else 'fails'}  {gate.sentence}" for gate in decision.body.gates)
    card = opened.release.package(record).card
    emit(record, "\n\n".join([facts(overview), section("Gates", gates), section("Card", card)]), as_json=as_json)


@app.command()
def promote(version: Version, reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Make a version the champion and let it answer."""
    from heptad.project import open_project

    opened = open_project(project)
    deployment = opened.lifecycle.promote(opened.release.version(version), reason)
    emit(
        deployment,
        f"{deployment.body.routes[0].label} is champion (generation {deployment.body.generation})",
        as_json=as_json,
    )


@app.command()
def approve(version: Version, reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Approve of a version in your own name."""
    from heptad.project import open_project

    record = open_project(project).release.approve(version, reason)
    emit(record, f"approved {record.body.label}", as_json=as_json)


@app.command()
def rollback(reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Make the previous champion the champion again and let it answer."""
    from heptad.project import open_project

    deployment = open_project(project).lifecycle.rollback(reason)
    emit(
        deployment,
        f"{deployment.body.routes[0].label} is champion (generation {deployment.body.generation})",
        as_json=as_json,
    )
