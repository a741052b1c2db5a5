"""Runs of the protocol: begun, read, ended, deleted and restored; what they read and what they made."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from heptad.api.mlflow import logged
from heptad.api.mlflow.entities import MODEL_OUTPUT, run_entities, run_info
from heptad.api.mlflow.errors import invalid, missing
from heptad.api.mlflow.limits import BATCH_TAGS, RUN_TAG_VALUE, check_count, check_length, check_tags, cut
from heptad.api.mlflow.protocol import Call, Context, Int64, Millis, Route, Tag, is_deleted, required
from heptad.api.mlflow.run_records import ATTEMPTS, active_run, overtaken, run_named
from heptad.api.mlflow.run_search import SearchRuns, search_runs
from heptad.core.errors import ConflictError, UnavailableError
from heptad.core.identity import current_actor
from heptad.core.records import Attribute, Change, NewEvent, RawRecord, Record, Scalar, new_id
from heptad.core.store import at_seconds
from heptad.experiments import Experiment, Run

ENDED = frozenset({"finished", "failed", "killed"})
Status = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
_LONGEST_NAME = 8000


class CreateRun(Call, frozen=True, kw_only=True):
    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Millis | None = None
    tags: list[Tag] = []


class OfRun(Call, frozen=True, kw_only=True):
    run_id: str = ""
    run_uuid: str = ""

    @property
    def run(self) -> str:
        return self.run_id or self.run_uuid


class UpdateRun(OfRun, frozen=True, kw_only=True):
    status: Status | None = None
    end_time: Millis | None = None
    run_name: str | None = None


class DeleteTag(OfRun, frozen=True, kw_only=True):
    key: str = ""


class LogModel(OfRun, frozen=True, kw_only=True):
    model_json: str = ""


class ModelOutput(msgspec.Struct, frozen=True, kw_only=True):
    model_id: str
    step: Int64 = 0


class Outputs(OfRun, frozen=True, kw_only=True):
    models: list[ModelOutput] = []


def _create(context: Context, call: CreateRun) -> dict[str, Any]:
    """Begin a run in the experiment as it was last seen; where it has changed since, look at it and begin again."""
    check_tags(call.tags)
    call = msgspec.structs.replace(call, tags=cut(call.tags, RUN_TAG_VALUE, "tag"))
    named = next((tag.value for tag in call.tags if tag.key == "mlflow.runName"), "")
    if named and call.run_name and named != call.run_name:
        raise invalid(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name="
            f"{call.run_name!r}, mlflow.runName={named!r})."
        )
    check_length(call.run_name or named, _LONGEST_NAME, "run_name")
    experiment = context.remembered_experiment(call.experiment_id)
    for _ in range(ATTEMPTS):
        if is_deleted(experiment):
            raise invalid(
                f"The experiment {call.experiment_id} must be in the 'active' state. Current state is deleted."
            )
        record = _new_run(context, call, experiment, call.run_name or named)
        try:
            context.workspace.store.write(_beginning(context, call, experiment, record))
        except ConflictError:
            experiment = context.experiment(call.experiment_id)
        else:
            return {"run": run_entities(context, [record])[0]}
    raise UnavailableError(f"Others changed the experiment {call.experiment_id} {ATTEMPTS} times meanwhile.")


def _new_run(context: Context, call: CreateRun, experiment: Record[Experiment], name: str) -> RawRecord:
    now, identity = context.workspace.clock.now(), new_id(Run.prefix)
    name = name or f"run {identity[-6:]}"
    attributes: dict[str, Scalar] = {
        "status": "running",
        "started": at_seconds(now) if call.start_time is None else call.start_time / 1000,
        **logged.tag_values([*call.tags, Tag(key="mlflow.runName", value=name)]),
    }
    if call.user_id:
        attributes["user"] = call.user_id[:RUN_TAG_VALUE]
    if place := experiment.attributes.get("artifact_location"):
        attributes["artifact_uri"] = f"{str(place).rstrip('/')}/{identity}/artifacts"
    return Record(
        id=identity,
        kind=Run.kind,
        scope=experiment.body.scope,
        at=now,
        actor=current_actor(),
        body=msgspec.to_builtins(Run(name=name, experiment=str(experiment.attributes["name"]))),
        attributes=dict(sorted(attributes.items())),
    )


def _beginning(context: Context, call: CreateRun, experiment: Record[Experiment], run: RawRecord) -> Change:
    """The run with its event and its parent, provided that the experiment is active and is called so still."""
    parent = next((tag.value for tag in call.tags if tag.key == "mlflow.parentRunId"), "")
    return Change(
        records=[run],
        links=logged.parent_links(context, run.id, parent) if parent else [],
        events=[NewEvent(kind="experiments.run_started", subject=run.id, body={"name": run.body["name"]})],
        expected=[Attribute(experiment.id, key, experiment.attributes.get(key)) for key in ("deleted", "name")],
        at=run.at,
        actor=run.actor,
    )


def _get(context: Context, call: OfRun) -> dict[str, Any]:
    return {"run": run_entities(context, [run_named(context, call.run)])[0]}


def _update(context: Context, call: UpdateRun) -> dict[str, Any]:
    """End a run, or name it; of several who end it at once, the last has the word, and one event says that it ended."""
    for _ in range(ATTEMPTS):
        record = active_run(run_named(context, call.run, ("status", "name", "started", "ended", "deleted", "user")))
        values: dict[str, Scalar] = {}
        if call.status is not None:
            values["status"] = call.status.lower()
        if call.end_time is not None:
            values["ended"] = call.end_time / 1000
        if call.run_name:
            check_length(call.run_name, _LONGEST_NAME, "run_name")
            values |= {"name": call.run_name, "tags.mlflow.runName": call.run_name}
        ends = values.get("status") in ENDED and record.attributes.get("status") not in ENDED
        event = "experiments.run_finished" if ends else logged.CHANGED
        if _written(context, call.run, values, event, {"status": record.attributes.get("status"), "deleted": None}):
            changed = {**record.attributes, **values}
            return {"run_info": run_info(context, msgspec.structs.replace(record, attributes=changed))}
    raise overtaken(call.run)


def _delete(context: Context, call: OfRun) -> dict[str, Any]:
    record = run_named(context, call.run, ("deleted",))
    if not is_deleted(record):
        _written(context, call.run, {"deleted": at_seconds(context.workspace.clock.now())}, logged.CHANGED, {})
    return {}


def _restore(context: Context, call: OfRun) -> dict[str, Any]:
    record = run_named(context, call.run, ("deleted",))
    if is_deleted(record):
        _written(context, call.run, {"deleted": None, "deleted_reason": None}, logged.CHANGED, {})
    return {}


def _delete_tag(context: Context, call: DeleteTag) -> dict[str, Any]:
    required(call, "key")
    name = f"tags.{call.key}"[:500]
    record = active_run(run_named(context, call.run, ("deleted", name)))
    if name not in record.attributes:
        raise missing("tag", f"name {call.key!r} in run with id {call.run}")
    _written(context, call.run, {name: None}, logged.CHANGED, {})
    return {}


def _log_model(context: Context, call: LogModel) -> dict[str, Any]:
    """A model of the 2.x client, noted in a tag that lists them all."""
    try:
        model = msgspec.json.decode(call.model_json or "-")
    except msgspec.DecodeError:
        raise invalid("Malformed model info: 'model_json' is not JSON.") from None
    if not isinstance(model, dict) or not {"artifact_path", "flavors", "utc_time_created", "run_id"} <= set(model):
        raise invalid("Model json is missing mandatory fields.")
    name = "tags.mlflow.log-model.history"
    for _ in range(ATTEMPTS):
        record = active_run(run_named(context, call.run, ("deleted", name)))
        known = record.attributes.get(name)
        models = json.dumps([*json.loads(str(known or "[]")), model])
        if _written(context, call.run, {name: models}, logged.CHANGED, {name: known}):
            return {}
    raise overtaken(call.run)


def _outputs(context: Context, call: Outputs) -> dict[str, Any]:
    check_count(len(call.models), BATCH_TAGS, "models")
    active_run(run_named(context, call.run, ("deleted",)))
    values: dict[str, Scalar] = {f"{MODEL_OUTPUT}{model.model_id[:256]}": model.step for model in call.models}
    _written(context, call.run, values, logged.CHANGED, {})
    return {}


def _written(
    context: Context, run: str, values: Mapping[str, Scalar], event: str, expected: Mapping[str, Scalar]
) -> bool:
    """Write attributes with the event; false where they were not as expected any more."""
    if not values:
        return True
    try:
        context.workspace.store.write(
            Change(
                attributes=[Attribute(run, key, value) for key, value in values.items()],
                expected=[Attribute(run, key, value) for key, value in expected.items()],
                events=[NewEvent(kind=event, subject=run, body=values)],
                at=context.workspace.clock.now(),
            )
        )
    except ConflictError:
        return False
    return True


ROUTES = (
    Route("POST", "mlflow/runs/create", CreateRun, _create),
    Route("GET", "mlflow/runs/get", OfRun, _get),
    Route("POST", "mlflow/runs/update", UpdateRun, _update),
    Route("POST", "mlflow/runs/delete", OfRun, _delete),
    Route("POST", "mlflow/runs/restore", OfRun, _restore),
    Route("POST", "mlflow/runs/delete-tag", DeleteTag, _delete_tag),
    Route("POST", "mlflow/runs/log-model", LogModel, _log_model),
    Route("POST", "mlflow/runs/outputs", Outputs, _outputs),
    Route("POST", "mlflow/runs/search", SearchRuns, search_runs),
)
