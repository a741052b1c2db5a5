"""Logged models of the 3.x client: made, finished, read, searched, tagged, deleted; and what they were measured at."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from heptad.api.mlflow.artifacts import folder_name, listed, root_uri
from heptad.api.mlflow.codec import metric_number
from heptad.api.mlflow.conditions import LISTS, TEXTUAL, numeric, textual
from heptad.api.mlflow.entities import shown
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.limits import check_key, check_length, check_page, check_tags
from heptad.api.mlflow.owners import Place
from heptad.api.mlflow.protocol import Call, Context, Route, Tag, is_deleted
from heptad.api.mlflow.run_records import run_named
from heptad.api.mlflow.search_grammar import Clause, parse_filter
from heptad.core.query import All, Compare, Condition, Not, Order
from heptad.core.records import Record
from heptad.experiments import LoggedModel, LoggedModels, ModelMetric, on_data, points_of

Status = Literal[
    "LOGGED_MODEL_STATUS_UNSPECIFIED", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"
]
_STATUS = {"LOGGED_MODEL_PENDING": "pending", "LOGGED_MODEL_READY": "ready", "LOGGED_MODEL_UPLOAD_FAILED": "failed"}
_SHOWN = {ours: theirs for theirs, ours in _STATUS.items()}
_ENTITIES = {
    "": "attributes",
    "attributes": "attributes",
    "attribute": "attributes",
    "metrics": "metrics",
    "params": "params",
    "tags": "tags",
}
_TEXTS = {"name": "name", "model_type": "type", "status": "status", "source_run_id": "run", "model_id": "@id"}
_TIMES = {
    "creation_timestamp": "created",
    "creation_time": "created",
    "creation_timestamp_ms": "created",
    "last_updated_timestamp": "updated",
    "last_updated_time": "updated",
    "last_updated_timestamp_ms": "updated",
}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NOT_IN_A_NAME = frozenset("/:.%\"'")
_PAGE = 100


class Create(Call, frozen=True, kw_only=True):
    experiment_id: str = ""
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[Tag] = []
    tags: list[Tag] = []


class OfModel(Call, frozen=True, kw_only=True):
    model_id: str = ""
    allow_deleted: bool = False


class Finalize(OfModel, frozen=True, kw_only=True):
    status: Status


class SetParams(OfModel, frozen=True, kw_only=True):
    params: list[Tag] = []


class SetTags(OfModel, frozen=True, kw_only=True):
    tags: list[Tag] = []


class DeleteTag(OfModel, frozen=True, kw_only=True):
    tag_key: str = ""


class ListFiles(OfModel, frozen=True, kw_only=True):
    artifact_directory_path: str = ""
    page_token: str = ""


class OnData(msgspec.Struct, frozen=True, kw_only=True):
    dataset_name: str = ""
    dataset_digest: str = ""


class OrderBy(OnData, frozen=True, kw_only=True):
    field_name: str = ""
    ascending: bool = True


class Search(Call, frozen=True, kw_only=True):
    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[OnData] = []
    max_results: int = _PAGE
    order_by: list[OrderBy] = []
    page_token: str = ""


def _create(context: Context, call: Create) -> dict[str, Any]:
    experiment = context.experiment(call.experiment_id)
    if is_deleted(experiment):
        raise invalid(f"The experiment {call.experiment_id} must be in the 'active' state. Current state is deleted.")
    if _NOT_IN_A_NAME & set(call.name):
        raise invalid(
            f"Invalid model name ({call.name!r}) provided. Model name must be a non-empty string and cannot contain "
            f"the following characters: {sorted(_NOT_IN_A_NAME)}"
        )
    check_length(call.name, 500, "name")
    check_length(call.model_type, 500, "model_type")
    _check_params(call.params)
    check_tags(call.tags)
    run = run_named(context, call.source_run_id, ()).id if call.source_run_id else ""
    body = LoggedModel(
        name=call.name or "model", experiment=str(experiment.attributes["name"]), run=run, type=call.model_type
    )
    params = {param.key: param.value for param in call.params}
    tags = {tag.key: tag.value for tag in call.tags}
    return {"model": _entity(context, _models(context).create(body, experiment.body.scope, params, tags))}


def _check_params(params: Sequence[Tag]) -> None:
    for place, param in enumerate(params):
        check_key(param.key, f"params[{place}].key")


def _get(context: Context, call: OfModel) -> dict[str, Any]:
    return {"model": _entity(context, _models(context).get(call.model_id, deleted=call.allow_deleted))}


def _finalize(context: Context, call: Finalize) -> dict[str, Any]:
    status = _STATUS.get(call.status)
    if status is None:
        raise invalid(f"Invalid value {call.status!r} for parameter 'status': one of {', '.join(_STATUS)}")
    return {"model": _entity(context, _models(context).finish(call.model_id, status))}


def _delete(context: Context, call: OfModel) -> dict[str, Any]:
    _models(context).delete(call.model_id)
    return {}


def _set_params(context: Context, call: SetParams) -> dict[str, Any]:
    _check_params(call.params)
    _models(context).set_params(call.model_id, {one.key: one.value for one in call.params})
    return {}


def _set_tags(context: Context, call: SetTags) -> dict[str, Any]:
    check_tags(call.tags)
    _models(context).set_tags(call.model_id, {one.key: one.value for one in call.tags})
    return {}


def _delete_tag(context: Context, call: DeleteTag) -> dict[str, Any]:
    _models(context).remove_tag(call.model_id, call.tag_key)
    return {}


def _list(context: Context, call: ListFiles) -> dict[str, Any]:
    model = _models(context).get(call.model_id)
    files = listed(context, Place(model, folder_name(call.artifact_directory_path)))
    return {"root_uri": root_uri(context, model), "files": files}


def _search(context: Context, call: Search) -> dict[str, Any]:
    check_page(call.max_results)
    if any(not one.dataset_name for one in call.datasets):
        raise invalid("`dataset_name` in the `datasets` clause must be specified.")
    clauses = parse_filter(call.filter)
    where = [_condition(clause) for clause in clauses]
    order = [Order(_ordered(one), not one.ascending) for one in call.order_by]
    measured = [clause for clause in clauses if _ENTITIES[clause.entity] == "metrics"]

    def holds(record: Record[LoggedModel]) -> bool:
        if not measured:
            return any(_is_on(point, call.datasets) for point in points_of(record))
        return all(_measured(clause, call.datasets, record) for clause in measured)

    scopes, after = context.scopes(call.experiment_ids), call.page_token or None
    asked = holds if measured or call.datasets else None
    page = _models(context).search(scopes, All(where), order, call.max_results, after, asked)
    found: dict[str, Any] = {"models": [_entity(context, one) for one in page.items]}
    if page.after is not None:
        found["next_page_token"] = page.after
    return found


def _condition(clause: Clause) -> Condition:
    entity = _ENTITIES.get(clause.entity)
    if entity is None:
        raise invalid(f"Invalid entity type: {clause.entity!r}. Expected one of {sorted(set(_ENTITIES.values()))}.")
    if entity == "metrics":
        numeric(clause, clause.key)
        return Compare(f"metrics.{clause.key}", "exists", True)
    if entity != "attributes":
        return textual(clause, f"{entity}.{clause.key}", TEXTUAL | LISTS)
    if clause.key in _TIMES:
        return numeric(clause, _TIMES[clause.key])
    if clause.key not in _TEXTS:
        raise invalid(f"Invalid attribute key {clause.key!r} specified. Valid keys are {sorted({*_TEXTS, *_TIMES})}")
    if clause.key == "status" and isinstance(clause.value, str):
        clause = clause._replace(value=_STATUS.get(clause.value, clause.value))
    if clause.key == "model_id" and clause.operator in LISTS | {"=", "!="}:
        return _by_id(clause)
    return textual(clause, _TEXTS[clause.key], TEXTUAL | LISTS)


def _measured(clause: Clause, datasets: Sequence[OnData], record: Record[LoggedModel]) -> bool:
    """Whether a model has a value that meets the comparison, by any run, on any data or on any of these.

    An attribute holds only the value that was logged last, so each is looked at.
    """
    return any(
        point.key == clause.key
        and _COMPARE[clause.operator](point.value, clause.value)
        and (not datasets or _is_on(point, datasets))
        for point in points_of(record)
    )


def _is_on(point: ModelMetric, datasets: Sequence[OnData]) -> bool:
    return any(
        point.dataset == data.dataset_name and data.dataset_digest in {"", point.dataset_digest} for data in datasets
    )


def _by_id(clause: Clause) -> Condition:
    values = clause.value if isinstance(clause.value, tuple) else (clause.value,)
    if not all(isinstance(one, str) for one in values):
        raise invalid("model_id is compared with quoted values.")
    found = Compare("@id", "in", [str(one) for one in values])
    return found if clause.operator in {"=", "IN"} else Not(found)


def _ordered(one: OrderBy) -> str:
    entity, dot, key = one.field_name.partition(".")
    if dot:
        if entity != "metrics":
            raise invalid(f"Invalid order by field name: {one.field_name}. Only metrics are supported.")
        return on_data(one.dataset_name, one.dataset_digest, key) if one.dataset_name else f"metrics.{key}"
    known = {**_TEXTS, **_TIMES}
    if one.field_name not in known:
        raise invalid(f"Invalid order by field name: {one.field_name}")
    return known[one.field_name]


def log_model_metrics(context: Context, run: str, metrics: Sequence[Any]) -> None:
    """Let the models that metrics of a run are about have them too."""
    by_model: dict[str, list[ModelMetric]] = {}
    for one in metrics:
        if one.model_id:
            by_model.setdefault(one.model_id, []).append(
                ModelMetric(
                    one.key, one.value, one.timestamp, one.step, run, one.dataset_name or "", one.dataset_digest or ""
                )
            )
    for model, some in by_model.items():
        _models(context).log_metrics(model, some)


def _models(context: Context) -> LoggedModels:
    return LoggedModels(context.workspace)


def _entity(context: Context, record: Record[LoggedModel]) -> dict[str, Any]:
    attributes, body = record.attributes, record.body
    info: dict[str, Any] = {
        "model_id": record.id,
        "experiment_id": str(context.number_of(record.scope)),
        "name": attributes.get("name", body.name),
        "creation_timestamp_ms": attributes.get("created", 0),
        "last_updated_timestamp_ms": attributes.get("updated", 0),
        "artifact_uri": root_uri(context, record),
        "status": _SHOWN[str(attributes.get("status", "pending"))],
        "model_type": body.type,
        "source_run_id": body.run,
        "tags": [{"key": key, "value": value} for key, value in _behind(record, "tags.")],
    }
    data = {
        "params": [{"key": key, "value": value} for key, value in _behind(record, "params.")],
        "metrics": [_metric(record, point) for point in points_of(record)],
    }
    return {"info": info, "data": data}


def _metric(record: Record[LoggedModel], point: ModelMetric) -> dict[str, Any]:
    metric = {
        "key": point.key,
        "value": metric_number(point.value),
        "timestamp": point.timestamp,
        "step": point.step,
        "model_id": record.id,
        "run_id": point.run,
    }
    if point.dataset:
        metric |= {"dataset_name": point.dataset, "dataset_digest": point.dataset_digest}
    return metric


def _behind(record: Record[LoggedModel], prefix: str) -> list[tuple[str, str]]:
    found = ((key, value) for key, value in record.attributes.items() if key.startswith(prefix))
    return [(key.removeprefix(prefix), shown(value)) for key, value in found]


_ONE = "mlflow/logged-models/{model_id}"
ROUTES = (
    Route("POST", "mlflow/logged-models", Create, _create),
    Route("POST", "mlflow/logged-models/search", Search, _search),
    Route("GET", _ONE, OfModel, _get),
    Route("PATCH", _ONE, Finalize, _finalize),
    Route("DELETE", _ONE, OfModel, _delete),
    Route("POST", f"{_ONE}/params", SetParams, _set_params),
    Route("PATCH", f"{_ONE}/tags", SetTags, _set_tags),
    Route("DELETE", f"{_ONE}/tags/{{tag_key...}}", DeleteTag, _delete_tag),
    Route("GET", f"{_ONE}/artifacts/directories", ListFiles, _list),
)
