"""The loop at a glance: what is live, how it does, what is pending; read from records alone."""

from datetime import datetime
from typing import TypeVar

import msgspec

from heptad.core import graph
from heptad.core.query import Compare, Order, Query
from heptad.core.records import Body, Id, Record
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion
from heptad.experiments import Run
from heptad.lifecycle.records import Plan
from heptad.monitoring import Alert, MonitoringReport
from heptad.release import Decision, ModelVersion
from heptad.serving import Deployment
from heptad.training import Candidate, Metric

B = TypeVar("B", bound=Body)


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


def read_status(workspace: Workspace) -> Status:
    """The state of the workspace's project now."""
    name = workspace.name
    dataset = newest(workspace, DatasetVersion)
    champion = graph.find_alias(workspace, f"model:{name}", "champion", ModelVersion)
    deployment = newest(workspace, Deployment)
    report = newest(workspace, MonitoringReport)
    plan = newest(workspace, Plan)
    steps = [
        _data(dataset),
        _experiments(workspace),
        _training(newest(workspace, Candidate)),
        _release(champion, newest(workspace, Decision)),
        _serving(deployment),
        _monitoring(report),
        _lifecycle(plan),
    ]
    alerts = [*report.body.alerts, *report.body.ongoing] if report else []
    return Status(
        project=name,
        now=workspace.clock.now(),
        steps=steps,
        alerts=alerts,
        pending=_pending(dataset, champion, deployment, plan),
    )


def newest(workspace: Workspace, kind: type[B]) -> Record[B] | None:
    """The record of a kind that was written last."""
    found = graph.find(workspace, kind, Query(kind=kind.kind, order=[Order("@at", descending=True)]), limit=1)
    return found[0] if found else None


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
    failed = graph.find(workspace, Run, Query(kind=Run.kind, where=Compare("status", "=", "failed")), limit=100)
    trouble = f", {len(failed)} failed" if failed else ""
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
        return _step("release", champion, f"champion {body.label}: {body.estimator}, {body.metric} {body.value:.3f}")
    return _step("release", decision, f"no champion; last decision: {decision.body.reason}" if decision else "")


def _serving(deployment: Record[Deployment] | None) -> StepStatus:
    if deployment is None:
        return _step("serving", deployment, "")
    routes = ", ".join(f"{route.label} {route.role}" for route in deployment.body.routes)
    return _step("serving", deployment, f"generation {deployment.body.generation}: {routes}")


def _monitoring(report: Record[MonitoringReport] | None) -> StepStatus:
    if report is None:
        return _step("monitoring", report, "")
    body = report.body
    live = next((one for one in body.performance if one.role == "live"), None)
    measured = figure(live.metrics[0]) if live and live.metrics else "no labels yet"
    open_alerts = len(body.alerts) + len(body.ongoing)
    return _step(
        "monitoring", report, f"{body.rows:,} rows until {body.end:%d %b}: {measured}, {open_alerts} alerts open"
    )


def _lifecycle(plan: Record[Plan] | None) -> StepStatus:
    if plan is None:
        return _step("lifecycle", plan, "")
    outcome = plan.attributes.get("outcome")
    return _step("lifecycle", plan, f"plan of {plan.at:%d %b}: {outcome or plan.attributes.get('stage')}")


def _pending(
    dataset: Record[DatasetVersion] | None,
    champion: Record[ModelVersion] | None,
    deployment: Record[Deployment] | None,
    plan: Record[Plan] | None,
) -> list[str]:
    """What waits for somebody or something, most urgent first."""
    pending = []
    if dataset is None:
        pending.append("nothing has been run: heptad run")
    elif champion is None:
        pending.append("no version is champion: heptad release list, then heptad release promote VERSION")
    elif deployment is None:
        pending.append("the champion is not served: heptad up")
    if plan is not None and plan.attributes.get("stage") == "trial":
        pending.append(f"a challenger is on trial since {plan.at:%Y-%m-%d}: heptad lifecycle show {plan.id}")
    return pending
