"""Commands that start things: a project, a run, the servers; and what is in force."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where the project is made.")] = HERE,
    source: Annotated[Path | None, typer.Option("--from", help="A table: CSV, JSON lines or Parquet.")] = None,
    target: Annotated[str, typer.Option(help="The column to predict.")] = "",
    time: Annotated[str, typer.Option(help="The column that says when a row happened.")] = "",
    template: Annotated[str, typer.Option(help="A finished project to start from: flights.")] = "",
) -> None:
    """Make a project: from a table and a target, or from a template."""
    from heptad.core.errors import InputError
    from heptad.project import create_from_table, create_from_template

    if template:
        written = create_from_template(template, folder)
    elif source is not None and target:
        written = create_from_table(folder, source, target, time)
    else:
        raise InputError(
            "Nothing says what the project is about.",
            allowed="--from FILE --target COLUMN, or --template flights",
            remedy="heptad init --from table.csv --target column",
        )
    typer.echo("\n".join(f"wrote {path}" for path in written))
    typer.echo("Read it, change what you know better, then: heptad run")


@app.command()
def run(
    sample: Annotated[int, typer.Option(min=0, help="Try everything on about so many rows.")] = 0,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take the data through steps 1 to 4: collect, search, train and judge, decide and package."""
    from heptad.cli.live import watching
    from heptad.project import open_project

    opened = open_project(project)
    with watching(opened.config.project.name, opened.config.search.trials, shown=not as_json) as watch:
        outcome = opened.run(sample, watch)
        result = opened.write_result(outcome)
    lines = {
        "task": result.task,
        "estimator": result.estimator,
        result.metric: f"{result.value:.4f} ({result.interval[0]:.4f} to {result.interval[1]:.4f})",
        "baseline": result.baseline,
        "decision": outcome.decision.body.reason,
        "report": result.report,
        "package": result.package or "none: the decision was no",
        "next": "heptad up" if result.package else "heptad training show",
    }
    emit(result, facts(lines), as_json=as_json)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the server; default: that of the settings.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that answer; default: those of the settings.")] = 0,
    project: ProjectOption = HERE,
) -> None:
    """Serve the champion and keep the loop turning, until interrupted."""
    from heptad.lifecycle import serve_and_turn
    from heptad.project import open_project

    serve_and_turn(open_project(project).lifecycle, port, workers, typer.echo)


@app.command("explain-config")
def explain_config(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Print every setting that is in force, each marked where heptad.toml does not give it."""
    from heptad.config import FILE, effective_toml, read_config

    config = read_config(project)
    emit(msgspec.to_builtins(config), effective_toml(config, project / FILE), as_json=as_json)
