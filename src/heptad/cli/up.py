"""`heptad up`: offers the API, serves the champion, lands streams and turns the loop, until it is told to stop."""

import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from heptad.core.workspace import Workspace
    from heptad.lifecycle import Happening
    from heptad.project import Project
    from heptad.release import Package
    from heptad.serving import SupervisedServer

app = typer.Typer()
TURN = timedelta(seconds=5)
"""How often the loop looks whether something is due."""
RESTART_SECONDS = 30.0
"""A server that does not answer for so long is given up; one that was killed is back sooner."""
_WORD = "example"
_NO_MODEL = "No model is released here yet, so none is served: heptad init, heptad run.\n"
_NO_LANDING = (
    "No stream lands: heptad.toml has no [data] yet, the table that they are for, so [sources] are not read.\n"
)
_STOP = "Stop it with Ctrl-C.\n"


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
    """Serve the API and champion, land streams, turn the loop.

    MLflow clients log to the port of the API, in any folder. A model is served as soon as one is champion.
    """
    from heptad.config import has_section, has_table
    from heptad.core.clock import FileClock
    from heptad.lifecycle import refuse_moved
    from heptad.project import open_root

    workspace = open_root(project)
    refuse_moved(workspace)
    clock = str(workspace.clock.path) if isinstance(workspace.clock, FileClock) else ""
    with _until_stopped(), _start_api(workspace.root, workspace.folder, port, clock) as api:
        if has_table(workspace.root):
            _keep_up(api, workspace.root, serve_port, workers, as_json=as_json)
        else:
            text = _NO_LANDING if has_section(workspace.root, "sources") else ""
            emit({"api": api.url}, f"{api_lines(api.url)}{_NO_MODEL}{text}{_STOP}", as_json=as_json)
            while _go_on(workspace, [api]):
                time.sleep(TURN.total_seconds())


def _start_api(root: "Path", folder: "Path", port: int | None, clock: str) -> "SupervisedServer":
    from heptad.api.process import start_api
    from heptad.api.settings import ApiOptions
    from heptad.config import read_folder_config

    said = read_folder_config(root).api
    options = ApiOptions(
        root=str(root), host=said.host, port=said.port if port is None else port, workers=said.workers, clock=clock
    )
    return start_api(options, folder / "api.log")


def _keep_up(api: "SupervisedServer", root: "Path", port: int | None, workers: int | None, *, as_json: bool) -> None:
    """Lands streams and turns the loop from now on, and serves the champion as soon as there is one."""
    from heptad.lifecycle import Worker
    from heptad.project import open_project
    from heptad.serving import reserve_port

    opened = open_project(root)
    store, serving = opened.workspace.store, opened.serving
    worker = Worker(store, serving.endpoint, opened.lifecycle, TURN, _silent if as_json else _print_line)
    with opened.data.streams.standing() as landing, ExitStack() as stack:
        servers, told = [api], api_lines(api.url) + landing_line(landing.names)
        if not _is_released(opened):
            # Told now that it is taken, and not when a model is released.
            reserve_port(serving.settings.host, serving.settings.port if port is None else port).close()
            emit({"api": api.url, "streams": landing.names}, f"{told}{_NO_MODEL}{_STOP}", as_json=as_json)
            told = ""
        while _go_on(opened.workspace, servers):
            if len(servers) == 1 and _is_released(opened):
                server = stack.enter_context(_serving(opened, port, workers))
                _emit_serving(opened, server, {"api": api.url, "streams": landing.names}, told, as_json=as_json)
                servers.append(server)
            worker.turn()
            time.sleep(TURN.total_seconds())


def _is_released(opened: "Project") -> bool:
    """Whether there is a champion; while the store does not answer there is none, and the worker says why."""
    from heptad.core.errors import UnavailableError

    try:
        return opened.release.champion() is not None
    except UnavailableError:
        return False


def _serving(opened: "Project", port: int | None, workers: int | None) -> "SupervisedServer":
    from heptad.core.clock import FileClock

    clock = opened.workspace.clock
    opened.lifecycle.deploy()
    return opened.serving.start_server(
        port=port, workers=workers, clock=clock.path if isinstance(clock, FileClock) else None
    )


def _emit_serving(
    opened: "Project", server: "SupervisedServer", started: "Mapping[str, Any]", told: str, *, as_json: bool
) -> None:
    """Says who answers where, with a line that asks it."""
    live = opened.lifecycle.deploy().body.routes[0]
    package = opened.release.package(opened.release.version(live.version))
    curl = curl_line(f"{server.url}/api/v1/endpoints/{opened.serving.endpoint}/predict", package)
    endpoint = {"url": server.url, "endpoint": opened.serving.endpoint, "version": live.label, "curl": curl}
    text = f"{told}{live.label} answers at {server.url}. Stop it with Ctrl-C. Try it:\n\n{curl}\n"
    emit({**started, **endpoint}, text, as_json=as_json)


def api_lines(url: str) -> str:
    """Where the API is, and how a program that logs to MLflow logs here instead."""
    return f"The API is at {url}. Programs that use MLflow log here with:\n\nexport MLFLOW_TRACKING_URI={url}\n\n"


def landing_line(streams: "Sequence[str]") -> str:
    """Which streams land from now on."""
    return f"Streams that land: {', '.join(streams)} (heptad status).\n\n" if streams else ""


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


def _go_on(workspace: "Workspace", servers: "Sequence[SupervisedServer]") -> bool:
    """Waits for servers that are being started again; raises `WorkspaceError` where the workspace was moved away."""
    from heptad.core.errors import UnavailableError
    from heptad.lifecycle import refuse_moved

    with suppress(UnavailableError):  # a store that is away for a while has not moved
        refuse_moved(workspace)
    return all(map(_answers, servers))


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
