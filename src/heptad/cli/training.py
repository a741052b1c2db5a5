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
    """Show a candidate: metrics, calibration, slices, attributions."""
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
    """Judge the whole search by nested cross-validation; no model is made."""
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
