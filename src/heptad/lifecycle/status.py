"""The loop at a glance: what is live, how it does, what is pending; read from records, and whether a server runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from heptad.core import graph
from heptad.core.query import Compare, Query
from heptad.core.records import Body, Change, Event, Id, Record
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion, StreamState
from heptad.experiments import Run
from heptad.lifecycle.records import Plan
from heptad.monitoring import Alert, MonitoringReport
from heptad.release import Decision, ModelVersion
from heptad.serving import Deployment, serve_folder
from heptad.training import Candidate, Metric

B = TypeVar("B", bound=Body)

_MOST_FAILED = 100


class StepStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One step in a sentence, with the newest record that it wrote."""

    step: str
    sentence: str
    record: Id = ""
    at: datetime | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All seven steps, what is wrong, and what somebody should do next."""

    project: str
    now: datetime
    steps: list[StepStatus]
    alerts: list[Alert]
    pending: list[str]
    streams: list[StreamState] = []
    """What has landed, who lands it, and how fresh the features made of it are."""


def read_status(workspace: Workspace, streams: Sequence[StreamState] = ()) -> Status:
    """The state of the workspace's project now; `streams` are those that it has."""
    scope = [workspace.name]
    dataset, candidate = newest(workspace, DatasetVersion, scope), newest(workspace, Candidate, scope)
    decision, deployment = newest(workspace, Decision, scope), newest(workspace, Deployment, scope)
    report, plan = newest(workspace, MonitoringReport, scope), newest(workspace, Plan, scope)
    champion = graph.find_alias(workspace, f"model:{workspace.name}", "champion", ModelVersion)
    challenger = graph.find_alias(workspace, f"model:{workspace.name}", "challenger", ModelVersion)
    answered = bool(serve_folder(workspace).pids())
    return Status(
        project=workspace.name,
        now=workspace.clock.now(),
        steps=[
            _data(dataset),
            _experiments(workspace),
            _training(candidate),
            _release(champion, decision),
            _serving(deployment, answered),
            _monitoring(report),
            _lifecycle(plan),
        ],
        alerts=report.body.open_alerts() if report else [],
        pending=[
            *_to_start(dataset, decision, champion, deployment),
            *([] if answered or not deployment else ["no server of this machine answers: heptad up"]),
            *_undecided(plan, challenger),
            *_held_up(streams),
        ],
        streams=list(streams),
    )


def newest(workspace: Workspace, kind: type[B], scopes: Sequence[str] | None = None) -> Record[B] | None:
    """The record of a kind that was written last."""
    return next(iter(graph.find(workspace, kind, Query(kind=kind.kind, scopes=scopes), limit=1)), None)


def newest_events(workspace: Workspace, limit: int) -> list[Event]:
    """The events at the end of the log, the newest first."""
    last = workspace.store.write(Change())  # nothing is written: it answers where the log ends
    return workspace.store.follow(max(0, last - limit), limit=limit)[::-1]


def figure(metric: Metric) -> str:
    """A metric with its interval, as text."""
    return f"{metric.name} {metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})"


def _step(step: str, record: Record[B] | None, sentence: str) -> StepStatus:
    if record is None:
        return StepStatus(step=step, sentence="nothing yet")
    return StepStatus(step=step, sentence=sentence, record=record.id, at=record.at)


def _data(dataset: Record[DatasetVersion] | None) -> StepStatus:
    if dataset is None:
        return _step("data", dataset, "")
    body = dataset.body
    return _step("data", dataset, f"version {body.version}: {body.rows:,} rows, {body.labelled:,} with labels")


def _experiments(workspace: Workspace) -> StepStatus:
    run = newest(workspace, Run)
    if run is None:
        return _step("experiments", run, "")
    query = Query(kind=Run.kind, where=Compare("status", "=", "failed"), attributes=())
    failed = len(workspace.store.find(query, limit=_MOST_FAILED).items)
    trouble = f", {failed}{' or more' if failed == _MOST_FAILED else ''} failed" if failed else ""
    return _step("experiments", run, f"newest run: {run.body.name}, {run.attributes.get('status')}{trouble}")


