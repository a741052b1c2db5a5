"""Commands that ask about everything: how it stands, why it is so, whether it can be rebuilt."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, shown, table, wrapped

if TYPE_CHECKING:
    from heptad.data import StreamState
    from heptad.lifecycle import Reason, Why

app = typer.Typer()
MOST_ALERTS = 5
MOST_FEATURES = 10


@app.command()
def status(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Show the loop at a glance: what is live, what waits."""
    from heptad.config import has_table, read_config
    from heptad.data import is_stream
    from heptad.lifecycle import read_status
    from heptad.project import find_workspace, open_project

    workspace, _ = find_workspace(project, begin=False)
    sources = read_config(workspace.root).sources if has_table(workspace.root) else {}
    # Whether anything lands is only asked where something may: that loads what reads tables.
    lands = any(is_stream(one.uri) for one in sources.values())
    state = read_status(workspace, open_project(workspace.root).data.streams.states() if lands else ())
    steps = [
        {"": number, "step": one.step, "at": f"{one.at:%Y-%m-%d %H:%M}" if one.at else None, "what": one.sentence}
        for number, one in enumerate(state.steps, 1)
    ]
    text = [f"{state.project}, {state.now:%Y-%m-%d %H:%M} UTC", table(steps)]
    if state.streams:
        text.append(section("Streams", table([_stream(one) for one in state.streams])))
    if state.alerts:
        told = [f"{one.sentence} ({one.id})" for one in state.alerts[:MOST_ALERTS]]
        more = len(state.alerts) - len(told)
        told += [f"and {more} more: heptad monitoring show"] * (more > 0)
        text.append(section(f"{len(state.alerts)} alerts are open", wrapped(told)))
    text.append(section("Pending", wrapped(state.pending)) if state.pending else "Nothing is pending.")
    emit(state, "\n\n".join(text), as_json=as_json)


def _stream(one: "StreamState") -> dict[str, object]:
    """One stream in a line; freshness is that of the view which is furthest behind."""
    delays = [view.delay_p99 for view in one.last.online if view.delay_p99 is not None] if one.last else []
    return {
        "stream": one.name,
        "state": "landing" if one.landing else "nobody lands it",
        "rows": one.rows,
        "poison": one.poison,
        "said": f"{one.last.at:%Y-%m-%d %H:%M:%S}" if one.last and one.last.at else None,
        "online after, 99%": f"{max(delays):.2f} s" if delays else None,
    }


@app.command()
def why(
    ref: Annotated[
        str, typer.Argument(help="A prediction, version, alert, plan, decision, task FLOW/TASK, or any record's id.")
    ],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Walk back from a fact to what caused it."""
    from heptad.lifecycle import why_so
    from heptad.project import find_workspace

    workspace, config = find_workspace(project, begin=False)
    answer = why_so(workspace, ref, config.project.seed)
    text = [wrapped([answer.sentence])]
    if answer.contributions:
        text.append(section(f"What moved the score from the usual {answer.base:.4g}", _contributions(answer)))
    text.append(section("Why", _chain(answer.chain)))
    if answer.followed:
        text.append(section("What came of it", _chain(answer.followed)))
    emit(answer, "\n\n".join(text), as_json=as_json)


def _contributions(answer: "Why") -> str:
    """The weightiest inputs with their values, and the rest in one line."""
    weights = list(answer.contributions.items())
    rows = [
        {"added": f"{weight:+.4f}", "input": name, "value": shown(answer.inputs.get(name))}
        for name, weight in weights[:MOST_FEATURES]
    ]
    rest = weights[MOST_FEATURES:]
    if rest:
        rows.append({"added": f"{sum(weight for _, weight in rest):+.4f}", "input": f"{len(rest)} others", "value": ""})
    return table(rows)


def _chain(reasons: "Sequence[Reason]") -> str:
    return "\n".join(
        f"{one.at:%Y-%m-%d %H:%M}  {one.id}  by {one.actor}\n{wrapped([f'{one.role}: {one.sentence}'], indent=4)}"
        for one in reasons
    )


@app.command()
def reproduce(
    version: Annotated[str, typer.Argument(help="NAME@NUMBER, a number, or champion.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Train a version again from its records; say what differs."""
    from heptad.cli.progress import progress
    from heptad.project import open_project

    with progress(f"reproducing {version}", shown=not as_json) as tell:
        result = open_project(project).release.reproduce(version, tell)
    emit(result, result.text(), as_json=as_json)
    if not result.identical:
        raise typer.Exit(1)


@app.command()
def events(
    verify: Annotated[bool, typer.Option("--verify", help="Check the whole chain for altered bytes.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Events at most, the newest.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the newest events, or verify all of them."""
    from heptad.core.events import verify as verify_chain
    from heptad.lifecycle import newest_events
    from heptad.project import find_workspace

    workspace, _ = find_workspace(project, begin=False)
    if verify:
        count = verify_chain(workspace.store)
        emit({"verified": count}, f"All {count:,} events are what was written.", as_json=as_json)
        return
    newest = newest_events(workspace, limit)
    rows = [
        {"": one.position, "at": one.at, "subject": one.subject, "event and actor": f"{one.kind} by {one.actor}"}
        for one in newest
    ]
    emit(newest, table(rows), as_json=as_json)
