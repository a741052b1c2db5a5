"""`heptad data stream land|list|poison`: streams land in their tables, each message once."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, table

app = typer.Typer()
group = typer.Typer(help="Streams: land them, and see what landed and what did not.")
app.add_typer(group, name="stream")
_SHOWN = 80
"""So many signs of a message are shown."""
Name = Annotated[str, typer.Argument(help="The NAME of [sources.NAME]; empty: the only stream.", show_default=False)]


@group.command()
def land(
    name: Name = "",
    until_now: Annotated[bool, typer.Option("--until-now", help="Stop when what is waiting now has landed.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="Stop after so many seconds.")] = None,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on where messages are gone from the broker.")
    ] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Land a stream in its table, each message once, until stopped."""
    import signal
    import threading

    from heptad.cli.progress import counting
    from heptad.data import Landed, Until
    from heptad.project import open_project

    streams = open_project(project).data.streams
    name, stop = streams.named(name), threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stop.set())
    with counting(f"landing {name}", shown=not as_json) as count:

        def tell(landed: Landed) -> None:
            for what, more in (("rows", landed.rows), ("poison", landed.poison), ("repeated", landed.repeated)):
                if more:
                    count(what, more)

        landed = streams.land(name, Until(now=until_now, seconds=seconds, stop=stop), tell, accept_loss=accept_loss)
    text = f"{name}: {landed.rows:,} rows landed, {landed.repeated:,} left out that had landed before"
    if landed.poison:
        text += f",\n{landed.poison:,} in quarantine: heptad data stream poison {name}"
    emit(landed, text, as_json=as_json)


@group.command("list")
def list_streams(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the streams: how many rows landed, and where."""
    from heptad.project import open_project

    states = open_project(project).data.streams.states()
    rows = [
        {"stream": one.name, "rows": one.rows, "poison": one.poison, "from": one.where, "table": one.table}
        for one in states
    ]
    empty = 'No stream. Name one: [sources.NAME] uri = "kafka://HOST:PORT/TOPIC"'
    emit(states, table(rows, empty=empty), as_json=as_json)


@group.command()
def poison(
    name: Name = "",
    limit: Annotated[int, typer.Option(min=1, help="Messages at most.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show messages in quarantine, newest first, each with its reason."""
    from heptad.project import open_project

    found = open_project(project).data.streams.poison(name).head(limit).collect(engine="streaming")
    rows = [
        {
            "position": f"{row['stream_partition']}:{row['stream_position']}",
            "time": row["stream_time"],
            "reason": row["reason"],
            "payload": row["payload"].decode(errors="backslashreplace"),
        }
        for row in found.iter_rows(named=True)
    ]
    shown = [row | {"payload": _shortened(row["payload"])} for row in rows]
    emit(rows, table(shown, empty="No message is in quarantine."), as_json=as_json)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text):,} signs; --json shows all)"
