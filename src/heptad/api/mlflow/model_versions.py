"""Model versions of the protocol: registered from a run or a model, found, staged, tagged, downloaded, deleted."""

from collections.abc import Mapping
from typing import Any

from heptad.api.messages import Reply, Request
from heptad.api.mlflow.artifacts import file_name, query_field, send_file
from heptad.api.mlflow.limits import KEY, check_length, check_page
from heptad.api.mlflow.model_sources import checked_source, download_uri
from heptad.api.mlflow.owners import Place
from heptad.api.mlflow.protocol import Call, Context, Route, Tag, required
from heptad.api.mlflow.registered_models import DESCRIPTION, check_registry_tags, version_number
from heptad.api.mlflow.registry_entities import version_entity
from heptad.api.mlflow.registry_search import VERSION_ORDERS, VERSION_TEXTS, conditions, orders
from heptad.core.query import Order
from heptad.core.records import Record
from heptad.release import ModelVersion, Versions

_MOST = 200_000
_NUMBERS = {"version_number": "version", "creation_timestamp": "created", "last_updated_timestamp": "updated"}


class Create(Call, frozen=True, kw_only=True):
    name: str = ""
    source: str = ""
    run_id: str = ""
    tags: list[Tag] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class OfVersion(Call, frozen=True, kw_only=True):
    name: str = ""
    version: str = ""


class Update(OfVersion, frozen=True, kw_only=True):
    description: str | None = None


class Transition(OfVersion, frozen=True, kw_only=True):
    stage: str = ""
    archive_existing_versions: bool = False


class SetTag(OfVersion, frozen=True, kw_only=True):
    key: str = ""
    value: str = ""


class Search(Call, frozen=True, kw_only=True):
    filter: str = ""
    max_results: int = 10_000
    order_by: list[str] = []
    page_token: str = ""


def _create(context: Context, call: Create) -> dict[str, Any]:
    required(call, "name", "source")
    check_registry_tags(call.tags)
    check_length(call.description, DESCRIPTION, "description")
    check_length(call.run_link, 500, "run_link")
    source = checked_source(context, call.source, call.run_id, call.model_id)
    version = ModelVersion(
        name=call.name,
        version=0,
        origin="external",
        source=source.uri,
        run=source.run,
        run_link=call.run_link,
        logged_model=source.model,
        files=dict(source.files),
    )
    made_from = [("run", source.run), ("logged_model", source.model), ("version", source.version)]
    links = [(role, one) for role, one in made_from if one]
    tags = {tag.key: tag.value for tag in call.tags}
    added = Versions(context.workspace).add(version, call.description, tags, links)
    return {"model_version": version_entity(added)}


def _get(context: Context, call: OfVersion) -> dict[str, Any]:
    return {"model_version": version_entity(_version(context, call))}


def _version(context: Context, call: OfVersion) -> Record[ModelVersion]:
    required(call, "name")
    return Versions(context.workspace).get(call.name, version_number(call.version))


def _update(context: Context, call: Update) -> dict[str, Any]:
    required(call, "name")
    check_length(call.description or "", DESCRIPTION, "description")
    values = {"description": call.description or None}
    return {"model_version": version_entity(_changed(context, call, values))}


def _changed(context: Context, call: OfVersion, values: Mapping[str, str | None]) -> Record[ModelVersion]:
    return Versions(context.workspace).change(call.name, version_number(call.version), values)


def _transition(context: Context, call: Transition) -> dict[str, Any]:
    required(call, "name", "stage")
    staged = Versions(context.workspace).stage(
        call.name, version_number(call.version), call.stage, archive_others=call.archive_existing_versions
    )
    return {"model_version": version_entity(staged)}


def _delete(context: Context, call: OfVersion) -> dict[str, Any]:
    required(call, "name")
    Versions(context.workspace).delete(call.name, version_number(call.version))
    return {}


def _set_tag(context: Context, call: SetTag) -> dict[str, Any]:
    required(call, "name")
    check_registry_tags([Tag(key=call.key, value=call.value)])
    _changed(context, call, {f"tags.{call.key}": call.value})
    return {}


def _delete_tag(context: Context, call: SetTag) -> dict[str, Any]:
    required(call, "name", "key")
    check_length(call.key, KEY, "key")
    _changed(context, call, {f"tags.{call.key}": None})
    return {}


def _download(context: Context, call: OfVersion) -> dict[str, Any]:
    return {"artifact_uri": download_uri(context, _version(context, call))}


def _get_artifact(context: Context, request: Request) -> Reply:
    call = OfVersion(name=query_field(request, "name"), version=query_field(request, "version"))
    return send_file(context, request, Place(_version(context, call), file_name(request)))


def _search(context: Context, call: Search) -> dict[str, Any]:
    check_page(call.max_results, _MOST)
    where = conditions(call.filter, VERSION_TEXTS, _NUMBERS)
    last = [Order("name"), Order("version", descending=True)]
    order = orders(call.order_by, VERSION_ORDERS, last if call.order_by else [Order("updated", True), *last])
    page = Versions(context.workspace).search(where, order, call.max_results, call.page_token or None)
    found: dict[str, Any] = {"model_versions": [version_entity(one) for one in page.items]}
    if page.after is not None:
        found["next_page_token"] = page.after
    return found


_VERSIONS = "mlflow/model-versions"
ROUTES = (
    Route("POST", f"{_VERSIONS}/create", Create, _create),
    Route("GET", f"{_VERSIONS}/get", OfVersion, _get),
    Route("PATCH", f"{_VERSIONS}/update", Update, _update),
    Route("POST", f"{_VERSIONS}/transition-stage", Transition, _transition),
    Route("DELETE", f"{_VERSIONS}/delete", OfVersion, _delete),
    Route("POST", f"{_VERSIONS}/set-tag", SetTag, _set_tag),
    Route("DELETE", f"{_VERSIONS}/delete-tag", SetTag, _delete_tag),
    Route("GET", f"{_VERSIONS}/get-download-uri", OfVersion, _download),
    Route("GET", f"{_VERSIONS}/search", Search, _search),
    Route("GET", "/model-versions/get-artifact", None, _get_artifact),
)
