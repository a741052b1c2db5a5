"""`heptad monitoring`: reports, alerts, and labels that come late."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heptad.cli.output import HERE, JsonOption, ProjectOption, emit, facts, section, shown, table, wrapped

if TYPE_CHECKING:
    from heptad.monitoring import MonitoringReport

app = typer.Typer(help="Step 6: reports, alerts, labels.")


@app.command("list")
def list_reports(
    limit: Annotated[int, typer.Option(min=1, help="Reports at most.")] = 20,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the reports, newest first."""
    from heptad.cli.reading import newest_records
    from heptad.monitoring import MonitoringReport
    from heptad.project import open_project

    reports = newest_records(open_project(project).workspace, MonitoringReport, limit)
    rows = [
        {
            "from": f"{one.body.start:%Y-%m-%d}",
            "rows": one.body.rows,
            "version": one.body.version or None,
            "measured": _measured(one.body),
            "new": len(one.body.alerts),
            "open": len(one.body.open_alerts()),
            "id": one.id,
        }
        for one in reports
    ]
    emit(reports, table(rows, empty="No report yet: none of the windows is over."), as_json=as_json)


def _measured(report: "MonitoringReport") -> str | None:
    """The main metric of the version that answered."""
    live = next((one for one in report.performance if one.role == "live" and one.metrics), None)
    return f"{live.metrics[0].name} {live.metrics[0].value:.3f}" if live else None


@app.command()
def show(
    report: Annotated[str, typer.Argument(help="An id, or latest.")] = "latest",
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show a report: alerts, performance, drift, warnings."""
    from heptad.cli.reading import record_named
    from heptad.monitoring import MonitoringReport
    from heptad.project import open_project

    workspace = open_project(project).workspace
    record = record_named(workspace, MonitoringReport, report, "windows are reported once they are over: heptad up")
    body = record.body
    overview = {
        "report": record.id,
        "window": f"{body.start:%Y-%m-%d %H:%M} to {body.end:%Y-%m-%d %H:%M}",
        "version": body.version or None,
        "rows": f"{body.rows:,}, asked by {', '.join(body.callers) or 'nobody'}",
        "latency": f"{shown(body.latency_p50_ms)} ms, 99% below {shown(body.latency_p99_ms)} ms",
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
    drift = [{"distance": one.distance, "column": one.column, "": one.sentence} for one in body.drift if one.drifted]
    warned = [{"rows": count, "warning": said} for said, count in body.warnings.items()]
    text = [facts(overview)]
    text += [
        section(f"Alerts, {what}", wrapped(f"{one.sentence} ({one.id})" for one in alerts) or "none")
        for what, alerts in (("new", body.alerts), ("since earlier", body.ongoing))
    ]
    text += [section("Performance", table(performance)), section("Drift", table(drift, empty="none"))]
    text += [section("Warnings in replies", table(warned, empty="none"))]
    emit(record, "\n\n".join(text), as_json=as_json)


@app.command()
def label(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with the columns id, value, at and known_at.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Add labels of predictions from a file.

    A label names its prediction by id; adding it again changes nothing.
    """
    from heptad.project import open_project

    added = open_project(project).serving.add_labels_from(file)
    emit({"added": added}, f"{added:,} labels added", as_json=as_json)
