"""Why something is as it is: the chain of records behind it, each with its id, time and actor."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.query import Compare, Query
from heptad.core.records import AliasRef, Id, RawRecord
from heptad.core.workspace import Workspace
from heptad.lifecycle.sentences import sentence_of
from heptad.monitoring import Alert, MonitoringReport
from heptad.release import ModelVersion
from heptad.serving import Prediction

MOST = 40
"""Links of a chain that are told; the nearest come first."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain: what role it plays for what stands before it, and what it says."""

    role: str
    id: Id
    kind: str
    at: datetime
    actor: str
    sentence: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: a sentence about the thing itself, then what it came from, nearest first."""

    subject: str
    sentence: str
    chain: list[Reason]


def why_record(workspace: Workspace, ref: str) -> Why:
    """Why a record is as it is; `ref` is its id, or `champion`. Raises `NotFoundError`."""
    alias = AliasRef(f"model:{workspace.name}", ref)
    (record,) = workspace.store.get([alias if ref in {"champion", "challenger", "previous"} else ref])
    return Why(
        subject=record.id, sentence=sentence_of(record), chain=[_reason("this", record), *_behind(workspace, record)]
    )


def why_alert(workspace: Workspace, ref: str) -> Why | None:
    """Why an alert was raised: the report that raised it, and the version it is about; `None` where there is none."""
    for report in graph.find(workspace, MonitoringReport, Query(kind=MonitoringReport.kind)):
        alert: Alert | None = next((one for one in report.body.alerts if one.id == ref), None)
        if alert is not None:
            chain = why_record(workspace, report.id).chain
            return Why(subject=ref, sentence=alert.sentence, chain=chain)
    return None


def why_prediction(workspace: Workspace, prediction: Prediction) -> Why:
    """Why a row was answered as it was: the version that answered, and everything behind that."""
    versions = graph.find(
        workspace,
        ModelVersion,
        Query(
            kind=ModelVersion.kind,
            scopes=None,
            where=Compare("version", "=", int(prediction.version.rsplit("@", 1)[1])),
        ),
    )
    version = next((one for one in versions if one.body.label == prediction.version), None)
    if version is None:
        raise NotFoundError("model version", prediction.version)
    sentence = (
        f"{prediction.label} ({prediction.score:.3f}) by {prediction.version} at {prediction.at:%Y-%m-%d %H:%M}, "
        f"asked by {prediction.caller}"
    )
    warned = "; warned: " + "; ".join(prediction.warnings) if prediction.warnings else ""
    return Why(subject=prediction.id, sentence=sentence + warned, chain=why_record(workspace, version.id).chain)


def _behind(workspace: Workspace, record: RawRecord) -> list[Reason]:
    """What a record was made from, as far as that goes, nearest first, each once."""
    links = workspace.store.trace([record.id], "ancestors")
    roles: dict[Id, str] = {}
    for link in links:
        if link.target != record.id:
            roles.setdefault(link.target, link.role)
    ids: Sequence[Id] = list(roles)[:MOST]
    return [_reason(roles[one.id], one) for one in workspace.store.get(ids)]


def _reason(role: str, record: RawRecord) -> Reason:
    return Reason(
        role=role, id=record.id, kind=record.kind, at=record.at, actor=record.actor, sentence=sentence_of(record)
    )