def _training(candidate: Record[Candidate] | None) -> StepStatus:
    if candidate is None:
        return _step("training", candidate, "")
    evaluation = candidate.body.evaluation
    main = evaluation.value(evaluation.metric)
    value = figure(main) if main else f"no {evaluation.metric}"
    return _step("training", candidate, f"{candidate.body.estimator} on {candidate.body.window}: {value}")


def _release(champion: Record[ModelVersion] | None, decision: Record[Decision] | None) -> StepStatus:
    if champion is not None:
        body = champion.body
        value = f"no {body.metric}" if body.value is None else f"{body.metric} {body.value:.3f}"
        return _step("release", champion, f"champion {body.label}: {body.estimator}, {value} at release")
    return _step("release", decision, f"no champion; last decision: {decision.body.reason}" if decision else "")


def _serving(deployment: Record[Deployment] | None, answered: bool) -> StepStatus:
    if deployment is None:
        return _step("serving", deployment, "")
    routes = ", ".join(f"{route.label} {route.role}" for route in deployment.body.routes)
    without = "" if answered else ", but no server runs here"
    return _step("serving", deployment, f"generation {deployment.body.generation}: {routes}{without}")


def _monitoring(report: Record[MonitoringReport] | None) -> StepStatus:
    if report is None:
        return _step("monitoring", report, "")
    body = report.body
    live = next((one for one in body.performance if one.role == "live"), None)
    measured = figure(live.metrics[0]) if live and live.metrics else "no labels yet"
    alerts = len(body.open_alerts())
    return _step("monitoring", report, f"{body.rows:,} rows until {body.end:%d %b}: {measured}, {alerts} alerts open")


def _lifecycle(plan: Record[Plan] | None) -> StepStatus:
    if plan is None:
        return _step("lifecycle", plan, "")
    outcome = plan.attributes.get("outcome") or plan.attributes.get("stage")
    return _step("lifecycle", plan, f"plan of {plan.at:%d %b}: {outcome}")


def _held_up(streams: Sequence[StreamState]) -> list[str]:
    """Streams that nobody lands although somebody should, and views that stay behind them."""
    waiting = [
        f"nothing lands the stream {one.name}: heptad up" + (f"; the last time: {one.problem}" if one.problem else "")
        for one in streams
        if one.always and not one.landing
    ]
    return waiting + [
        f"{view.view or 'the features'} of the stream {one.name} stays behind: {view.problem}"
        for one in streams
        for view in (one.last.online if one.last else [])
        if view.problem
    ]


def _to_start(
    dataset: Record[DatasetVersion] | None,
    decision: Record[Decision] | None,
    champion: Record[ModelVersion] | None,
    deployment: Record[Deployment] | None,
) -> list[str]:
    """The first thing that was never done."""
    if dataset is None:
        return ["nothing has been run: heptad run"]
    if champion is None and decision and not decision.body.accepted:
        return [f"no candidate held its gates: heptad why {decision.id}"]
    if champion is None:
        return ["no version is champion: heptad release list, then heptad release promote VERSION --reason '...'"]
    return [] if deployment else ["the champion is not served: heptad up"]


def _undecided(plan: Record[Plan] | None, challenger: Record[ModelVersion] | None) -> list[str]:
    """What waits for a trial to end, a plan to go on, or a person to decide."""
    stage = plan.attributes.get("stage") if plan else "ended"
    if plan and stage == "trial" and "waits" in plan.attributes:
        return [f"a challenger is not promoted yet: {plan.attributes['waits']}"]
    if plan and stage == "trial":
        return [f"a challenger is on trial since {plan.at:%Y-%m-%d}: heptad lifecycle show {plan.id}"]
    if plan and stage == "retraining":
        return [f"a plan of {plan.at:%Y-%m-%d} is retraining; where nothing works on it: heptad up"]
    if challenger:
        number = challenger.body.version
        return [f"{challenger.body.label} waits as challenger: heptad release promote {number} --reason '...'"]
    return []
