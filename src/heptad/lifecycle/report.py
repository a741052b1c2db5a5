"""The report of a rehearsal: one HTML page that shows how the loop did beside a model that was left as it was."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from heptad.core import graph
from heptad.core.markup import Markup, element, joined, page, table
from heptad.core.query import Order, Query
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.lifecycle import charts
from heptad.lifecycle.records import Plan, Rehearsal
from heptad.lifecycle.sentences import sentence_of
from heptad.lifecycle.summary import SIDES, Answered, Summaries, Summary
from heptad.monitoring import MonitoringReport
from heptad.release import ModelVersion
from heptad.training import MEASURES, CalibrationBin, Candidate, attribution_plot, calibration_of

_SHOWN_ANCESTORS = 14


def render_rehearsal(
    workspace: Workspace, rehearsal: Record[Rehearsal], summaries: Summaries, about: str, drift: float
) -> str:
    """The page; it reads records and the log, and decides nothing. `drift` is the distance that is an alert."""
    answered, summary = summaries.scored(rehearsal), summaries.of(rehearsal)
    reports = _reports(workspace, rehearsal)
    plans = graph.find(workspace, Plan, Query(kind=Plan.kind, scopes=[rehearsal.scope], order=[Order("@at")]))
    champion = graph.find_alias(workspace, f"model:{workspace.name}", "champion", ModelVersion)
    title = f"{workspace.name}: {rehearsal.body.start:%d %b %Y} to {rehearsal.body.end:%d %b %Y}"
    sections = [
        element("h1", title),
        element("p", about, class_="quiet"),
        _headline(summary),
        _section("Score by week", _scores(answered, reports, plans, workspace), _SCORES),
        _section("What the loop did", _timeline(rehearsal, reports, plans, workspace), _TIMELINE),
        _section("By month", _months(summary)),
        _section("Drift", _drift(reports, drift), _DRIFT),
        _section("Calibration, attributions, costs", _calibration(answered, champion, rehearsal, workspace)),
        _section("Where the champion comes from", _lineage(workspace, champion), _LINEAGE) if champion else None,
        _section("Plans", _plans(plans)),
    ]
    return page(title, element("main", *sections))


_SCORES = (
    "Each week scored on its own labels. The loop is what really answered; frozen is the first model, scored on the "
    "same rows. Green lines are promotions."
)
_TIMELINE = "Bars are champions from their promotion on; dots are how plans ended and when alerts were raised."
_DRIFT = (
    "How far each feature of the week's requests was from what the champion of that week had learnt from. A "
    "promotion starts a new reference, so columns become pale again."
)
_LINEAGE = "Every record that the final champion was made from, nearest first."
_MARKS: dict[str, pl.DataType] = {"at": pl.Datetime("us", "UTC"), "what": pl.String(), "row": pl.String()}


def _section(title: str, body: Markup | None, note: str = "") -> Markup:
    return element("section", element("h2", title), element("p", note, class_="quiet") if note else None, body)


def _headline(summary: Summary) -> Markup:
    name = MEASURES[summary.metric].title
    loop, frozen = (float("nan") if one is None else one for one in (summary.loop, summary.frozen))
    better = "better" if (loop > frozen) == (MEASURES[summary.metric].better == "higher") else "worse"
    kept = f"had the first model been kept ({better} by {abs(loop - frozen):.3f})"
    sentence = (
        f"{summary.predictions:,} rows were answered, {summary.labels:,} of them got a label. "
        f"{summary.retrained} plans retrained the model: {summary.promoted} challengers were promoted, "
        f"{summary.refused} refused. {summary.alerts} alerts were raised, {summary.failed_requests} requests failed."
    )
    return element(
        "section",
        element(
            "div",
            element("span", f"{loop:.3f}", class_="big"),
            element("span", element("b", name), f" of the loop over all rows; {frozen:.3f} {kept}"),
            class_="headline",
        ),
        element("p", sentence),
    )


def _reports(workspace: Workspace, rehearsal: Record[Rehearsal]) -> list[Record[MonitoringReport]]:
    query = Query(kind=MonitoringReport.kind, order=[Order("@at")])
    found = graph.find(workspace, MonitoringReport, query)
    return [one for one in found if rehearsal.body.start <= one.body.start < rehearsal.body.end]


def _scores(
    answered: Answered,
    reports: Sequence[Record[MonitoringReport]],
    plans: Sequence[Record[Plan]],
    workspace: Workspace,
) -> Markup:
    weeks = []
    for report in reports:
        week = pl.col("at").is_between(report.body.start, report.body.end, closed="left")
        weeks.append({"week": report.body.start} | {side: answered.score(side, week) for side in SIDES})
    promotions = [(at, label) for at, label, _ in _reigns(workspace, plans)]
    schema: dict[str, pl.DataType] = {
        "week": pl.Datetime("us", "UTC"),
        "loop": pl.Float64(),
        "frozen": pl.Float64(),
    }
    return charts.score_by_week(pl.DataFrame(weeks, schema=schema), promotions, MEASURES[answered.metric].title)


def _reigns(workspace: Workspace, plans: Sequence[Record[Plan]]) -> list[tuple[datetime, str, str]]:
    """When a plan made which version champion, and which version it was when the plan began."""
    reigns = []
    for plan in plans:
        if plan.attributes.get("outcome") == "promoted":
            version = graph.load(workspace, str(plan.attributes["challenger"]), ModelVersion)
            before = graph.load(workspace, plan.body.champion, ModelVersion)
            reigns.append(
                (datetime.fromisoformat(str(plan.attributes["ended"])), version.body.label, before.body.label)
            )
    return sorted(reigns)


def _timeline(
    rehearsal: Record[Rehearsal],
    reports: Sequence[Record[MonitoringReport]],
    plans: Sequence[Record[Plan]],
    workspace: Workspace,
) -> Markup:
    first = graph.load(workspace, rehearsal.body.first_version, ModelVersion)
    starts = [(rehearsal.body.start, first.body.label), *((at, label) for at, label, _ in _reigns(workspace, plans))]
    ends = [*(at for at, _ in starts[1:]), rehearsal.body.end]
    bars = [
        {"version": label, "start": start, "end": end, "row": "champion"}
        for (start, label), end in zip(starts, ends, strict=True)
    ]
    marks = [
        {
            "at": datetime.fromisoformat(str(plan.attributes["ended"])),
            "what": str(plan.attributes["outcome"]),
            "row": "plans",
        }
        for plan in plans
        if "ended" in plan.attributes
    ]
    marks += [{"at": one.body.end, "what": "alert", "row": "alerts"} for one in reports if one.body.alerts]
    return charts.timeline(
        pl.DataFrame(bars),
        pl.DataFrame(marks, schema=_MARKS),
    )


def _months(summary: Summary) -> Markup:
    rows = summary.table()

    def shown(value: object) -> str:
        return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)

    return table(list(rows[0]), [[shown(value) for value in row.values()] for row in rows], class_="figures")


def _drift(reports: Sequence[Record[MonitoringReport]], limit: float) -> Markup:
    cells = [
        {"week": report.body.start, "column": column.column, "distance": column.distance}
        for report in reports
        for column in report.body.drift
    ]
    if not cells:
        return element("p", "No window was over, or inputs are not logged.")
    return charts.drift_map(pl.DataFrame(cells), limit)


def _calibration(
    answered: Answered, champion: Record[ModelVersion] | None, rehearsal: Record[Rehearsal], workspace: Workspace
) -> Markup:
    parts = []
    lines: dict[str, list[CalibrationBin]] = {side: calibration_of(answered.samples[side]) for side in SIDES}
    if any(lines.values()):
        parts.append(_titled("Calibration over the whole time", charts.calibration(lines)))
    if champion is not None:
        weights = graph.load(workspace, champion.body.candidate, Candidate).body.evaluation.attributions
        if weights:
            parts.append(_titled(f"What moves {champion.body.label}", attribution_plot(weights)))
    spent = {
        key.removeprefix("seconds."): float(value or 0)
        for key, value in rehearsal.attributes.items()
        if key.startswith("seconds.")
    }
    if spent:
        parts.append(_titled("Seconds by step", charts.costs(spent)))
    return element("div", parts, class_="grid")


def _titled(title: str, chart: Markup) -> Markup:
    return element("div", element("h3", title), chart)


def _lineage(workspace: Workspace, champion: Record[ModelVersion]) -> Markup:
    links = workspace.store.trace([champion.id], "ancestors")
    depth = {champion.id: 0}
    for link in links:
        depth.setdefault(link.target, depth.get(link.source, 0) + 1)
    ids = list(depth)[:_SHOWN_ANCESTORS]
    records = {record.id: record for record in workspace.store.get(ids)}
    taken: dict[int, int] = {}
    nodes = []
    for identity in ids:
        column = depth[identity]
        row = taken[column] = taken.get(column, -1) + 1
        nodes.append(
            {
                "id": identity,
                "x": -column,
                "y": -row,
                "title": records[identity].kind.replace("_", " "),
                "text": identity,
            }
        )
    places = {node["id"]: (node["x"], node["y"]) for node in nodes}
    edges = [
        {
            "x": places[link.source][0],
            "y": places[link.source][1],
            "x2": places[link.target][0],
            "y2": places[link.target][1],
        }
        for link in links
        if link.source in places and link.target in places
    ]
    told = [[records[one].kind.replace("_", " "), one, sentence_of(records[one])] for one in ids]
    return joined(charts.lineage(pl.DataFrame(nodes), pl.DataFrame(edges)), table(["", "id", ""], told, class_="ids"))


def _plans(plans: Sequence[Record[Plan]]) -> Markup:
    rows = [
        [
            f"{plan.at:%d %b}",
            str(plan.attributes.get("outcome") or plan.attributes.get("stage")),
            plan.body.triggers[0].sentence,
            str(plan.attributes.get("reason") or ""),
        ]
        for plan in plans
    ]
    return table(["begun", "outcome", "why it began", "why it ended so"], rows)
