"""`heptad release`: versions, who is champion, and who decided that."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table, wrapped

if TYPE_CHECKING:
    from heptad.core.records import Record
    from heptad.serving import Deployment

app = typer.Typer(help="Step 4: versions and decisions.")
Version = Annotated[str, typer.Argument(help="A number, NAME@NUMBER, champion, or an id.")]
Reason = Annotated[str, typer.Option(help="A sentence that says why, for whoever asks later.")]


@app.command("list")
def list_versions(
    limit: Annotated[int, typer.Option(min=1, help="Versions at most.")] = 30,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the versions, newest first, with their aliases."""
    from heptad.project import open_project
    from heptad.release import newest_versions, version_line

    versions = newest_versions(open_project(project).workspace, limit)
    rows = [
        {
            "version": line.version,
            "registered": f"{one.at:%Y-%m-%d}",
            "estimator": line.estimator,
            **({line.metric: line.value} if line.metric else {}),
            "status": f"external, {line.aliases}".rstrip(", ")
            if line.status == "external"
            else line.aliases or line.status,
        }
        for one in versions
        for line in [version_line(one)]
    ]
    emit(versions, table(rows, empty="No version yet. Make one: heptad run"), as_json=as_json)


@app.command()
def show(
    version: Version = "champion",
    card: Annotated[Path | None, typer.Option(help="Write the model card to this .html or .md file.")] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show a version: facts, gates, what was done to it, its card."""
    from heptad.cli.documents import document_text, write_document
    from heptad.project import open_project
    from heptad.release import (
        decision_lines,
        external_facts,
        find_version,
        history_lines,
        show_version,
        version_facts,
    )

    opened = open_project(project)
    found = find_version(opened.workspace, version)
    if found.body.origin == "external":
        emit(found, facts(dict(external_facts(found))), as_json=as_json)
        return
    details = show_version(opened.workspace, opened.config.project.about, version)
    if card:
        write_document(details.card, card)
    text = [
        facts(dict(version_facts(details))),
        section("Gates", wrapped(decision_lines(details.decision.body))),
        section("History", wrapped(history_lines(details.history))),
        document_text(details.card),
    ]
    emit(details, "\n\n".join(text), as_json=as_json)


@app.command()
def adopt(version: Version, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Hold a model that a client registered against the gates."""
    from heptad.project import open_project
    from heptad.release import decision_lines

    adoption = open_project(project).adopt(version)
    label = adoption.version.body.label if adoption.version else "none: refused"
    text = [
        facts({"version": label, "candidate": adoption.candidate.id, "decision": adoption.decision.body.reason}),
        section("Gates", wrapped(decision_lines(adoption.decision.body))),
        section("Noted", wrapped(adoption.candidate.body.notes)),
    ]
    if adoption.version:
        text.append(wrapped([f"Make it champion: heptad release promote {label} --reason '...'"]))
    emit(adoption, "\n\n".join(text), as_json=as_json)
    if adoption.version is None:
        raise typer.Exit(1)


@app.command()
def promote(version: Version, reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Make a version the champion and let it answer."""
    from heptad.project import open_project

    opened = open_project(project)
    deployment = opened.lifecycle.promote(opened.release.version(version), reason)
    emit(deployment, _now_champion(deployment), as_json=as_json)


@app.command()
def approve(version: Version, reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Approve of a version in your own name."""
    from heptad.project import open_project

    record = open_project(project).release.approve(version, reason)
    emit(record, f"approved {record.body.label}", as_json=as_json)


@app.command()
def rollback(reason: Reason, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Make the champion before this one champion again."""
    from heptad.project import open_project

    deployment = open_project(project).lifecycle.rollback(reason)
    emit(deployment, _now_champion(deployment), as_json=as_json)


def _now_champion(deployment: "Record[Deployment]") -> str:
    return f"{deployment.body.routes[0].label} is champion (generation {deployment.body.generation})"
