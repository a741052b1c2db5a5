"""`heptad experiments`: runs, and how they compare."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, shown, table, wrapped

if TYPE_CHECKING:
    from heptad.experiments import StudyReport

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
    """The latest value of each metric; those of single folds are left to `compare`."""
    return ", ".join(
        f"{key.removeprefix('metrics.')} {shown(value)}"
        for key, value in sorted(attributes.items())
        if key.startswith("metrics.") and "fold" not in key
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
def study(
    ref: Annotated[str, typer.Argument(metavar="[ID]", help="Id of the study; without it, the newest.")] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Report on a search: its best, what mattered, if more helps."""
    from heptad.project import open_experiments

    report = open_experiments(project).study(ref)
    emit(report, _study_text(report), as_json=as_json)


def _study_text(report: "StudyReport") -> str:
    counts = {
        "finished": report.finished,
        "failed": report.failed,
        "ended early": report.pruned,
        "still open": report.running,
        "outside of constraints": report.infeasible,
    }
    head = facts(
        {
            "study": f"{report.study} ({report.name})",
            "objectives": ", ".join(f"{way} {name}" for name, way in report.objectives.items()),
            "sampler": report.sampler + ("" if report.pruner == "none" else f", pruner {report.pruner}"),
            "trials": ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "none",
            "time in trials": f"{report.seconds:.1f} s",
        }
        | ({"constraints": " and ".join(report.constraints)} if report.constraints else {})
    )
    rows = [
        {"trial": one.number + 1, **{name: shown(value) for name, value in one.values.items()}, "run": one.run}
        for one in report.front
    ]
    best = report.best.params.items() if report.best is not None else ()
    parts = [head, section("The best" if len(report.objectives) == 1 else "What no other beats", table(rows))]
    parts.append(section("Parameters of the best", facts({name: shown(value) for name, value in best}) or "none"))
    shares = [{"parameter": one.param, "share": f"{one.share:.0%}"} for one in report.importances]
    parts.append(section(f"What mattered ({report.importance_by})", table(shares, empty="nothing to show")))
    parts.append(section("Would more trials help?", wrapped([report.more.sentence, *report.more.evidence])))
    if report.reasons:
        failed = [{"times": count, "reason": reason} for reason, count in report.reasons.items()]
        parts.append(section("Why trials failed", table(failed)))
    if report.warm_start:
        earlier = [{"study": one, "similarity": f"{share:.2f}"} for one, share in report.warm_start.items()]
        parts.append(section("Began with the best of", table(earlier)))
    return "\n\n".join(parts)
