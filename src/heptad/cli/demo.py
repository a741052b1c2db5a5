"""`heptad demo`: a year of flights through the whole loop, watched live."""

import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from heptad.cli.output import JsonOption, emit, section, table

app = typer.Typer()
START = datetime(2013, 4, 1, 4, tzinfo=UTC)
"""Midnight in New York: the first quarter is over."""
END = datetime(2014, 1, 1, 5, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
SINGLES = 1000


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where the project is made, or goes on.")] = Path("heptad-demo"),
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Play only until this day.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Play a year of flights through all seven steps, live.

    Interrupted, it goes on where it was.
    """
    import msgspec

    from heptad.cli.live import watching
    from heptad.core.errors import InputError
    from heptad.core.files import write_atomically
    from heptad.project import open_rehearsal

    began = time.perf_counter()
    end = min(END, until.replace(tzinfo=NEW_YORK).astimezone(UTC)) if until else END
    if end <= START:
        first = f"{START.astimezone(NEW_YORK) + timedelta(days=1):%Y-%m-%d}"
        raise InputError("Nothing would be played.", allowed=f"--until {first}, or a later day")
    project = open_rehearsal(folder, "flights", START)
    weeks = math.ceil((end - START) / timedelta(weeks=1))
    with watching("a year of flights leaving New York", weeks, shown=not as_json) as watch:
        played = project.rehearse(START, end, SINGLES, watch)
    observed = {"seconds": round(time.perf_counter() - began, 1), **played.observed}
    summary = {"result": played.summary.result(), "observed": observed}
    write_atomically(folder / "report.html", played.report.encode())
    write_atomically(folder / "summary.json", msgspec.json.format(msgspec.json.encode(summary), indent=2))
    emit(summary, _closing(played.summary.table(), observed, folder), as_json=as_json)


def _closing(rows: list[dict[str, object]], observed: dict[str, object], folder: Path) -> str:
    """The table by month, what it cost, and where to look next."""
    look = [
        f"{folder}/report.html      the year as one page",
        f"heptad status -p {folder}",
        f"heptad lifecycle plans -p {folder}",
        f"heptad why champion -p {folder}",
    ]
    cost = f"{observed['seconds']} s, {observed['peak_rss_mb']} MB at most in all processes"
    return "\n\n".join([table(rows), cost, section("Look further", "\n".join(look))])
