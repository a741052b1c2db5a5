"""Commands that start things: a project, a run; and what settings are in force."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts

if TYPE_CHECKING:
    from heptad.project import RunResult

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where the project is made.")] = HERE,
    source: Annotated[str, typer.Option("--from", help="A table: a file of any format, or an address.")] = "",
    target: Annotated[str, typer.Option(help="The column to predict.")] = "",
    time: Annotated[str, typer.Option(help="The column that says when a row happened.")] = "",
    template: Annotated[str, typer.Option(help="A finished project to start from: flights.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a project: from a table and a target, or a template."""
    from heptad.core.errors import InputError
    from heptad.project import create_from_table, create_from_template

    if folder.is_file():
        raise InputError(
            f"{folder} is a file, and stands where the folder of the project is named.",
            remedy=f"heptad init --from {shlex.quote(str(folder))} --target {shlex.quote(target or 'COLUMN')}",
        )
    if template and (source or target or time):
        raise InputError("A template brings its own table.", allowed="--template, or --from with --target, not both")
    if template:
        written = create_from_template(template, folder)
    elif source and target:
        written = create_from_table(folder, source, target, time)
    else:
        missing = "which column to predict" if source else "which table to learn from"
        raise InputError(
            f"Nothing says {missing}.",
            allowed="--from FILE --target COLUMN, or --template flights",
            remedy="heptad init --from table.csv --target column",
        )
    named = [str(path) for path in written]
    then = f"Read it, change what you know better, then: heptad run{_project(folder)}"
    emit({"written": named}, "\n".join([*(f"wrote {path}" for path in named), then]), as_json=as_json)


@app.command()
def run(
    sample: Annotated[int, typer.Option(min=0, help="Try everything on about so many rows; 0: on all.")] = 0,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take the data through steps 1 to 4 to a signed package.

    Ends with exit code 1 where a gate says no.
    """
    from heptad.cli.live import watching
    from heptad.project import open_project, write_result

    opened = open_project(project)
    with watching(opened.config.project.name, opened.config.search.trials, shown=not as_json) as watch:
        outcome = opened.run(sample, watch)
        result = write_result(opened, outcome)
    emit(result, facts(_closing(result, outcome.decision.body.reason, sample, project)), as_json=as_json)
    if result.package is None:
        raise typer.Exit(1)


def _closing(result: "RunResult", reason: str, sample: int, project: Path) -> dict[str, object]:
    """What a person wants to know when a run is over, the next command last."""
    value = "not defined on the held-out rows" if result.value is None else f"{result.value:.4f}"
    then = "run" if sample else "up" if result.package else "training show"
    within = f" ({result.interval[0]:.4f} to {result.interval[1]:.4f})" if result.interval else ""
    return {
        "task": result.task,
        "estimator": result.estimator,
        result.metric: value + within,
        "baseline": result.baseline,
        "decision": reason,
        "report": os.path.relpath(result.report),
        "package": os.path.relpath(result.package) if result.package else "none: the decision was no",
        "next": f"heptad {then}{_project(project)}",
    }


def _project(folder: Path) -> str:
    """The option that names the project, where it is not here."""
    return "" if folder.resolve() == Path.cwd() else f" -p {shlex.quote(str(folder))}"


@app.command("explain-config")
def explain_config(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Print every setting in force; defaults are marked."""
    import msgspec

    from heptad.config import FILE, effective_toml, has_table, read_config, read_folder_config
    from heptad.core.workspace import FOLDER

    of_runs = not has_table(project) and ((project / FILE).is_file() or (project / FOLDER).is_dir())
    config = read_folder_config(project) if of_runs else read_config(project)
    emit(msgspec.to_builtins(config), effective_toml(config, project / FILE), as_json=as_json)
