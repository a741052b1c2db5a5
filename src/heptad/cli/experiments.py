"""`heptad experiments`: runs, and how they compare."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, section, shown, table

app = typer.Typer(help="Step 2: runs, of searches and of your own scripts.")


@app.command("list")
def list_runs(
    where: Annotated[str, typer.Option(help="For example: metrics.roc_auc > 0.7 and params.estimator = 'linear'")] = "",
    experiment: Annotated[str, typer.Option(help="Only runs of this experiment.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Runs at most.")] = 30,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first."""
    from heptad.project import open_experiments

    runs = open_experiments(project).list(limit, where, experiment)
    rows = [
        {
            "run": run.id,
            "name": run.body.name,
            "status": run.attributes.get("status"),
            "metrics": _metrics(run.attributes),
        }
        for run in runs
    ]
    emit(runs, table(rows, empty="No run. Start some: heptad run, or heptad.track in a script"), as_json=as_json)


def _metrics(attributes: Mapping[str, object]) -> str:
    """The latest value of each metric; those of single folds and of the machine are left to `compare`."""
    return ", ".join(
        f"{key.removeprefix('metrics.')} {shown(value)}"
        for key, value in sorted(attributes.items())
        if key.startswith("metrics.") and "fold" not in key and not key.startswith("metrics.system.")
    )


@app.command()
def compare(
    runs: Annotated[list[str], typer.Argument(help="Ids of two or more runs.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show runs side by side: parameters that differ, and metrics."""
    from heptad.core.errors import NotFoundError
    from heptad.project import open_experiments

    try:
        comparison = open_experiments(project).compare(runs)
    except NotFoundError as error:
        raise NotFoundError("run", error.name, remedy=f"{error.remedy} heptad experiments list".strip()) from error
    heads = [f"[{number}]" for number in range(1, len(comparison.runs) + 1)]

    def beside(values: Mapping[str, Sequence[object]]) -> str:
        rows = [{"": name, **dict(zip(heads, map(shown, row), strict=True))} for name, row in values.items()]
        return table(rows, empty="none")

    legend = [
        {"": head, "run": run, "name": name, "status": status}
        for head, run, name, status in zip(heads, comparison.runs, comparison.names, comparison.status, strict=True)
    ]
    text = [table(legend), section("Parameters that differ", beside(comparison.params))]
    text.append(section("Metrics", beside(comparison.metrics)))
    emit(comparison, "\n\n".join(text), as_json=as_json)


@app.command()
def ship(
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Move what processes that died have logged into the store."""
    from heptad.core.errors import UnavailableError
    from heptad.project import open_experiments

    shipped = open_experiments(project).ship()
    rows = [{"run": one.run, "points": one.points, "outcome": one.problem or "in the store"} for one in shipped]
    emit(shipped, table(rows, empty="Nothing was left behind."), as_json=as_json)
    if any(one.problem for one in shipped):
        raise UnavailableError("Not everything could be shipped.", remedy="do it again when the store answers")
