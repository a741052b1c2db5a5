"""`heptad experiments`: runs, and how they compare."""

from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, table

app = typer.Typer(help="Step 2: runs.", no_args_is_help=True)


@app.command("list")
def list_runs(
    where: Annotated[str, typer.Option(help="For example: metrics.roc_auc > 0.7 and params.estimator = 'linear'")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Runs at most.")] = 30,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first."""
    from heptad.project import open_project

    runs = open_project(project).experiments.list(limit, where)
    rows = [
        {
            "run": run.id,
            "name": run.body.name,
            "status": run.attributes.get("status"),
            "metrics": ", ".join(
                f"{key.removeprefix('metrics.')} {value:.4g}"
                for key, value in sorted(run.attributes.items())
                if key.startswith("metrics.") and "fold" not in key and isinstance(value, int | float)
            ),
        }
        for run in runs
    ]
    emit(runs, table(rows, empty="No run yet. Start some: heptad run"), as_json=as_json)


@app.command()
def compare(
    runs: Annotated[list[str], typer.Argument(help="Ids of two or more runs.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show side by side the parameters that differ and the metrics."""
    from heptad.project import open_project

    comparison = open_project(project).experiments.compare(runs)

    def beside(values: dict[str, list[object]]) -> str:
        return table([{"": name, **dict(zip(comparison.runs, row, strict=True))} for name, row in values.items()])

    text = (
        section("Parameters that differ", beside(comparison.params))
        + "\n\n"
        + section("Metrics", beside(comparison.metrics))
    )
    emit(comparison, text, as_json=as_json)
