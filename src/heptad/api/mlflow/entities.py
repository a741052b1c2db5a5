"""Records as the protocol shows them: an experiment, a run with its data, inputs and outputs."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heptad.api.mlflow.codec import LARGEST, metric_number
from heptad.api.mlflow.protocol import Context, is_deleted, millis
from heptad.core.records import RawRecord, Record, Scalar
from heptad.core.store import at_seconds
from heptad.experiments import Experiment, LoggedDataset

INPUT, MODEL_INPUT, MODEL_OUTPUT = "inputs.", "model_inputs.", "outputs."
"""Prefixes of a run's attributes: data sets read, with their tags; models read; models made, with the step."""
_NO_STEP = "0 0"


def experiment_entity(record: Record[Experiment]) -> dict[str, Any]:
    attributes = record.attributes
    number = record.body.number
    return {
        "experiment_id": str(number),
        "name": attributes.get("name", record.body.name),
        "artifact_location": attributes.get("artifact_location", f"mlflow-artifacts:/{number}"),
        "lifecycle_stage": "deleted" if is_deleted(record) else "active",
        "last_update_time": millis(attributes.get("updated")),
        "creation_time": millis(at_seconds(record.at)),
        "tags": _pairs({key[5:]: value for key, value in attributes.items() if key.startswith("tags.")}),
    }


def artifact_uri(context: Context, record: RawRecord) -> str:
    """Where a client puts the artifacts of a run: through this server, or where the experiment says."""
    place = record.attributes.get("artifact_uri")
    return str(place) if place else f"mlflow-artifacts:/{context.number_of(record.scope)}/{record.id}/artifacts"


def run_info(context: Context, record: RawRecord) -> dict[str, Any]:
    attributes = record.attributes
    info: dict[str, Any] = {
        "run_uuid": record.id,
        "experiment_id": str(context.number_of(record.scope)),
        "run_name": attributes.get("name", record.body.get("name", "")),
        "user_id": attributes.get("user", record.actor.partition(":")[2]),
        "status": str(attributes.get("status", "running")).upper(),
        "start_time": started(record),
        "artifact_uri": artifact_uri(context, record),
        "lifecycle_stage": "deleted" if is_deleted(record) else "active",
        "run_id": record.id,
    }
    if "ended" in attributes:
        info["end_time"] = millis(attributes["ended"])
    return info


def started(record: RawRecord) -> int:
    return millis(record.attributes.get("started", at_seconds(record.at)))


def run_entities(context: Context, records: Sequence[RawRecord]) -> list[dict[str, Any]]:
    """Runs with all they have; the data sets of all of them are fetched at once."""
    wanted = {key.removeprefix(INPUT) for record in records for key in record.attributes if key.startswith(INPUT)}
    datasets = {one.id: one for one in context.workspace.store.get(sorted(wanted), ())} if wanted else {}
    return [_run(context, record, datasets) for record in records]


def _run(context: Context, record: RawRecord, datasets: Mapping[str, RawRecord]) -> dict[str, Any]:
    attributes = record.attributes
    kinds: defaultdict[str, dict[str, Scalar]] = defaultdict(dict)
    for key, value in attributes.items():
        kind, dot, name = key.partition(".")
        if dot:
            kinds[kind][name] = value
    tags = kinds["tags"]
    if "mlflow.runName" not in tags and attributes.get("name"):
        tags["mlflow.runName"] = attributes["name"]
    run: dict[str, Any] = {
        "info": run_info(context, record),
        "data": {
            "metrics": _metrics(kinds["metrics"], kinds["latest"], record),
            "params": _pairs(kinds["params"]),
            "tags": _pairs(tags),
        },
        "inputs": {
            "dataset_inputs": [dataset_input(datasets[key], str(value)) for key, value in kinds["inputs"].items()],
            "model_inputs": [{"model_id": key} for key in kinds["model_inputs"]],
        },
    }
    if outputs := kinds["outputs"]:
        run["outputs"] = {"model_outputs": [{"model_id": key, "step": value} for key, value in outputs.items()]}
    return run


def _metrics(values: Mapping[str, Scalar], places: Mapping[str, Scalar], record: RawRecord) -> list[dict[str, Any]]:
    """The latest values. Runs that end without telling steps and times (ours) have those of their end."""
    attributes = record.attributes
    end = 0, millis(attributes["ended"]) if "ended" in attributes else started(record)
    metrics: list[dict[str, Any]] = []
    for key, value in values.items():
        step, at = latest_place(places[key]) if key in places else end
        number = float(value) if isinstance(value, int | float) else math.nan
        metrics.append({"key": key, "value": metric_number(number), "timestamp": at, "step": step})
    return metrics


def latest_place(place: Scalar) -> tuple[int, int]:
    """Step and milliseconds of an attribute `latest.NAME`."""
    step, _, at = str(place or _NO_STEP).partition(" ")
    return int(step), int(at)


def dataset_input(record: RawRecord, tags: str) -> dict[str, Any]:
    body = msgspec.convert(record.body, LoggedDataset)
    dataset = {"name": body.name, "digest": body.digest, "source_type": body.source_type, "source": body.source}
    if body.columns:
        dataset["schema"] = body.columns
    if body.profile:
        dataset["profile"] = body.profile
    return {"tags": json.loads(tags), "dataset": dataset}


def shown(value: Scalar) -> str:
    """A parameter or tag as text: of ours also numbers and truth values."""
    return value if isinstance(value, str) else str(value)


def finite(value: float) -> float:
    """A metric as it is kept: infinities as the largest number, as MLflow does."""
    return math.copysign(LARGEST, value) if math.isinf(value) else value


def _pairs(values: Mapping[str, Scalar]) -> list[dict[str, str]]:
    return [{"key": key, "value": shown(value)} for key, value in values.items()]
