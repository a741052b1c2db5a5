"""`heptad experiments`: runs, and how they compare."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, shown, sparkline, table, wrapped
from heptad.cli.run_lists import NONE, NONE_MEETS, metrics_line, order_of, refuse_unknown, short_name

if TYPE_CHECKING:
    from heptad.core.records import Record
    from heptad.experiments import Experiments, Interval, MlflowSource, Run, StudyReport

app = typer.Typer(help="Step 2: runs, of searches and of your own scripts.")


_WHERE = "For example: metrics.roc_auc > 0.7 and params.estimator = 'linear'"
_TIMES = ("started", "ended")
_MANY = 50
"""Runs that a question chooses at most, where it is to look at them beside each other."""
_ABREAST = 6
"""Runs that stand beside each other as columns; of more, each is a line where fewer columns come of that."""
_BLOCKS = 24
"""Points of a curve that are drawn on one line of a table."""

Form = Literal["table", "tensorboard"]
Where = Annotated[str, typer.Option(help=_WHERE)]
Runs = Annotated[list[str] | None, typer.Argument(help="Ids of runs; else those of --where.")]
Named = Annotated[list[str], typer.Argument(help="Ids of runs.")]


@app.command("list")
def list_runs(
    where: Where = "",
    experiment: Annotated[str, typer.Option(help="Only runs of this experiment.")] = "",
    order: Annotated[str, typer.Option(help="A key, and desc for the largest first: metrics.roc_auc desc")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Runs at most.")] = 30,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first."""
    from heptad.project import open_experiments

    wanted = order_of(order)
    runs = open_experiments(project).list(limit, where, experiment, wanted)
    refuse_unknown(wanted, runs)
    rows = [
        {
            "run": run.id,
            "name": short_name(run.body.name),
            "status": run.attributes.get("status"),
            "metrics": metrics_line(run.attributes),
        }
        for run in runs
    ]
    emit(runs, table(rows, empty=NONE_MEETS if where or experiment else NONE), as_json=as_json)


