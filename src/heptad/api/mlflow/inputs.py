"""Data sets and models that a run says it has read."""

import json
from typing import Any

import msgspec

from heptad.api.mlflow.entities import INPUT, MODEL_INPUT
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.limits import check_count
from heptad.api.mlflow.logged import CHANGED
from heptad.api.mlflow.protocol import Call, Context, Route, Tag, required
from heptad.api.mlflow.run_records import active_run, run_named
from heptad.core import graph
from heptad.core.query import Query
from heptad.core.records import Attribute, Change, Link, NewEvent, Scalar
from heptad.experiments import LoggedDataset

MOST = 1000
_LONGEST = {"name": 500, "digest": 36, "schema": 1_048_575, "source": 65_535, "profile": 16_777_215}
_CONTEXT = "mlflow.data.context"
_SUMMARIES = 1000


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInput(msgspec.Struct, frozen=True, kw_only=True):
    dataset: Dataset
    tags: list[Tag] = []


class ModelInput(msgspec.Struct, frozen=True, kw_only=True):
    model_id: str


class LogInputs(Call, frozen=True, kw_only=True):
    run_id: str = ""
    datasets: list[DatasetInput] = []
    models: list[ModelInput] = []


class SearchDatasets(Call, frozen=True, kw_only=True):
    experiment_ids: list[str] = []


def _log_inputs(context: Context, call: LogInputs) -> dict[str, Any]:
    check_count(len(call.datasets), MOST, "datasets")
    check_count(len(call.models), MOST, "models")
    for one in call.datasets:
        _check(one)
    run = active_run(run_named(context, call.run_id, ("deleted",)))
    values: dict[str, Scalar] = {f"{MODEL_INPUT}{model.model_id[:256]}": True for model in call.models}
    links: list[Link] = []
    for one in call.datasets:
        record = graph.save(
            context.workspace,
            _body(one),
            scope=run.scope,
            key=(one.dataset.name, one.dataset.digest, _context(one)),
            attributes={"name": one.dataset.name, "digest": one.dataset.digest, "context": _context(one)},
        )
        values[f"{INPUT}{record.id}"] = json.dumps([{"key": tag.key, "value": tag.value} for tag in one.tags])
        links.append(Link(run.id, "data", record.id))
    if values:
        context.workspace.store.write(
            Change(
                attributes=[Attribute(run.id, key, value) for key, value in values.items()],
                links=links,
                events=[NewEvent(kind=CHANGED, subject=run.id, body={"inputs": len(values)})],
                at=context.workspace.clock.now(),
            )
        )
    return {}


def _check(one: DatasetInput) -> None:
    dataset = one.dataset
    required(dataset, "name", "digest", "source_type", "source")
    for field, most in _LONGEST.items():
        if len(getattr(dataset, field)) > most:
            raise invalid(f"{field} exceeds the maximum length of {most} characters.")
    for tag in one.tags:
        if not tag.key or len(tag.key) > 255 or len(tag.value) > 500:
            raise invalid(f"Input tag {tag.key[:60]!r}: a key has 1 to 255 characters, a value up to 500.")


def _context(one: DatasetInput) -> str:
    return next((tag.value for tag in one.tags if tag.key == _CONTEXT), "")


def _body(one: DatasetInput) -> LoggedDataset:
    dataset = one.dataset
    return LoggedDataset(
        name=dataset.name,
        digest=dataset.digest,
        source_type=dataset.source_type,
        source=dataset.source,
        columns=dataset.schema,
        profile=dataset.profile,
        context=_context(one),
    )


def _search(context: Context, call: SearchDatasets) -> dict[str, Any]:
    if not 1 <= len(call.experiment_ids) <= 20:
        raise invalid(f"SearchDatasets takes 1 to 20 experiment_ids, not {len(call.experiment_ids)}.")
    query = Query(kind=LoggedDataset.kind, scopes=context.scopes(call.experiment_ids), attributes=())
    found = graph.find(context.workspace, LoggedDataset, query, _SUMMARIES)
    return {
        "dataset_summaries": [
            {
                "experiment_id": str(context.number_of(one.scope)),
                "name": one.body.name,
                "digest": one.body.digest,
                "context": one.body.context,
            }
            for one in found
        ]
    }


ROUTES = (
    Route("POST", "mlflow/runs/log-inputs", LogInputs, _log_inputs),
    Route("POST", "mlflow/experiments/search-datasets", SearchDatasets, _search),
)
