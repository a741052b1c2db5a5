"""Commands that ask about everything: how it stands, why it is so, whether it can be rebuilt."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, table, wrapped

app = typer.Typer()


@app.command()
def status(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show the loop at a glance: what is live, how it does, what is pending."""
    from heptad.lifecycle import read_status
    from heptad.project import open_project

    state = read_status(open_project(project).workspace)
    steps = [
        {"": number, "step": one.step, "at": f"{one.at:%d %b %H:%M}" if one.at else "-", "what": one.sentence}
        for number, one in enumerate(state.steps, 1)
    ]
    text = [f"{state.project}  {state.now:%Y-%m-%d %H:%M} UTC", table(steps)]
    if state.alerts:
        text.append(section(f"{len(state.alerts)} alerts are open", wrapped(one.sentence for one in state.alerts[:5])))
    text.append(section("Pending", wrapped(state.pending)) if state.pending else "Nothing is pending.")
    emit(state, "\n\n".join(text), as_json=as_json)


@app.command()
def why(
    ref: Annotated[str, typer.Argument(help="A prediction, version, alert, plan, task, decision, or any record's id.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Walk back from a fact to what caused it."""
    from heptad.project import open_project

    answer = open_project(project).why(ref)
    chain = "\n".join(
        f"{one.at:%Y-%m-%d %H:%M}  {one.id}\n{wrapped([f'{one.role}: {one.sentence} ({one.actor})'], indent=18)}"
        for one in answer.chain
    )
    weights = [{"feature": name, "contribution": value} for name, value in answer.contributions.items()]
    text = [wrapped([answer.sentence]), chain]
    if weights:
        text.insert(1, section("What moved the score, from the average of the background", table(weights[:10])))
    emit(answer, "\n\n".join(text), as_json=as_json)


@app.command()
def reproduce(
    version: Annotated[str, typer.Argument(help="NAME@NUMBER, a number, or champion.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Train a version again from what is recorded of it, and say what differs."""
    from heptad.cli.progress import spinner
    from heptad.project import open_project

    with spinner(f"training {version} again", shown=not as_json):
        result = open_project(project).release.reproduce(version)
    emit(result, result.text(), as_json=as_json)


@app.command()
def events(
    verify: Annotated[bool, typer.Option("--verify", help="Check the whole chain for altered bytes.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Events at most, the newest.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the newest events, or verify the chain of all of them."""
    from heptad.core import events as log
    from heptad.project import open_project

    store = open_project(project).workspace.store
    if verify:
        count = log.verify(store)
        emit({"verified": count}, f"All {count:,} events are what was written.", as_json=as_json)
        return
    newest = log.newest(store, limit)
    rows = [
        {"": one.position, "at": one.at, "event": one.kind, "subject": one.subject, "actor": one.actor}
        for one in newest
    ]
    emit(newest, table(rows), as_json=as_json)
