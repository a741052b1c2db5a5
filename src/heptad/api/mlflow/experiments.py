"""Experiments of the protocol: made, found, renamed, tagged, deleted and restored."""

from collections.abc import Sequence
from typing import Any

from heptad.api.mlflow.entities import experiment_entity
from heptad.api.mlflow.errors import ProtocolError, exists, invalid, missing
from heptad.api.mlflow.experiment_search import SearchExperiments, search_experiments
from heptad.api.mlflow.limits import (
    EXPERIMENT_NAME,
    EXPERIMENT_TAG_VALUE,
    LOCATION,
    check_key,
    check_length,
    check_tags,
)
from heptad.api.mlflow.protocol import Call, Context, Route, Tag, is_deleted, required
from heptad.core.errors import ConflictError
from heptad.core.query import Compare, Condition, Not, Query
from heptad.core.records import Attribute, Change, NewEvent, Record, Scalar
from heptad.core.store import at_seconds
from heptad.experiments import Experiment, Run, create_experiment, find_experiment, rename_experiment

CHANGED = "experiments.experiment_changed"
_PAGE = 1000


class CreateExperiment(Call, frozen=True, kw_only=True):
    name: str = ""
    artifact_location: str = ""
    tags: list[Tag] = []


class GetExperiment(Call, frozen=True, kw_only=True):
    experiment_id: str = ""


class GetByName(Call, frozen=True, kw_only=True):
    experiment_name: str = ""


class UpdateExperiment(Call, frozen=True, kw_only=True):
    experiment_id: str = ""
    new_name: str = ""


class SetTag(Call, frozen=True, kw_only=True):
    experiment_id: str = ""
    key: str = ""
    value: str = ""


class DeleteTag(Call, frozen=True, kw_only=True):
    experiment_id: str = ""
    key: str = ""


def _create(context: Context, call: CreateExperiment) -> dict[str, str]:
    _check_name(call.name)
    check_tags(call.tags, EXPERIMENT_TAG_VALUE)
    attributes: dict[str, Scalar] = {f"tags.{tag.key}": tag.value for tag in call.tags}
    if call.artifact_location:
        attributes["artifact_location"] = _location(call.artifact_location)
    try:
        made = create_experiment(context.workspace, call.name, attributes)
    except ConflictError:
        raise exists(f"Experiment(name={call.name}) already exists.") from None
    return {"experiment_id": str(made.body.number)}


def _check_name(name: str) -> None:
    if not name:
        raise invalid(f"Invalid experiment name: {name!r}")
    check_length(name, EXPERIMENT_NAME, "name")


def _location(location: str) -> str:
    """Where a client keeps the artifacts by itself; the server never opens it."""
    check_length(location, LOCATION, "artifact_location")
    if "://" not in location or "#" in location or "?" in location or ".." in location.split("/"):
        raise invalid(
            f"Invalid value {location!r} for parameter 'artifact_location': an address such as s3://bucket/folder is "
            "needed, without '..', '#' and '?'; leave it out, and the server keeps the artifacts."
        )
    return location


def _get(context: Context, call: GetExperiment) -> dict[str, Any]:
    return {"experiment": experiment_entity(context.experiment(call.experiment_id))}


def _get_by_name(context: Context, call: GetByName) -> dict[str, Any]:
    required(call, "experiment_name")
    found = find_experiment(context.workspace, call.experiment_name)
    if found is None:
        raise missing("experiment", f"name {call.experiment_name!r}")
    return {"experiment": experiment_entity(found)}


def _update(context: Context, call: UpdateExperiment) -> dict[str, Any]:
    found = _active(context, call.experiment_id)
    _check_name(call.new_name)
    try:
        rename_experiment(context.workspace, found, call.new_name)
    except ConflictError:
        raise exists(f"Experiment(name={call.new_name}) already exists.") from None
    return {}


