"""`heptad training`: candidates, and what was measured of them."""

from pathlib import Path
from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table

app = typer.Typer(help="Step 3: candidates and their evaluation.", no_args_is_help=True)


@app.command()
def show(
    candidate: Annotated[str, typer.Argument(help="An id, or latest.")] = "latest",
    report: Annotated[
        Path | None, typer.Option(help="Write the evaluation report, an HTML page, to this file.")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show a candidate: metrics with intervals beside the baseline, calibration, slices, attributions."""
    from heptad.project import open_project

    training = open_project(project).training
    record = training.show(candidate)
    body, evaluation = record.body, record.body.evaluation
    if report:
        from heptad.core.files import write_atomically

        write_atomically(report, training.report(record).encode())
    overview = {
        "candidate": record.id,
        "estimator": f"{body.estimator} {body.params}",
        "rows": f"{body.split.train_rows:,} learnt from, {body.split.judge_rows:,} judged",
        "onnx": f"largest difference {evaluation.parity.largest_difference:.1e} on {evaluation.parity.rows:,} rows",
        "latency": f"{evaluation.model_latency_p50_ms:.3f} ms a row, 99% below {evaluation.model_latency_p99_ms:.3f} ms",
    }
    baseline = {metric.name: metric.value for metric in evaluation.baseline}
    metrics = [
        {"metric": one.name, "value": one.value, "low": one.low, "high": one.high, "baseline": baseline.get(one.name)}
        for one in evaluation.metrics
    ]
    slices = [
        {"slice": f"{one.column} = {one.value}", one.metric.name: one.metric.value, "rows": one.metric.rows}
        for one in evaluation.slices
    ]
    weights = [{"feature": name, "contribution": value} for name, value in list(evaluation.attributions.items())[:12]]
    text = [facts(overview), section("Metrics", table(metrics)), section("Slices", table(slices, empty="none"))]
    text += [section("Attributions", table(weights, empty="not measured"))]
    emit(record, "\n\n".join(text), as_json=as_json)
