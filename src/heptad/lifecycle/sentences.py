"""One sentence for every kind of record, so that a chain of them reads as a story."""

from collections.abc import Callable
from typing import Any, TypeVar

from heptad.core import graph
from heptad.core.flow_cache import TaskResult
from heptad.core.records import Body, Record
from heptad.data import (
    Correction,
    DataCard,
    DatasetVersion,
    ExpectationResult,
    FeatureView,
    FolderVersion,
    MessagesReleased,
    NoisyStatistics,
    RowsReleased,
    SplitRule,
    erased_in_words,
    pruned_in_words,
)
from heptad.experiments import Experiment, LoggedDataset, LoggedModel, Run, Study, Upload
from heptad.lifecycle.records import Erasure, Plan, Rehearsal, Verdict
from heptad.monitoring import MonitoringReport
from heptad.release import Decision, ModelVersion, RegisteredModel, label_of
from heptad.serving import Deployment
from heptad.training import Candidate

B = TypeVar("B", bound=Body)


def sentence_of(record: Record[Any]) -> str:
    """What the record says, in a sentence; its kind where nobody has written one."""
    say = _SENTENCES.get(record.kind)
    return say(record) if say else record.kind.replace("_", " ")


def _dataset(record: Record[DatasetVersion]) -> str:
    body = record.body
    warnings = sum(not finding.passed for finding in body.findings)
    sources = ", ".join(source.name for source in body.sources)
    gone = "; ".join(filter(None, [erased_in_words(record.attributes), pruned_in_words(record)]))
    return (
        f"data version {body.version} of {body.name}: {body.rows:,} rows, {body.labelled:,} with labels, "
        f"from {sources}, {warnings} warnings" + (f"; {gone}" if gone else "")
    )


def _card(record: Record[DataCard]) -> str:
    body, stated = record.body, record.body.stated
    return f"data card of {body.name}@{body.version}, owner {stated.owner or 'not stated'}"


def _correction(record: Record[Correction]) -> str:
    body = record.body
    columns = ", ".join(f"{count:,} of {name}" for name, count in body.columns.items())
    return f"correction of {body.name}@{body.version}: {columns}; {'; '.join(body.reasons[:2])}"


def _rule(record: Record[SplitRule]) -> str:
    body = record.body
    shares = " : ".join(f"{share:.3g}" for share in body.shares)
    within = f" within each {body.stratum}" if body.stratum else ""
    return f"split of {body.name} by hash of {', '.join(body.by)}, {shares}{within}"


def _expectations(record: Record[ExpectationResult]) -> str:
    body = record.body
    broken = [one.severity for one in body.findings if not one.passed]
    counts = ", ".join(f"{broken.count(one)} {one}" for one in ("error", "warning", "info") if one in broken)
    return (
        f"expectations of {body.name}@{body.version}: {len(body.findings) - len(broken)} of {len(body.findings)} hold"
        + (f"; broken: {counts}" if counts else "")
    )


def _released(record: Record[RowsReleased]) -> str:
    body, rows = record.body, len(record.body.rows)
    return f"{rows:,} {'row' if rows == 1 else 'rows'} of {body.name} released from quarantine: {body.reason}"


def _reread(record: Record[MessagesReleased]) -> str:
    body = record.body
    return (
        f"{body.rows:,} {'message' if body.rows == 1 else 'messages'} of the stream {body.name} released from"
        f" quarantine, {body.left:,} left: {body.reason}"
    )


def _view(record: Record[FeatureView]) -> str:
    body = record.body
    return f"definition {body.version} of the feature view {body.name}: {', '.join(one.name for one in body.features)}"


def _folder(record: Record[FolderVersion]) -> str:
    body = record.body
    forgotten = record.attributes.get("forgotten")
    return f"version {body.version} of the {body.what} {body.name}: {body.files:,} files, {body.bytes:,} bytes" + (
        f"; forgotten: {forgotten}" if forgotten else ""
    )


def _noisy(record: Record[NoisyStatistics]) -> str:
    body = record.body
    return (
        f"{len(body.figures)} figures of {body.name}@{body.version} told with noise for epsilon {body.epsilon:.4g}; "
        f"{body.spent:.4g} of {body.budget:g} is spent"
    )


def _study(record: Record[Study]) -> str:
    body = record.body
    return f"a search by {body.sampler}, to {body.direction} {body.metric}"


def _experiment(record: Record[Experiment]) -> str:
    return f"experiment {record.attributes.get('name')!r}, number {record.body.number}"


def _logged_dataset(record: Record[LoggedDataset]) -> str:
    body = record.body
    return f"data set {body.name!r}, digest {body.digest}" + (f", read for {body.context}" if body.context else "")


