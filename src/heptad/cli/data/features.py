"""`heptad data features ...` and `heptad data parity`: views applied, brought online, read, compared."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table, wrapped

if TYPE_CHECKING:
    from heptad.data import Features, ParityDifference, ViewChange

app = typer.Typer()
group = typer.Typer(help="Feature views: what is declared, in force, online.")
app.add_typer(group, name="features")

Names = Annotated[list[str] | None, typer.Argument(help="Views; none: all in force.", show_default=False)]


@group.command("list")
def list_views(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the views, and how far the online store is."""
    views = _features(project).status()
    rows = [
        {
            "view": one.name,
            "version": one.version,
            "by": ", ".join(one.entities),
            "online until": one.until,
            "state": one.state,
            "features": ", ".join(one.features),
        }
        for one in views
    ]
    emit(views, table(rows, empty="No view. Declare one: [features.NAME]"), as_json=as_json)


@group.command()
def apply(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this the difference is only shown.")] = False,
    reason: Annotated[str, typer.Option(help="Why a view that is in use may go.", show_default=False)] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show what applying the views would change; with --yes do it."""
    features = _features(project)
    plan = features.plan()
    changes = [_told(change) for change in plan.to_do()]
    if not changes:
        emit(plan, "Nothing to do: what is declared is in force.", as_json=as_json)
        return
    done = bool(yes and features.apply(plan, reason) is not None)
    last = "Done." if done else "Nothing was changed. To do it: heptad data features apply --yes"
    emit({"plan": plan, "applied": done}, "\n".join([*changes, "", last]), as_json=as_json)


def _told(change: "ViewChange") -> str:
    """One change as lines: what, how, and whom it concerns."""
    sign = {"add": "+", "change": "~", "remove": "-"}[change.action]
    lines = [f"{sign} {change.name}"]
    if change.action == "add" and change.after:
        names = ", ".join(one.name for one in change.after.features)
        lines.append(f"    by {', '.join(one.name for one in change.after.entities) or 'nothing'}: {names}")
    lines += [f"    {one.field}: {one.before} -> {one.after}" for one in change.differences]
    if change.action == "change" and change.remakes_rows:
        lines.append("    its rows in the online store are made anew by the next materialise")
    lines += [f"    used by {user.label}{' (live)' if user.is_live else ''}" for user in change.users]
    return wrapped(lines)


@group.command()
def users(
    name: Annotated[str, typer.Argument(help="A view.")], project: ProjectOption = HERE, as_json: JsonOption = False
) -> None:
    """List what was made with a view."""
    found = _features(project).registry.users(name)
    rows = [{"what": one.kind, "live": one.is_live, "id": one.id, "label": one.label} for one in found]
    emit(found, table(rows, empty=f"Nothing was made with {name}."), as_json=as_json)


@group.command()
def materialise(
    names: Names = None,
    until: Annotated[str, typer.Option(help="A moment in ISO 8601 with its zone; now.", show_default=False)] = "",
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Look at everything again, not only at what is new.")
    ] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Bring what became known into the online store."""
    from heptad.cli.progress import progress

    features, moment = _features(project), _moment(until)
    done = []
    wanted = list(names or features.registry.in_force())
    with progress("materialise", shown=not as_json) as tell:
        for place, name in enumerate(wanted):
            tell(name, place / len(wanted))
            done += features.materialise([name], moment, afresh=afresh)
    rows = [
        {"view": one.view, "entities": one.entities, "removed": one.removed, "since": one.since, "until": one.until}
        for one in done
    ]
    emit(done, table(rows, empty="No view is in force. Apply some: heptad data features apply"), as_json=as_json)


@group.command()
def read(
    keys: Annotated[list[str], typer.Argument(help="The entity: COLUMN=VALUE, one for each key.")],
    feature: Annotated[
        list[str] | None, typer.Option(help="VIEW or VIEW:FEATURE, may be repeated; none: all.", show_default=False)
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Read the newest features of an entity."""
    entity = _entity(keys)
    row = _features(project).reader(*(feature or ())).read(entity)
    fresh = [
        {"view": one.view, "state": one.state, "seconds old": one.age, "event": one.event_time} for one in row.freshness
    ]
    text = "\n\n".join([facts(row.as_dict()), section("Freshness", table(fresh))])
    emit({"values": row.as_dict(), "freshness": row.freshness}, text, as_json=as_json)


@group.command()
def join(
    entities: Annotated[Path, typer.Argument(help="A CSV or Parquet file with keys and times.")],
    out: Annotated[Path, typer.Argument(help="The file to write: .parquet, .csv, .jsonl or .arrow.")],
    time: Annotated[str, typer.Option(help="The column with each row's time.", show_default=False)] = "",
    view: Annotated[list[str] | None, typer.Option(help="May be repeated; none: all.", show_default=False)] = None,
    memory: Annotated[int, typer.Option(min=0, help="Megabytes to hold at once; 0: what this machine gives.")] = 0,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write the rows of a file with the features known then."""
    from heptad.cli.progress import progress
    from heptad.cli.tables import check_ending, write_table
    from heptad.data import read_entities
    from heptad.project import open_project

    check_ending(out)
    opened = open_project(project)
    rows = read_entities(entities, time, opened.config.project.timezone)
    with progress("join", shown=not as_json) as tell:
        tell(entities.name, 0.0)
        joined = opened.data.features.training_set(rows, time=time, views=view or (), memory=memory << 20)
        names = joined.collect_schema().names()
        write_table(joined, out)
    done = {"file": str(out), "columns": names}
    emit(done, f"{out}: {len(names)} columns", as_json=as_json)


@group.command()
def leaks(
    version: Annotated[str, typer.Argument(help="A number, an id, or latest.")] = "latest",
    holdout: Annotated[int, typer.Option(min=1, max=90, help="Percent of the rows that are judged on.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Look for what a version tells that a model will not know."""
    from heptad.data import training_set_of
    from heptad.project import open_project

    opened = open_project(project)
    record = opened.data.version(version)
    rows, seed = opened.data.scan(record), opened.config.project.seed
    found = opened.data.features.leaks(training_set_of(record.body, rows, holdout / 100, seed))
    shown = [f"{'ok' if one.passed else one.severity}: {one.sentence}" for one in found]
    emit(found, wrapped(shown), as_json=as_json)


@app.command()
def parity(
    names: Names = None,
    entities: Annotated[int, typer.Option(min=1, help="Entities of each view, always the same ones.")] = 200,
    moments: Annotated[int, typer.Option(min=1, help="Moments of their history to replay.")] = 5,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Replay a sample offline and online, and compare."""
    from heptad.cli.progress import progress

    features = _features(project)
    found = []
    wanted = list(names or features.registry.in_force())
    with progress("parity", shown=not as_json) as tell:
        for place, name in enumerate(wanted):
            tell(name, place / len(wanted))
            found += features.parity([name], entities, moments)
    rows = [
        {
            "view": one.view,
            "entities": one.entities,
            "moments": len(one.moments),
            "compared": one.compared,
            "different": one.different,
            "online until": one.stored_until,
        }
        for one in found
    ]
    first = [_said(one.view, difference) for one in found for difference in one.first]
    parts = [table(rows, empty="No view is in force. Apply some: heptad data features apply")]
    emit(
        found,
        "\n\n".join([*parts, *([section("First differences", wrapped(first))] if first else [])]),
        as_json=as_json,
    )
    if first:
        raise typer.Exit(1)


def _said(view: str, one: "ParityDifference") -> str:
    entity = ", ".join(f"{key} {value!r}" for key, value in one.entity.items())
    values = f"offline {one.offline!r}, online {one.online!r}"
    return f"{view} {one.where}: {one.feature} of {entity} at {one.at:%Y-%m-%d %H:%M:%S}: {values}"


def _features(project: Path) -> "Features":
    from heptad.project import open_project

    return open_project(project).data.features


def _entity(keys: list[str]) -> dict[str, str]:
    from heptad.core.errors import InputError

    entity = {}
    for one in keys:
        name, sign, value = one.partition("=")
        if not (name and sign):
            raise InputError(f"{one!r} names no key.", allowed="COLUMN=VALUE")
        entity[name] = value
    return entity


def _moment(text: str) -> Any:
    """A moment in UTC, `None` for an empty text."""
    from datetime import UTC, datetime

    from heptad.core.errors import InputError

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - without a zone it is refused just below
    if moment.tzinfo is None:
        raise InputError(f"{text!r} is no moment.", allowed="ISO 8601 with a zone, such as 2026-01-31T12:00:00Z")
    return moment.astimezone(UTC)
