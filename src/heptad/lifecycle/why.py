"""Why something is as it is: the chain of records behind it, each with its id, time and actor.

Reads records and events alone; only a prediction needs its model.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.query import Compare, Query, equals
from heptad.core.records import Id, Link, RawRecord, Record
from heptad.core.workspace import Workspace
from heptad.experiments import Environment
from heptad.lifecycle import flow_reason
from heptad.lifecycle.records import Plan
from heptad.lifecycle.sentences import IN_ORDER, sentence_of
from heptad.monitoring import MonitoringReport
from heptad.release import ModelVersion
from heptad.serving import Deployment, Prediction, find_prediction
from heptad.training import Candidate

if TYPE_CHECKING:
    # Only a prediction is explained, and what explains it loads onnxruntime.
    from heptad.training import Explanation

MOST = 40
"""Links of a chain that are told; the nearest come first."""
FOLLOWED = 10
"""Records made from the thing itself that are told, the newest."""
COMPARED = ("champion", "previous")
"""Roles of what was there before: it explains what a thing had to beat, not what it is."""
ALIASES = ("champion", "challenger", "previous", "latest")
_KNOWN_BY = "list some: heptad serving list, release list, monitoring show, lifecycle plans, events"
DECIDED = ("release.promoted", "release.rolled_back", "release.approved", "release.refused")
"""Events that say who did what to a version, with a reason."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain: what role it plays for what stands before it, and what it says."""

    role: str
    id: Id
    kind: str
    at: datetime
    actor: str
    sentence: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: a sentence about the thing itself, what it came from, nearest first, and what came of it.

    Of a prediction also what each input added to its score, the weightiest first, starting from `base`, the mean over
    the package's background rows; empty where its inputs were not logged.
    """

    subject: str
    sentence: str
    chain: list[Reason]
    followed: list[Reason] = []
    base: float | None = None
    contributions: dict[str, float] = {}
    inputs: dict[str, object] = {}


def why_so(workspace: Workspace, ref: str, seed: int) -> Why:
    """Why a record, version, alert, task `FLOW/TASK` or prediction is as it is; raises `NotFoundError`.

    A prediction is explained by its model, with draws by `seed`; everything else is read off the records.
    """
    return why_recorded(workspace, ref) or _why_predicted(workspace, ref, seed)


def _why_predicted(workspace: Workspace, ref: str, seed: int) -> Why:
    # Only a prediction is explained, and what explains it loads onnxruntime.
    from heptad.release import open_package, trusted_keys  # noqa: PLC0415
    from heptad.training import explain  # noqa: PLC0415

    try:
        prediction = find_prediction(workspace, ref)
    except NotFoundError as error:
        raise NotFoundError("record, alert, task or prediction", ref, remedy=_KNOWN_BY) from error
    version = version_of(workspace, prediction)
    package = open_package(workspace.blobs.get(version.body.package), trusted_keys(workspace))
    row = {one.name: prediction.inputs.get(one.name) for one in package.signature.inputs}
    explanation = explain(package.model, row, package.background, seed) if prediction.inputs else None
    return why_prediction(workspace, prediction, version, explanation)


def why_recorded(workspace: Workspace, ref: str) -> Why | None:
    """Why a record, model version, alert or task is as it is; `None` where `ref` names none of these."""
    return next((found for find in _FINDERS if (found := find(workspace, ref)) is not None), None)


def why_prediction(
    workspace: Workspace,
    prediction: Prediction,
    version: Record[ModelVersion],
    explanation: "Explanation | None" = None,
) -> Why:
    """Why a row was answered as it was: what moved the score, what routed it there, and what is behind the version."""
    query = Query(kind=Deployment.kind, scopes=[prediction.endpoint], where=equals(generation=prediction.generation))
    deployments = workspace.store.find(query, limit=1).items
    warned = f"; warned: {'; '.join(prediction.warnings)}" if prediction.warnings else ""
    return Why(
        subject=prediction.id,
        sentence=f"{_answer(prediction)} by {prediction.version} ({prediction.role}) "
        f"at {prediction.at:%Y-%m-%d %H:%M}, asked by {prediction.caller}{warned}",
        chain=[
            *(_reason("deployment", one) for one in deployments),
            *_of_record(workspace, version.id, "version").chain,
        ],
        base=explanation.base if explanation else None,
        contributions=explanation.contributions if explanation else {},
        inputs=prediction.inputs,
    )


def version_of(workspace: Workspace, prediction: Prediction) -> Record[ModelVersion]:
    """The version that answered; raises `NotFoundError`."""
    name, _, number = prediction.version.rpartition("@")
    query = Query(kind=ModelVersion.kind, scopes=[name], where=equals(version=int(number)))
    found = graph.find(workspace, ModelVersion, query, limit=1)
    if not found:
        raise NotFoundError("model version", prediction.version)
    return found[0]


def _why_task(workspace: Workspace, ref: str) -> Why | None:
    """A task `FLOW/TASK`, or a result of one: which part of it changed since it ran before, back to the cause."""
    try:
        reason = flow_reason.why(workspace, ref)
    except NotFoundError:
        return None
    results = [reason.result, *_causes(reason)]
    said = [str(reason), *(str(one) for one in _reasons_behind(reason))]
    records = workspace.store.get(results)
    chain = [
        msgspec.structs.replace(_reason("because" if position else "this", record), sentence=sentence)
        for position, (record, sentence) in enumerate(zip(records, said, strict=True))
    ]
    return Why(subject=ref, sentence=str(reason), chain=chain)


def _why_record(workspace: Workspace, ref: str) -> Why | None:
    if not re.fullmatch(r"[a-z_]+-[a-z2-7]{16}", ref):
        return None
    try:
        return _of_record(workspace, ref)
    except NotFoundError:
        return None


def _why_version(workspace: Workspace, ref: str) -> Why | None:
    """`champion`, `3`, `NAME@3` or `NAME@champion`."""
    name, _, which = ref.rpartition("@")
    if name not in {"", workspace.name}:
        return None
    if which in ALIASES:
        found = graph.find_alias(workspace, f"model:{workspace.name}", which, ModelVersion)
        return _of_record(workspace, found.id) if found else None
    if not which.isdecimal():
        return None
    query = Query(kind=ModelVersion.kind, scopes=[workspace.name], where=equals(version=int(which)), attributes=())
    numbered = workspace.store.find(query, limit=1).items
    return _of_record(workspace, numbered[0].id) if numbered else None


def _why_alert(workspace: Workspace, ref: str) -> Why | None:
    """The report that raised it, and the version that it is about."""
    if not re.fullmatch(r"alert-[a-z2-7]{16}", ref):
        return None
    raised = Query(kind=MonitoringReport.kind, where=Compare(f"alert.{ref}", "exists", True))
    for report in graph.find(workspace, MonitoringReport, raised, limit=1):
        alert = next(one for one in report.body.alerts if one.id == ref)
        told = _of_record(workspace, report.id, "raised by")
        return Why(subject=ref, sentence=alert.sentence, chain=told.chain, followed=told.followed)
    return None


_FINDERS: Sequence[Callable[[Workspace, str], Why | None]] = (_why_task, _why_record, _why_version, _why_alert)


def _of_record(workspace: Workspace, identity: Id, role: str = "this") -> Why:
    (record,) = workspace.store.get([identity])
    own = [_reason(role, record), *_details(workspace, record)]
    behind = [
        reason for role, one in _behind(workspace, record) for reason in (_reason(role, one), *_details(workspace, one))
    ]
    ahead = [_reason(one.kind.replace("_", " "), one) for one in _ahead(workspace, record)]
    return Why(subject=record.id, sentence=sentence_of(record), chain=own + behind, followed=ahead)


def _behind(workspace: Workspace, record: RawRecord) -> list[tuple[str, RawRecord]]:
    """What a record was made from, as far as that goes, nearest first, each once, with the role it played.

    What is behind the things that it was only compared to is another story, which their own ids tell.
    """
    made_from: dict[Id, list[Link]] = {}
    for link in workspace.store.trace([record.id], "ancestors"):
        made_from.setdefault(link.source, []).append(link)
    roles: dict[Id, str] = {}
    ahead = deque(made_from.get(record.id, []))
    while ahead:
        link = ahead.popleft()
        if link.target not in roles:
            roles[link.target] = link.role
            ahead += [] if link.role in COMPARED else made_from.get(link.target, [])
    return [(roles[one.id], one) for one in workspace.store.get(list(roles)[:MOST])]


def _ahead(workspace: Workspace, record: RawRecord) -> list[RawRecord]:
    """The newest of what was made from a record directly, or by it where it is a plan, in order of time."""
    sources = dict.fromkeys(link.source for link in workspace.store.trace([record.id], "in"))
    found = {one.id: one for one in workspace.store.get(list(sources))}
    if record.kind == Plan.kind:
        acts = Query(kind="", where=Compare("@actor", "=", f"plan:{record.id}"))
        found |= {one.id: one for one in workspace.store.find(acts).items}
    return sorted(found.values(), key=lambda one: (one.at, IN_ORDER.index(one.kind), one.id))[-FOLLOWED:]


def _details(workspace: Workspace, record: RawRecord) -> list[Reason]:
    """What is known of a record beside it: who decided about a version, and the code that made a candidate."""
    if record.kind == ModelVersion.kind:
        events = [one for one in workspace.store.follow(0, DECIDED) if one.subject == record.id]
        return [
            Reason(
                role=one.kind.partition(".")[2].replace("_", " "),
                id=record.id,
                kind=one.kind,
                at=one.at,
                actor=one.actor,
                sentence=str(one.body.get("reason", "")),
            )
            for one in events
        ]
    return [_code_of(workspace, graph.typed(record, Candidate))] if record.kind == Candidate.kind else []


def _code_of(workspace: Workspace, candidate: Record[Candidate]) -> Reason:
    made = msgspec.json.decode(workspace.blobs.get(candidate.body.environment), type=Environment)
    commit = f"commit {made.commit[:12]}" if made.commit else "code that is in no repository"
    changed = " with uncommitted changes" if made.diff else ""
    return Reason(
        role="code",
        id=candidate.body.environment[:16],
        kind="environment",
        at=candidate.at,
        actor=candidate.actor,
        sentence=f"{commit}{changed}, Python {made.python}, heptad {made.packages.get('heptad', 'unknown')}",
    )


def _reason(role: str, record: RawRecord) -> Reason:
    return Reason(
        role=role, id=record.id, kind=record.kind, at=record.at, actor=record.actor, sentence=sentence_of(record)
    )


def _reasons_behind(reason: flow_reason.Reason) -> list[flow_reason.Reason]:
    """The reasons inside of a reason, depth first."""
    inside = [one.reason for one in reason.differences if one.reason is not None]
    return [found for one in inside for found in (one, *_reasons_behind(one))]


def _causes(reason: flow_reason.Reason) -> list[Id]:
    return [one.result for one in _reasons_behind(reason)]


def _answer(prediction: Prediction) -> str:
    if isinstance(prediction.label, str):
        return f"{prediction.label} ({prediction.score:.3f})"
    return f"{prediction.label:.4g}"
