"""`heptad training`: candidates, and what was measured of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, shown, table, wrapped

if TYPE_CHECKING:
    from heptad.training import Evaluation

app = typer.Typer(help="Step 3: candidates and their evaluation.")
MOST_ATTRIBUTIONS = 12


@app.command()
def show(
    candidate: Annotated[str, typer.Argument(help="An id, or latest.")] = "latest",
    report: Annotated[
        Path | None, typer.Option(help="Write the evaluation report, an HTML page, to this file.")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show a candidate: metrics, calibration, slices, reasons."""
    from heptad.cli.reading import record_named
    from heptad.project import open_project
    from heptad.training import Candidate

    opened = open_project(project)
    record = record_named(opened.workspace, Candidate, candidate, "train one with: heptad run")
    body, evaluation = record.body, record.body.evaluation
    if report:
        from heptad.core.files import write_atomically

        write_atomically(report, opened.training.report(record).encode())
    overview = {
        "candidate": record.id,
        "made": f"{record.at:%Y-%m-%d %H:%M} by {record.actor}",
        "estimator": ", ".join([body.estimator, *(f"{name} {shown(one)}" for name, one in body.params.items())]),
        "rows": f"{body.split.train_rows:,} learnt from ({body.window}), {body.split.judge_rows:,} judged",
        "onnx": f"largest difference {evaluation.parity.largest_difference:.1e} on {evaluation.parity.rows:,} rows",
        "latency": f"{shown(evaluation.model_latency_p50_ms)} ms a row, "
        f"99% below {shown(evaluation.model_latency_p99_ms)} ms",
    }
    overview["baseline"] = evaluation.baseline_name
    overview |= {"report": str(report)} if report else {}
    text = [facts(overview)]
    text += [section(title, table(rows, empty=empty)) for title, rows, empty in _tables(evaluation)]
    absent = [f"{name} is not defined here: it needs {needs}" for name, needs in evaluation.absent.items()]
    text += [wrapped(absent)] * bool(absent)
    emit(record, "\n\n".join(text), as_json=as_json)


@app.command()
def nested(
    version: Annotated[str, typer.Argument(help="The data version: a number, a tag, an id, or latest.")] = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Judge the whole search by nested cross-validation."""
    from heptad.cli.progress import progress
    from heptad.project import open_project
    from heptad.training import TrialEnded, cross_validate

    opened = open_project(project)
    outer, trials = opened.config.validate.outer_folds, opened.config.search.trials
    record = opened.data.version(version)
    with progress("nested cross-validation", shown=not as_json) as tell:

        def told(fold: int, ended: TrialEnded) -> None:
            tell(f"fold {fold}, {ended.sentence}", ((fold - 1) * trials + ended.number + 1) / (outer * trials))

        seed = opened.config.project.seed
        found = cross_validate(opened.experiments, opened.training.parting, record, seed=seed, on_trial=told)
    rows = [
        {
            "fold": one.number,
            "learnt": one.learnt_rows,
            "judged": one.judged_rows,
            "searched": one.searched,
            found.metric: one.value,
            "estimator": one.estimator,
        }
        for one in found.folds
    ]
    spread = f", standard deviation {shown(found.deviation)}" if found.deviation is not None else ""
    closing = f"{found.metric} of the search: {shown(found.mean)}{spread} ({found.better} is better)"
    emit(found, "\n\n".join([table(rows), closing]), as_json=as_json)


@app.command("label-errors")
def label_errors(
    version: Annotated[str, typer.Argument(help="The data version: a number, a tag, an id, or latest.")] = "latest",
    out: Annotated[
        Path | None, typer.Option(help="Write them to this file, as `heptad data correct` reads them.")
    ] = None,
    estimator: Annotated[str, typer.Option(help="Who judges; by default the newest candidate's estimator.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Labels at most that are shown; the file has all.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Find labels that are likely wrong, the least credible first."""
    from heptad.cli.tables import check_ending, write_table
    from heptad.project import open_project
    from heptad.training import find_label_errors, model_of

    if out:
        check_ending(out)
    opened = open_project(project)
    record, training = opened.data.version(version), opened.training
    model = model_of(training.candidates(), estimator)
    found = find_label_errors(training.parting, record, model, opened.config.project.seed)
    if out:
        write_table(found.table().lazy(), out)
    rows = [
        {**one.key, "given": one.given, "likely": one.likely, "usually off by": one.usual_error}
        if found.numbers
        else {
            **one.key,
            "given": one.given,
            "": f"{one.given_probability:.1%}",
            "likely": one.likely,
            " ": f"{one.likely_probability:.1%}",
        }
        for one in found.errors[:limit]
    ]
    text = [wrapped([found.sentence]), table(rows, empty="None.")]
    if out:
        todo = "fill in the column value" if found.numbers else "read it, remove the lines that are not so"
        text.append(wrapped([f"{out}: {todo}, then: heptad data correct {out}"]))
    emit(found, "\n\n".join(text), as_json=as_json)


@app.command("label-queue")
def label_queue(
    out: Annotated[Path, typer.Option(help="The CSV file to fill in; `heptad data correct` reads it back.")],
    count: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 100,
    by: Annotated[str, typer.Option(help="uncertainty, entropy, disagreement or random.")] = "uncertainty",
    version: Annotated[str, typer.Option(help="The data version: a number, a tag, an id, or latest.")] = "latest",
    estimator: Annotated[str, typer.Option(help="Who is asked; by default the newest candidate's estimator.")] = "",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Queue the unlabelled rows that would teach most."""
    from heptad.cli.tables import check_ending, write_table
    from heptad.core.errors import NotFoundError
    from heptad.project import open_project
    from heptad.training import WAYS, By, model_of, queue_table
    from heptad.training import label_queue as queue_of

    check_ending(out)
    way: By | None = next((one for one in WAYS if one == by), None)
    if way is None:
        raise NotFoundError("way to queue rows", by, WAYS)
    opened = open_project(project)
    record, training = opened.data.version(version), opened.training
    model = model_of(training.candidates(), estimator)
    found = queue_of(training.parting, record, model, opened.config.project.seed, count=count, by=way)
    write_table(queue_table(found, training.parting.unlabelled(record), record.body.schema).lazy(), out)
    told = f"{out}: {len(found.rows):,} of {found.unlabelled:,} rows without {found.target}, by {found.by}"
    text = [told, f"Fill in the column value, then: heptad data correct {out}"]
    emit(found, wrapped(text), as_json=as_json)


def _tables(evaluation: "Evaluation") -> Iterator[tuple[str, list[dict[str, object]], str]]:
    """Title, rows, and what to say where there are none."""
    baseline = {metric.name: metric.value for metric in evaluation.baseline}
    yield (
        "Metrics",
        [
            {
                "metric": one.name,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "baseline": baseline.get(one.name),
            }
            for one in evaluation.metrics
        ],
        "none is defined on these rows",
    )
    yield (
        "Calibration",
        [{"predicted": one.predicted, "observed": one.observed, "rows": one.rows} for one in evaluation.calibration],
        "not measured",
    )
    yield (
        "Slices",
        [
            {"rows": one.metric.rows, one.metric.name: one.metric.value, "where": f"{one.column} = {one.value}"}
            for one in evaluation.slices
        ],
        "none",
    )
    weights = sorted(evaluation.attributions.items(), key=lambda one: -one[1])
    yield (
        "Attributions",
        [{"contribution": value, "feature": name} for name, value in weights[:MOST_ATTRIBUTIONS]],
        "not measured",
    )
