"""Versions, decisions and their history in words and plain data, for whoever shows them."""

from collections.abc import Sequence

import msgspec

from heptad.core import graph
from heptad.core.query import Compare, Query
from heptad.core.records import Event, Record
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion, Document
from heptad.release.card import Subject, model_card
from heptad.release.gates import figure
from heptad.release.records import ADOPTED, Decision, ModelVersion
from heptad.release.registry import Registry, VersionRef, approvals_of, label_of
from heptad.training import Candidate


class VersionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a version: its records, who approved, what was done to it.

    `card` is written by `to_markdown`.
    """

    version: Record[ModelVersion]
    candidate: Record[Candidate]
    dataset: Record[DatasetVersion]
    decision: Record[Decision]
    approvals: dict[str, str]
    history: list[Event]
    card: Document


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A version in one line of a table."""

    version: str
    aliases: str
    status: str
    estimator: str
    metric: str
    value: float | None
    registered: str
    approvals: int


def show_version(workspace: Workspace, about: str, ref: VersionRef) -> VersionDetails:
    """Everything that is known of a version; `about` is what the project says of itself. Read off the records."""
    registry = Registry(workspace, workspace.name)
    version = registry.version(ref)
    candidate = graph.load(workspace, version.body.candidate, Candidate)
    decision = graph.load(workspace, version.body.decision, Decision)
    dataset = graph.load(workspace, candidate.body.dataset, DatasetVersion)
    label = version.body.label
    return VersionDetails(
        version=version,
        candidate=candidate,
        dataset=dataset,
        decision=decision,
        approvals=approvals_of(version),
        history=[event for event in registry.history() if event.subject == version.id],
        card=model_card(Subject(about=about, candidate=candidate, dataset=dataset, decision=decision, label=label)),
    )


def find_version(workspace: Workspace, ref: VersionRef) -> Record[ModelVersion]:
    """A version of the project's own model or of a client's; raises `NotFoundError`."""
    return Registry(workspace, workspace.name).version(ref)


def newest_versions(workspace: Workspace, limit: int) -> list[Record[ModelVersion]]:
    """The versions of all models, newest first."""
    query = Query(kind=ModelVersion.kind, where=Compare("deleted", "exists", False))
    return graph.find(workspace, ModelVersion, query, limit)


def external_facts(version: Record[ModelVersion]) -> list[tuple[str, str]]:
    """Label and text of what is known of a version that a client registered."""
    line, body = version_line(version), version.body
    adopted = version.attributes.get(ADOPTED)
    fate = f"adopted as {adopted}" if adopted else "no gate has seen it, and it is not deployed"
    facts = [
        ("version", f"{line.version} ({version.id})"),
        ("status", f"external{', ' + line.aliases if line.aliases else ''}: {fate}"),
        ("registered", f"{line.registered} UTC by {version.actor}"),
        ("source", body.source),
        ("run", body.run or "none"),
        ("stage", str(version.attributes.get("stage", "None"))),
        ("files", f"{len(body.files):,}"),
    ]
    told = version.attributes.get("description")
    return [*facts, ("description", str(told))] if told else facts


def version_line(version: Record[ModelVersion]) -> VersionLine:
    """What a list of versions shows of one; `latest` is no news where the newest stands first."""
    return VersionLine(
        version=label_of(version),
        aliases=", ".join(sorted(alias for alias in version.aliases if alias != "latest")),
        status="external" if version.body.origin == "external" else str(version.attributes.get("status", "registered")),
        estimator=version.body.estimator,
        metric=version.body.metric,
        value=version.body.value,
        registered=f"{version.at:%Y-%m-%d %H:%M}",
        approvals=len(approvals_of(version)),
    )


def version_facts(details: VersionDetails) -> list[tuple[str, str]]:
    """Label and text of what is worth knowing first, in order."""
    line, candidate, dataset = version_line(details.version), details.candidate.body, details.dataset.body
    value = "not defined" if line.value is None else figure(line.value)
    facts = [
        ("version", f"{line.version} ({details.version.id})"),
        ("status", f"{line.status}{', ' + line.aliases if line.aliases else ''}"),
        ("registered", f"{line.registered} UTC by {details.version.actor}"),
        ("estimator", f"{line.estimator}, {_params(candidate)}"),
        (line.metric, f"{value} on {candidate.split.judge_rows:,} held-out rows"),
        ("data", f"{dataset.name}@{dataset.version} ({details.dataset.id}), window {candidate.window}"),
        ("decision", f"{details.decision.body.reason} ({details.decision.id})"),
        ("package", details.version.body.package),
    ]
    facts += [("approved by", f"{actor}: {reason}") for actor, reason in sorted(details.approvals.items())]
    return facts


def history_lines(events: Sequence[Event]) -> list[str]:
    """What was done, oldest first: when, what to which version, by whom, and why."""
    return [_event_line(event) for event in events]


def decision_lines(decision: Decision) -> list[str]:
    """A line for each gate, with its sentence."""
    return [f"{'holds' if gate.passed else 'FAILS'}  {gate.gate}: {gate.sentence}" for gate in decision.gates]


_DONE = {
    "release.version_registered": "registered",
    "release.approved": "approved",
    "release.promoted": "promoted",
    "release.rolled_back": "made champion again",
    "release.refused": "refused",
}


def _event_line(event: Event) -> str:
    replaced = f" in place of {event.body['replaced']}" if event.body.get("replaced") else ""
    reason = f": {event.body['reason']}" if event.body.get("reason") else ""
    done = _DONE[event.kind]
    return f"{event.at:%Y-%m-%d %H:%M}  {event.body['version']} {done}{replaced} by {event.actor}{reason}"


def _params(candidate: Candidate) -> str:
    if candidate.external:
        return f"trained elsewhere, registered as {candidate.external}"
    shown = ", ".join(f"{name} = {_short(value)}" for name, value in sorted(candidate.params.items()))
    return shown or "its defaults"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
