"""`heptad serving`: predictions, asked and logged."""

from typing import Annotated, Any

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, table

app = typer.Typer(help="Step 5: predictions.")
PATIENCE_SECONDS = 3.0
"""How long a server that does not answer is asked again."""


@app.command()
def predict(
    json_row: Annotated[str, typer.Option(help='One row as JSON, for example \'{"carrier": "UA"}\'.')],
    identity: Annotated[str, typer.Option("--id", help="Name of the row; default: a new one.")] = "",
    url: Annotated[str, typer.Option(help="The server; default: the host and port of the settings.")] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Ask the running server for one row."""
    import msgspec

    from heptad.core.errors import InputError
    from heptad.core.identity import current_actor
    from heptad.project import open_project
    from heptad.serving import PredictionClient

    try:
        row: dict[str, Any] = msgspec.json.decode(json_row, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InputError(f"--json-row is no JSON object: {error}.", allowed='{"column": value, ...}') from error
    opened = open_project(project)
    address = url or f"http://{opened.config.deploy.host}:{opened.config.deploy.port}"
    with PredictionClient(address, opened.workspace.name, current_actor(), PATIENCE_SECONDS) as client:
        (answer,) = client.predict([row], [identity] if identity else None)
    emit(answer, facts({**answer, "warnings": "; ".join(answer["warnings"]) or "none"}), as_json=as_json)


@app.command("list")
def list_predictions(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Predictions at most.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the newest predictions."""
    from heptad.project import open_project
    from heptad.serving import newest_predictions

    found = newest_predictions(open_project(project).workspace, limit)
    rows = [
        {
            "at": one.at,
            "version": one.version,
            "label": one.label,
            "score": one.score,
            "caller": one.caller,
            "id": one.id,
        }
        for one in found
    ]
    emit(found, table(rows, empty="No prediction yet. Serve the champion: heptad up"), as_json=as_json)
