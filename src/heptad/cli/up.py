"""`heptad up`: offers the API, serves the champion and keeps the loop turning, until it is told to stop."""

import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit

if TYPE_CHECKING:
    from pathlib import Path

    from heptad.lifecycle import Happening
    from heptad.release import Package
    from heptad.serving import SupervisedServer

app = typer.Typer()
TURN = timedelta(seconds=5)
"""How often the loop looks whether something is due."""
RESTART_SECONDS = 30.0
"""A server that does not answer for so long is given up; one that was killed is back sooner."""
_WORD = "example"


@app.command()
def up(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the API, 0: any free one; else [api] port.")
    ] = None,
    serve_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of predictions; else [deploy] port.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that answer predictions.")] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Serve the API and the champion, and turn the loop.

    MLflow clients log to the port of the API. Without a released model there is only that, in any folder.
    """
    from heptad.core.clock import FileClock
    from heptad.project import open_root

    workspace = open_root(project)
    clock = str(workspace.clock.path) if isinstance(workspace.clock, FileClock) else ""
    with _until_stopped(), _start_api(workspace.root, workspace.folder, port, clock) as api:
        if not _has_model(workspace.root):
            text = f"{api_lines(api.url)}No model is released here yet, so none is served: heptad init, heptad run."
            emit({"api": api.url}, f"{text}\nStop it with Ctrl-C.\n", as_json=as_json)
            while _answers(api):
                time.sleep(1.0)
        else:
            _serve(api, project, serve_port, workers, as_json=as_json)


def _start_api(root: "Path", folder: "Path", port: int | None, clock: str) -> "SupervisedServer":
    from heptad.api.process import start_api
    from heptad.api.settings import ApiOptions
    from heptad.config import read_folder_config

    said = read_folder_config(root).api
    options = ApiOptions(
        root=str(root), host=said.host, port=said.port if port is None else port, workers=said.workers, clock=clock
    )
    return start_api(options, folder / "api.log")


def _has_model(root: "Path") -> bool:
    from heptad.config import has_table
    from heptad.project import open_project

    return has_table(root) and open_project(root).release.champion() is not None


def _serve(api: "SupervisedServer", project: "Path", port: int | None, workers: int | None, *, as_json: bool) -> None:
    from heptad.core.clock import FileClock
    from heptad.lifecycle import Worker
    from heptad.project import open_project

    opened = open_project(project)
    serving, lifecycle = opened.serving, opened.lifecycle
    clock = opened.workspace.clock
    clock_file = clock.path if isinstance(clock, FileClock) else None
    live = lifecycle.deploy().body.routes[0]
    package = opened.release.package(opened.release.version(live.version))
    with (
        opened.data.streams.standing(),
        serving.start_server(port=port, workers=workers, clock=clock_file) as server,
    ):
        address = f"{server.url}/api/v1/endpoints/{serving.endpoint}/predict"
        started = {
            "url": server.url,
            "api": api.url,
            "endpoint": serving.endpoint,
            "version": live.label,
            "curl": curl_line(address, package),
        }
        text = f"{live.label} answers at {server.url}. Stop it with Ctrl-C. Try it:\n\n{started['curl']}\n"
        emit(started, f"{api_lines(api.url)}{text}", as_json=as_json)
        worker = Worker(opened.workspace.store, serving.endpoint, lifecycle, TURN, _silent if as_json else _print_line)
        while _answers(server) and _answers(api):
            worker.turn()
            time.sleep(TURN.total_seconds())


def api_lines(url: str) -> str:
    """Where the API is, and how a program that logs to MLflow logs here instead."""
    return f"The API is at {url}. Programs that use MLflow log here with:\n\nexport MLFLOW_TRACKING_URI={url}\n\n"


def curl_line(address: str, package: "Package") -> str:
    """A command that asks for one made-up row of the package; it can be pasted into a shell."""
    import msgspec

    body = msgspec.json.encode({"rows": [example_row(package)]}).decode()
    return f"curl -s -H 'Content-Type: application/json' {shlex.quote(address)} -d {shlex.quote(body)}"


def example_row(package: "Package") -> dict[str, Any]:
    """The most complete background row, nobody's real data, rounded; texts, which the background lacks, get a word.

    So does what the server makes a pseudonym of: the background has pseudonyms, of which it would make others.
    """
    row = max(package.background, key=lambda one: sum(value is not None for value in one.values()))
    rules = package.cleaner.rules.columns if package.cleaner else {}
    hidden = {name for name, rule in rules.items() if rule.pseudonym}
    return {
        one.name: _WORD if one.name in hidden else _example(row.get(one.name), one.type)
        for one in package.signature.inputs
    }


def _example(value: Any, kind: str) -> Any:
    if value is None and kind == "text":
        return _WORD
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _answers(server: "SupervisedServer") -> bool:
    """Waits for a server that is being started again; raises `UnavailableError` where it does not come back."""
    from heptad.core.errors import UnavailableError

    deadline = time.monotonic() + RESTART_SECONDS
    while not server.alive():
        if time.monotonic() > deadline:
            raise UnavailableError(f"The server at {server.url} ended and did not come back.", remedy="heptad doctor")
        time.sleep(0.1)
    return True


@contextmanager
def _until_stopped() -> Iterator[None]:
    """The block ends in order on Ctrl-C and on SIGTERM, at any point: what a turn has not finished, the next will."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("Stopped. Everything that was acknowledged is kept; heptad up goes on from here.", err=True)
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _silent(happening: "Happening") -> None:
    """A program reads records instead."""


def _print_line(happening: "Happening") -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')}  {happening.step:<11}  {happening.sentence}")
