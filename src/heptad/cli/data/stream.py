"""`heptad data stream land|list|poison|release`: streams land in their tables, each message once."""

from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, table, wrapped

if TYPE_CHECKING:
    from heptad.data import ViewOnline

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
    parent: Annotated[int, typer.Option(hidden=True, help="End with this process, which started this one.")] = 0,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Land a stream, each message once, until stopped.

    Its feature views with stream = true are brought online with it.
    """
    import signal
    import threading

    from heptad.cli.progress import counting
    from heptad.core.parent import end_with_parent
    from heptad.data import Landed, Until
    from heptad.project import open_project

    if parent:
        end_with_parent(parent)
    data, stop = open_project(project).data, threading.Event()
    name = data.streams.named(name)
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stop.set())
    with counting(f"landing {name}", shown=not as_json) as count:

        def tell(landed: Landed) -> None:
            for what, more in (("rows", landed.rows), ("poison", landed.poison), ("repeated", landed.repeated)):
                if more:
                    count(what, more)

        landed = data.land(name, Until(now=until_now, seconds=seconds, stop=stop), tell, accept_loss=accept_loss)
    text = f"{name}: {landed.rows:,} rows landed, {landed.repeated:,} left out that had landed before"
    if landed.poison:
        text += f",\n{landed.poison:,} in quarantine: heptad data stream poison {name}"
    text = "\n".join([text, *(_told_of(one) for one in landed.online)])
    emit(landed, text, as_json=as_json)


def _told_of(one: "ViewOnline") -> str:
    if one.problem:
        return f"{one.view or 'features'} stays behind: {one.problem}"
    left_out = f", {one.left_out:,} left out without a key or a time that can be read" if one.left_out else ""
    return f"{one.view}: {one.rows:,} rows online{_fresh(one)}{left_out}"


def _fresh(one: "ViewOnline") -> str:
    if one.delay_p50 is None or one.delay_p99 is None:
        return ""
    return f", {one.delay_p50:.2f} s after they were sent (99%: {one.delay_p99:.2f} s)"


@group.command("list")
def list_streams(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the streams: how many rows landed, and where."""
    from heptad.project import open_project

    states = open_project(project).data.streams.states()
    rows = [
        {
            "stream": one.name,
            "landed by": one.last.pid if one.landing and one.last else "somebody" if one.landing else "nobody",
            "rows": one.rows,
            "poison": one.poison,
            "from": one.where,
            "table": one.table,
        }
        for one in states
    ]
    empty = 'No stream. Name one: [sources.NAME] uri = "kafka://HOST:PORT/TOPIC"'
    views = [wrapped([_told_of(view)]) for one in states if one.last for view in one.last.online]
    emit(states, "\n".join([table(rows, empty=empty), *views]), as_json=as_json)


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


@group.command()
def release(
    reason: Annotated[str, typer.Option(help="What was mended, or why they belong there.", show_default=False)],
    name: Name = "",
    positions: Annotated[
        list[str] | None, typer.Argument(help="Messages, as `poison` lists them; none: all.", show_default=False)
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Land messages of the quarantine that can be read by now.

    The others stay, with the reason of now.
    """
    from heptad.project import open_project

    data = open_project(project).data
    name = data.streams.named(name)
    done = data.release(name, reason, positions or ())
    text = f"{name}: {done.rows:,} rows landed, {done.repeated:,} left out that had landed before"
    if done.poison:
        text += f",\n{done.poison:,} still in quarantine: heptad data stream poison {name}"
    emit({"rows": done.rows, "repeated": done.repeated, "left": done.poison}, text, as_json=as_json)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text):,} signs; --json shows all)"
