"""`heptad monitoring`: reports, alerts, and labels that come late."""

from pathlib import Path
from typing import Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, table

app = typer.Typer(help="Step 6: reports, alerts, labels.", no_args_is_help=True)


@app.command("list")
def list_reports(
    limit: Annotated[int, typer.Option(min=1, help="Reports at most.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the reports, newest first."""
    from heptad.project import open_project

    reports = open_project(project).monitoring.list()[:limit]
    rows = []
    for one in reports:
        live = next((shown for shown in one.body.performance if shown.role == "live"), None)
        main = live.metrics[0] if live and live.metrics else None
        rows.append(
            {
                "from": f"{one.body.start:%Y-%m-%d}",
                "to": f"{one.body.end:%Y-%m-%d}",
                "rows": one.body.rows,
                "version": one.body.version,
                main.name if main else "metric": main.value if main else None,
                "raised": len(one.body.alerts),
                "open": len(one.body.ongoing),
                "id": one.id,
            }
        )
    emit(reports, table(rows, empty="No report yet: none of the windows is over."), as_json=as_json)


@app.command()
def show(
    report: Annotated[str, typer.Argument(help="An id, or latest.")] = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show a report: alerts in words, performance, drift, quality, latency."""
    from heptad.project import open_project

    record = open_project(project).monitoring.show(report)
    body = record.body
    overview = {
        "report": record.id,
        "window": f"{body.start:%Y-%m-%d %H:%M} to {body.end:%Y-%m-%d %H:%M}",
        "rows": f"{body.rows:,}, asked by {', '.join(body.callers) or 'nobody'}",
        "latency": f"{body.latency_p50_ms} ms, 99% below {body.latency_p99_ms} ms",
    }
    performance = [
        {
            "version": one.version,
            "role": one.role,
            "rows": one.rows,
            "labelled": one.labelled,
            "measured": f"{one.metrics[0].name} {one.metrics[0].value:.3f}" if one.metrics else None,
            "estimated": f"{one.estimated.value:.3f}" if one.estimated else None,
        }
        for one in body.performance
    ]
    drift = [{"column": one.column, "distance": one.distance, "": one.sentence} for one in body.drift if one.drifted]
    alerts = "\n".join(alert.sentence for alert in (*body.alerts, *body.ongoing))
    text = [facts(overview), section("Alerts", alerts or "none"), section("Performance", table(performance))]
    text += [section("Drift", table(drift, empty="none"))]
    text += [section("Warnings", "\n".join(f"{count:,}  {said}" for said, count in body.warnings.items()) or "none")]
    emit(record, "\n\n".join(text), as_json=as_json)


@app.command()
def label(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with the columns id, value, at and known_at.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Add labels of predictions, by prediction id; adding a label again changes nothing."""
    from heptad.project import open_project

    added = open_project(project).serving.add_labels_from(file)
    emit({"added": added}, f"{added:,} labels added", as_json=as_json)