def _delete(context: Context, call: GetExperiment) -> dict[str, Any]:
    """The experiment, and its runs that are not deleted yet, at one and the same time."""
    found = context.experiment(call.experiment_id)
    if is_deleted(found):
        raise ProtocolError("RESOURCE_DOES_NOT_EXIST", f"The experiment {call.experiment_id} is deleted already.")
    now = at_seconds(context.workspace.clock.now())
    runs = _runs(context, found, Not(Compare("deleted", ">=", 0.0)))
    _mark(context, found, runs, now)
    return {}


def _restore(context: Context, call: GetExperiment) -> dict[str, Any]:
    """The experiment, and the runs that were deleted with it."""
    found = context.experiment(call.experiment_id)
    if not is_deleted(found):
        raise ProtocolError("RESOURCE_DOES_NOT_EXIST", f"The experiment {call.experiment_id} is not deleted.")
    runs = _runs(context, found, Compare("deleted", "=", found.attributes["deleted"]))
    _mark(context, found, runs, None)
    return {}


def _set_tag(context: Context, call: SetTag) -> dict[str, Any]:
    check_key(call.key, "key")
    check_length(call.value, EXPERIMENT_TAG_VALUE, "value")
    _change(context, _active(context, call.experiment_id), {f"tags.{call.key}": call.value})
    return {}


def _delete_tag(context: Context, call: DeleteTag) -> dict[str, Any]:
    required(call, "key")
    found = _active(context, call.experiment_id)
    if f"tags.{call.key}" not in found.attributes:
        raise missing("tag", f"name {call.key!r} on experiment {call.experiment_id}")
    _change(context, found, {f"tags.{call.key}": None})
    return {}


def _active(context: Context, identity: str) -> Record[Experiment]:
    found = context.experiment(identity)
    if is_deleted(found):
        raise invalid(f"The experiment {identity} must be in the 'active' state. Current state is deleted.")
    return found


def _runs(context: Context, experiment: Record[Experiment], where: Condition) -> list[str]:
    query = Query(kind=Run.kind, scopes=[experiment.body.scope], where=where, attributes=())
    found: list[str] = []
    after = None
    while True:
        page = context.workspace.store.find(query, after, _PAGE)
        found += [record.id for record in page.items]
        after = page.after
        if after is None:
            return found


def _mark(context: Context, experiment: Record[Experiment], runs: Sequence[str], deleted: float | None) -> None:
    marks = [Attribute(run, "deleted", deleted) for run in runs]
    _change(context, experiment, {"deleted": deleted}, marks)


def _change(
    context: Context, experiment: Record[Experiment], values: dict[str, Scalar], others: Sequence[Attribute] = ()
) -> None:
    now = context.workspace.clock.now()
    changed = {**values, "updated": at_seconds(now)}
    context.workspace.store.write(
        Change(
            attributes=[*(Attribute(experiment.id, key, value) for key, value in changed.items()), *others],
            events=[NewEvent(kind=CHANGED, subject=experiment.id, body=values)],
            at=now,
        )
    )


ROUTES = (
    Route("POST", "mlflow/experiments/create", CreateExperiment, _create),
    Route("GET", "mlflow/experiments/get", GetExperiment, _get),
    Route("GET", "mlflow/experiments/get-by-name", GetByName, _get_by_name),
    Route("POST", "mlflow/experiments/update", UpdateExperiment, _update),
    Route("POST", "mlflow/experiments/delete", GetExperiment, _delete),
    Route("POST", "mlflow/experiments/restore", GetExperiment, _restore),
    Route("POST", "mlflow/experiments/set-experiment-tag", SetTag, _set_tag),
    Route("POST", "mlflow/experiments/delete-experiment-tag", DeleteTag, _delete_tag),
    Route("GET", "mlflow/experiments/search", SearchExperiments, search_experiments),
    Route("POST", "mlflow/experiments/search", SearchExperiments, search_experiments),
)