def _run(record: Record[Run]) -> str:
    params = ", ".join(f"{name} {_short(value)}" for name, value in sorted(record.body.params.items()))
    return f"run {record.body.name!r}, {record.attributes.get('status')}" + (f": {params}" if params else "")


def _candidate(record: Record[Candidate]) -> str:
    body = record.body
    main = body.evaluation.value(body.evaluation.metric)
    figure = f"{main.name} {main.value:.3f} ({main.low:.3f} to {main.high:.3f})" if main else "no figure"
    if body.external:
        return f"a model that was trained elsewhere, measured on {body.split.judge_rows:,} rows: {figure}"
    return f"{body.estimator} trained on {body.window} ({body.split.train_rows:,} rows): {figure}"


def _decision(record: Record[Decision]) -> str:
    return record.body.reason


def _version(record: Record[ModelVersion]) -> str:
    # "latest" is the counter that numbers versions, and no news to anybody.
    names = ", ".join(sorted(record.aliases.keys() - {"latest"}))
    made = record.body.estimator or f"registered by a client from {record.body.source}"
    return f"{label_of(record)}{f' ({names})' if names else ''}, {made}"


def _registered(record: Record[RegisteredModel]) -> str:
    whose = "of this project" if record.body.origin == "heptad" else "of a client"
    return f"registered model {record.attributes.get('name', record.body.name)}, {whose}"


def _logged_model(record: Record[LoggedModel]) -> str:
    return f"logged model {record.body.name!r}, {record.attributes.get('status')}"


def _upload(record: Record[Upload]) -> str:
    return f"upload of {record.body.name} in {record.body.parts:,} parts, {record.attributes.get('status')}"


def _deployment(record: Record[Deployment]) -> str:
    routes = ", ".join(f"{route.label} {route.role}" for route in record.body.routes)
    return f"generation {record.body.generation} ({routes}): {record.body.reason}"


def _report(record: Record[MonitoringReport]) -> str:
    body = record.body
    raised = " ".join(alert.sentence for alert in body.alerts[:3])
    return f"{body.start:%Y-%m-%d} to {body.end:%Y-%m-%d}: {body.rows:,} rows. {raised}".rstrip()


def _plan(record: Record[Plan]) -> str:
    why = " ".join(trigger.sentence for trigger in record.body.triggers[:2])
    outcome = record.attributes.get("outcome") or record.attributes.get("stage")
    reason = record.attributes.get("reason")
    return f"plan, {outcome}. Begun since {why}" + (f" Ended since {reason}" if reason else "")


def _erasure(record: Record[Erasure]) -> str:
    body, places = record.body, [f"{rows:,} in {place}" for place, rows in record.body.found.items() if rows]
    return (
        f"erasure of {body.subjects:,} by {', '.join(body.columns)}, {record.attributes.get('stage')}: rows "
        f"{', '.join(places) or 'nowhere'}; {len(body.models)} models saw some. Reason: {body.reason}"
    )


def _verdict(record: Record[Verdict]) -> str:
    return record.body.reason


def _rehearsal(record: Record[Rehearsal]) -> str:
    return f"rehearsal of {record.body.start:%Y-%m-%d} to {record.body.end:%Y-%m-%d}"


def _task(record: Record[TaskResult]) -> str:
    body = record.body
    return f"task {body.flow}/{body.task}, computed in {body.seconds:.2f} s"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _saying(kind: type[B], say: Callable[[Record[B]], str]) -> tuple[str, Callable[[Record[Any]], str]]:
    return kind.kind, lambda record: say(graph.typed(record, kind))


_SENTENCES: dict[str, Callable[[Record[Any]], str]] = dict(
    [
        _saying(FeatureView, _view),
        _saying(RowsReleased, _released),
        _saying(MessagesReleased, _reread),
        _saying(DatasetVersion, _dataset),
        _saying(DataCard, _card),
        _saying(Correction, _correction),
        _saying(SplitRule, _rule),
        _saying(ExpectationResult, _expectations),
        _saying(FolderVersion, _folder),
        _saying(NoisyStatistics, _noisy),
        _saying(Experiment, _experiment),
        _saying(LoggedDataset, _logged_dataset),
        _saying(Study, _study),
        _saying(Run, _run),
        _saying(LoggedModel, _logged_model),
        _saying(Upload, _upload),
        _saying(Candidate, _candidate),
        _saying(Decision, _decision),
        _saying(RegisteredModel, _registered),
        _saying(ModelVersion, _version),
        _saying(Deployment, _deployment),
        _saying(MonitoringReport, _report),
        _saying(Plan, _plan),
        _saying(Verdict, _verdict),
        _saying(Rehearsal, _rehearsal),
        _saying(Erasure, _erasure),
        _saying(TaskResult, _task),
    ]
)

IN_ORDER = list(_SENTENCES)
"""Kinds of records in the order in which a run, and then a loop, writes them."""
