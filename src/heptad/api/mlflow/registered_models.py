"""Registered models of the protocol: made, found, renamed, described, tagged, named by aliases, deleted."""

from collections.abc import Sequence
from typing import Any

from heptad.api.mlflow.errors import ProtocolError, exists, invalid, missing
from heptad.api.mlflow.limits import KEY, check_length, check_page
from heptad.api.mlflow.protocol import Call, Context, Route, Tag, required
from heptad.api.mlflow.registry_entities import model_entity, version_entity
from heptad.api.mlflow.registry_search import MODEL_ORDERS, MODEL_TEXTS, conditions, orders
from heptad.core.errors import ConflictError
from heptad.core.query import Order
from heptad.core.records import Record
from heptad.release import Models, RegisteredModel, Versions

TAG_VALUE = 100_000
DESCRIPTION = 100_000
_MOST = 1000
_IS_PROMPT = "mlflow.prompt.is_prompt"


class Create(Call, frozen=True, kw_only=True):
    name: str = ""
    tags: list[Tag] = []
    description: str = ""


class OfModel(Call, frozen=True, kw_only=True):
    name: str = ""


class Rename(OfModel, frozen=True, kw_only=True):
    new_name: str = ""


class Update(OfModel, frozen=True, kw_only=True):
    description: str | None = None


class Latest(OfModel, frozen=True, kw_only=True):
    stages: list[str] = []


class SetTag(OfModel, frozen=True, kw_only=True):
    key: str = ""
    value: str = ""


class OfAlias(OfModel, frozen=True, kw_only=True):
    alias: str = ""


class SetAlias(OfAlias, frozen=True, kw_only=True):
    version: str = ""


class Search(Call, frozen=True, kw_only=True):
    filter: str = ""
    max_results: int = 100
    order_by: list[str] = []
    page_token: str = ""


def _create(context: Context, call: Create) -> dict[str, Any]:
    check_registry_tags(call.tags)
    check_length(call.description, DESCRIPTION, "description")
    try:
        made = Models(context.workspace).create(call.name, call.description, {tag.key: tag.value for tag in call.tags})
    except ConflictError as error:
        raise exists(error.problem) from None
    return _shown(context, made)


def _get(context: Context, call: OfModel) -> dict[str, Any]:
    required(call, "name")
    return _shown(context, Models(context.workspace).get(call.name))


def _rename(context: Context, call: Rename) -> dict[str, Any]:
    required(call, "name", "new_name")
    try:
        return _shown(context, Models(context.workspace).rename(call.name, call.new_name))
    except ConflictError as error:
        raise exists(error.problem) from None


def _update(context: Context, call: Update) -> dict[str, Any]:
    required(call, "name")
    check_length(call.description or "", DESCRIPTION, "description")
    return _shown(context, Models(context.workspace).change(call.name, {"description": call.description or None}))


def _delete(context: Context, call: OfModel) -> dict[str, Any]:
    required(call, "name")
    Models(context.workspace).delete(call.name)
    return {}


def _latest(context: Context, call: Latest) -> dict[str, Any]:
    required(call, "name")
    model = Models(context.workspace).get(call.name)
    return {"model_versions": [version_entity(one) for one in Versions(context.workspace).latest(model, call.stages)]}


def _set_tag(context: Context, call: SetTag) -> dict[str, Any]:
    required(call, "name")
    check_registry_tags([Tag(key=call.key, value=call.value)])
    Models(context.workspace).change(call.name, {f"tags.{call.key}": call.value})
    return {}


def _delete_tag(context: Context, call: SetTag) -> dict[str, Any]:
    required(call, "name", "key")
    check_length(call.key, KEY, "key")
    Models(context.workspace).change(call.name, {f"tags.{call.key}": None})
    return {}


def _set_alias(context: Context, call: SetAlias) -> dict[str, Any]:
    required(call, "name")
    Versions(context.workspace).set_alias(call.name, call.alias, version_number(call.version))
    return {}


def _delete_alias(context: Context, call: OfAlias) -> dict[str, Any]:
    required(call, "name")
    Versions(context.workspace).remove_alias(call.name, call.alias)
    return {}


def _by_alias(context: Context, call: OfAlias) -> dict[str, Any]:
    required(call, "name")
    return {"model_version": version_entity(Versions(context.workspace).named(call.name, call.alias))}


def _search(context: Context, call: Search) -> dict[str, Any]:
    check_page(call.max_results, _MOST)
    where = conditions(call.filter, MODEL_TEXTS, {})
    order = orders(call.order_by, MODEL_ORDERS, [Order("name")])
    page = Models(context.workspace).search(where, order, call.max_results, call.page_token or None)
    versions = Versions(context.workspace)
    found: dict[str, Any] = {"registered_models": [model_entity(versions, one) for one in page.items]}
    if page.after is not None:
        found["next_page_token"] = page.after
    return found


def check_registry_tags(tags: Sequence[Tag]) -> None:
    """Keys of tags in the registry may hold any signs, as with MLflow; the one that makes a prompt is refused."""
    for tag in tags:
        if tag.key == _IS_PROMPT and tag.value.lower() == "true":
            raise ProtocolError(
                "ENDPOINT_NOT_FOUND",
                "Heptad does not offer prompts of the MLflow protocol. docs/mlflow.md lists what it offers.",
            )
        if not tag.key:
            raise invalid("Missing value for required parameter 'key'. A key name must be provided.")
        check_length(tag.key, KEY, "key")
        check_length(tag.value, TAG_VALUE, "value")


def version_number(text: str) -> int:
    """The number of a version; raises `ProtocolError`."""
    if not text:
        raise invalid("Missing value for required parameter 'version'.")
    if not (text.isascii() and text.isdigit()):
        raise invalid(f"Parameter 'version' must be an integer, got {text[:50]!r}.")
    if len(text) > 9:
        raise missing("model version", f"number {text[:50]}")
    return int(text)


def _shown(context: Context, model: Record[RegisteredModel]) -> dict[str, Any]:
    return {"registered_model": model_entity(Versions(context.workspace), model)}


_MODELS = "mlflow/registered-models"
ROUTES = (
    Route("POST", f"{_MODELS}/create", Create, _create),
    Route("GET", f"{_MODELS}/get", OfModel, _get),
    Route("POST", f"{_MODELS}/rename", Rename, _rename),
    Route("PATCH", f"{_MODELS}/update", Update, _update),
    Route("DELETE", f"{_MODELS}/delete", OfModel, _delete),
    Route("GET", f"{_MODELS}/search", Search, _search),
    Route("GET", f"{_MODELS}/get-latest-versions", Latest, _latest),
    Route("POST", f"{_MODELS}/get-latest-versions", Latest, _latest),
    Route("POST", f"{_MODELS}/set-tag", SetTag, _set_tag),
    Route("DELETE", f"{_MODELS}/delete-tag", SetTag, _delete_tag),
    Route("POST", f"{_MODELS}/alias", SetAlias, _set_alias),
    Route("DELETE", f"{_MODELS}/alias", OfAlias, _delete_alias),
    Route("GET", f"{_MODELS}/alias", OfAlias, _by_alias),
)