@app.command()
def show(
    run: Annotated[str, typer.Argument(help="An id.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show one run: parameters, metrics, tags, files."""
    _, (record,) = _found(project, [run])
    attributes = record.attributes
    shown_groups = {"params.": "Parameters", "metrics.": "Metrics", "tags.": "Tags", "artifacts.": "Files"}
    rest = {key: value for key, value in attributes.items() if not key.startswith(tuple(shown_groups))}
    times = {key: datetime.fromtimestamp(value, UTC) for key in _TIMES if isinstance(value := rest.get(key), float)}
    text = [facts({"run": record.id, "experiment": record.body.experiment, **times} | {**rest, **times})]
    for prefix, title in shown_groups.items():
        values = {key.removeprefix(prefix): value for key, value in attributes.items() if key.startswith(prefix)}
        if values:
            text.append(section(title, facts(values)))
    emit(record, "\n\n".join(text), as_json=as_json)


@app.command()
def compare(
    runs: Runs = None,
    where: Where = "",
    metric: Annotated[str, typer.Option(help="The metric that is explained on the page.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write a page to this file: charts, curves, tables.")] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show runs side by side: what differs, and what came of it."""
    experiments, found = _chosen(project, runs, where)
    ids = [run.id for run in found]
    comparison = experiments.compare(ids)
    if html:
        from heptad.core.files import write_atomically

        write_atomically(html, experiments.page(ids, metric).encode())
    heads = [f"[{number}]" for number in range(1, len(ids) + 1)]

    def beside(values: Mapping[str, Sequence[object]]) -> str:
        lines, columns = {name: list(map(shown, row)) for name, row in values.items()}, heads
        if values and len(heads) > max(_ABREAST, len(values)):
            lines, columns = dict(zip(heads, map(list, zip(*lines.values(), strict=True)), strict=True)), list(values)
        return table([{"": name, **dict(zip(columns, row, strict=True))} for name, row in lines.items()], empty="none")

    legend = [
        {"": head, "run": run, "name": short_name(name), "status": status}
        for head, run, name, status in zip(heads, ids, comparison.names, comparison.status, strict=True)
    ]
    text = [table(legend), section("Parameters that differ", beside(comparison.params))]
    text.append(section("Metrics", beside(comparison.metrics)))
    if comparison.intervals:
        spans = {name: [_span(one) for one in values] for name, values in comparison.intervals.items()}
        text.append(section("95% of the mean over folds", beside(spans)))
    if comparison.surroundings:
        text.append(section("Code, data and machine, where they differ", beside(comparison.surroundings)))
    if html:
        text.append(f"{html}: the same as a page")
    emit(comparison, "\n\n".join(text), as_json=as_json)


@app.command()
def ship(
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Move what processes that died have logged where it belongs."""
    from heptad.core.errors import UnavailableError
    from heptad.project import ship_runs

    shipped = ship_runs(project)
    rows = [
        {
            "run": one.run,
            "to": one.server or "this workspace",
            "points": one.points,
            "outcome": one.problem.partition("\n")[0] or "has arrived",
        }
        for one in shipped
    ]
    emit(shipped, table(rows, empty="Nothing was left behind."), as_json=as_json)
    if any(one.problem for one in shipped):
        raise UnavailableError(
            "Not everything could be shipped.", remedy="do it again when the server or the store answers"
        )


def _span(interval: "Interval | None") -> str:
    return "" if interval is None else f"{shown(interval[0])} to {shown(interval[1])}"


@app.command()
def plot(
    metric: Annotated[str, typer.Argument(help="The metric whose curve is drawn.")],
    runs: Runs = None,
    where: Where = "",
    out: Annotated[Path | None, typer.Option(help="Draw it to this .png or .svg file.")] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show how a metric went, run by run."""
    from heptad.core.errors import InputError
    from heptad.experiments import curve_of, labelled, thinned

    experiments, found = _chosen(project, runs, where)
    if out and out.suffix not in {".png", ".svg"}:
        raise InputError(f"{out} is no picture that can be drawn.", allowed="a name that ends in .png or .svg")
    curve = curve_of(experiments.workspace, labelled(found), metric)
    if out:
        from heptad.core.files import write_atomically
        from heptad.experiments import draw_curves

        write_atomically(out, draw_curves(curve, metric, "png" if out.suffix == ".png" else "svg"))
    rows = [
        {
            "run": short_name(label),
            "points": points.height,
            "first": points["value"][0],
            "least": points["value"].min(),
            "most": points["value"].max(),
            "last": points["value"][-1],
            "": sparkline(thinned(points, _BLOCKS)["value"].to_list()),
        }
        for (label,), points in curve.group_by(["run"], maintain_order=True)
    ]
    emit(thinned(curve).to_dicts(), table(rows) + (f"\n\n{out}: the same as a picture" if out else ""), as_json=as_json)


@app.command()
def tag(
    runs: Named,
    tags: Annotated[list[str], typer.Option("--set", help="NAME=VALUE; NAME= takes it away. May be repeated.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write tags beside runs."""
    from heptad.core.errors import InputError

    wrong = [one for one in tags if not one.partition("=")[0] or "=" not in one]
    if wrong:
        raise InputError(f"The tag {wrong[0]!r} cannot be read.", allowed="NAME=VALUE, or NAME= to take it away")
    values = {name: value or None for name, _, value in (one.partition("=") for one in tags)}
    experiments, found = _found(project, runs)
    experiments.tag([run.id for run in found], values)
    emit({"runs": [run.id for run in found], "tags": values}, f"tagged {len(found)} runs", as_json=as_json)


@app.command()
def delete(
    runs: Named,
    reason: Annotated[str, typer.Option(help="Why they are deleted, in a sentence.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Leave runs out of lists; `restore` brings them back."""
    experiments, found = _found(project, runs)
    experiments.delete([run.id for run in found], reason)
    emit({"deleted": [run.id for run in found], "reason": reason}, f"deleted {len(found)} runs", as_json=as_json)


@app.command()
def end(
    runs: Named,
    reason: Annotated[str, typer.Option(help="Why they are over, in a sentence.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say that runs are over whose processes are gone: they are killed."""
    from heptad.experiments import end_runs

    experiments, found = _found(project, runs)
    ended = [run.id for run in found]
    end_runs(experiments.workspace, ended, reason)
    emit({"ended": ended, "reason": reason}, f"ended {len(ended)} runs", as_json=as_json)


@app.command()
def restore(runs: Named, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Bring deleted runs back."""
    experiments, found = _found(project, runs)
    experiments.restore([run.id for run in found])
    emit({"restored": [run.id for run in found]}, f"restored {len(found)} runs", as_json=as_json)


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="A .parquet, .csv or .json file; for TensorBoard, a folder.")],
    where: Where = "",
    form: Annotated[Form, typer.Option("--format", help="A row for each run, or an event file for each.")] = "table",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write runs as a table, or as event files of TensorBoard."""
    import io

    from heptad.core.errors import InputError
    from heptad.core.files import write_atomically
    from heptad.experiments import export_event_files
    from heptad.project import open_experiments

    experiments = open_experiments(project)
    if form == "tensorboard":
        files = export_event_files(experiments.workspace, experiments.matching(where), out)
        said = f"{out}: {len(files)} runs; look at them with: tensorboard --logdir {out}"
        emit({"folder": str(out), "files": [str(one) for one in files]}, said, as_json=as_json)
        return
    if out.suffix not in {".parquet", ".csv", ".json"}:
        raise InputError(
            f"{out} is no table that can be written.", allowed="a name that ends in .parquet, .csv or .json"
        )
    frame, written = experiments.frame(where), io.BytesIO()
    match out.suffix:
        case ".parquet":
            frame.write_parquet(written)
        case ".csv":
            frame.write_csv(written)
        case _:
            frame.write_json(written)
    write_atomically(out, written.getvalue())
    emit({"file": str(out), "runs": frame.height}, f"{out}: {frame.height} runs", as_json=as_json)


@app.command("import")
def import_runs(
    source: Annotated[str, typer.Argument(help="http://HOST:PORT or mlflow.db of MLflow, or a folder.")],
    experiment: Annotated[str, typer.Option(help="Where the runs go; else where they were.")] = "",
    artifacts: Annotated[
        list[Path] | None,
        typer.Option(metavar="<path>", help="Folder with files of MLflow's runs, where it is elsewhere."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what is there, and write nothing.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take over runs, every point; done again, what is new.

    Of a tracking server of MLflow, its database or folder mlruns, or of a folder of event files of TensorBoard.
    """
    from heptad.cli.progress import counting
    from heptad.experiments import import_event_files, open_mlflow
    from heptad.project import open_experiments

    mlflow = open_mlflow(source, artifacts or ())
    if mlflow is not None:
        with closing(mlflow):
            _import_mlflow(open_experiments(project), mlflow, experiment, dry_run=dry_run, as_json=as_json)
        return
    workspace, found = open_experiments(project).workspace, []
    with counting("reading", shown=not as_json) as count:
        for one in import_event_files(workspace, Path(source), experiment, count_only=dry_run):
            found.append(one)
            count("runs", 1)
            count("points", one.points)
    rows = [
        {
            "run": one.run or "-",
            "points": one.points,
            "new": one.new_points,
            "params": one.params,
            "texts": one.texts,
            "files": one.files,
            "histograms": one.histograms,
            "name": one.name,
        }
        for one in found
    ]
    left = {what: sum(one.left_out.get(what, 0) for one in found) for one in found for what in one.left_out}
    text = table(rows) + "".join(f"\nleft out: {count:,} x {what}" for what, count in left.items())
    emit(found, text, as_json=as_json)


def _import_mlflow(
    experiments: "Experiments", source: "MlflowSource", experiment: str, *, dry_run: bool, as_json: bool
) -> None:
    from heptad.cli.progress import counting
    from heptad.experiments import import_logged_models, import_mlflow
    from heptad.release import import_models

    runs, sums = [], dict[str, Counter[str]]()
    with counting("reading", shown=not as_json) as count:
        for one in import_mlflow(experiments.workspace, source, experiment, count_only=dry_run):
            runs.append(one)
            count("runs", 1)
            count("points", one.points)
            of = sums.setdefault(one.experiment, Counter())
            of.update(runs=1, points=one.points, files=one.files, params=one.params, tags=one.tags)
            of.update({"data sets": one.datasets, "new points": one.new_points, "new files": one.new_files})
        logged = list(import_logged_models(experiments.workspace, source, experiment, count_only=dry_run))
        models = list(import_models(experiments.workspace, source, count_only=dry_run))
    said = [table([{"experiment": name, **values} for name, values in sums.items()], empty="No run is there.")]
    if logged:
        said.append(f"Logged models: {len(logged):,}, of them new: {sum(one.is_new for one in logged):,}")
    if models:
        rows = [{"model": one.name, "versions": one.versions, "new": one.new_versions} for one in models]
        said.append(section("Registered models", table(rows)))
    left = sum(map(Counter, [one.left_out for one in runs] + [one.left_out for one in logged]), Counter[str]())
    said += [f"left out: {count:,} x {what}" for what, count in left.items()]
    said += [f"left out: {what}" for one in models for what in one.left_out]
    emit({"runs": runs, "logged_models": logged, "models": models}, "\n\n".join(said), as_json=as_json)


def _chosen(project: Path, runs: list[str] | None, where: str) -> "tuple[Experiments, list[Record[Run]]]":
    """The runs that are named, else those of a question, at least one."""
    from heptad.core.errors import InputError
    from heptad.project import open_experiments

    if runs:
        return _found(project, runs)
    experiments = open_experiments(project)
    found = experiments.list(_MANY, where)
    if not found:
        raise InputError("There is no run to look at.", remedy="heptad experiments list, with the same --where")
    return experiments, found


def _found(project: Path, runs: Sequence[str]) -> "tuple[Experiments, list[Record[Run]]]":
    from heptad.core.errors import NotFoundError
    from heptad.project import open_experiments

    experiments = open_experiments(project)
    try:
        return experiments, [experiments.show(one) for one in runs]
    except NotFoundError as error:
        raise NotFoundError("run", error.name, remedy=f"{error.remedy} heptad experiments list".strip()) from error


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
        earlier = [
            {"study": one, "similarity": f"{share:.2f}", "taken": report.taken.get(one, "whole points")}
            for one, share in report.warm_start.items()
        ]
        parts.append(section("Began with the best of", table(earlier)))
    return "\n\n".join(parts)
