"""Searches over experiments."""

from collections.abc import Sequence
from typing import Any

from heptad.api.mlflow.conditions import LISTS, TEXTUAL, moment, numeric, textual
from heptad.api.mlflow.entities import experiment_entity
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.limits import check_page
from heptad.api.mlflow.protocol import Call, Context
from heptad.api.mlflow.run_search import ViewType, lifecycle
from heptad.api.mlflow.search_grammar import Clause, Ordering, parse_filter, parse_order
from heptad.core.graph import typed
from heptad.core.query import All, Compare, Condition, Not, Order, Query
from heptad.experiments import Experiment

_KEYS = {"name": "name", "experiment_id": "number", "creation_time": "@at", "last_update_time": "updated"}
_ENTITIES = {"": "attribute", "attribute": "attribute", "attributes": "attribute", "tag": "tag", "tags": "tag"}


class SearchExperiments(Call, frozen=True, kw_only=True):
    max_results: int = 1000
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: ViewType = "ACTIVE_ONLY"


def search_experiments(context: Context, call: SearchExperiments) -> dict[str, Any]:
    check_page(call.max_results)
    parts = [_condition(clause) for clause in parse_filter(call.filter)]
    query = Query(
        kind=Experiment.kind,
        where=All((*parts, *lifecycle(call.view_type))),
        order=_order(parse_order(call.order_by)),
    )
    page = context.workspace.store.find(query, call.page_token or None, call.max_results)
    found: dict[str, Any] = {"experiments": [experiment_entity(typed(one, Experiment)) for one in page.items]}
    if page.after is not None:
        found["next_page_token"] = page.after
    return found


def _condition(clause: Clause) -> Condition:
    if _entity(clause.entity) == "tag":
        return textual(clause, f"tags.{clause.key}")
    key = _known(clause.key)
    if key == "@at":
        return moment(clause)
    if key == "updated":
        return numeric(clause, key, 1000.0)
    return _number(clause) if key == "number" else textual(clause, key, TEXTUAL)


def _number(clause: Clause) -> Condition:
    """An experiment's id, which is text for the client."""
    values = clause.value if isinstance(clause.value, tuple) else (clause.value,)
    is_known = clause.operator in LISTS or clause.operator in {"=", "!="}
    if not is_known or not all(isinstance(one, str) and one.isascii() and one.isdigit() for one in values):
        raise invalid("experiment_id can be compared by =, !=, IN and NOT IN with quoted numbers.")
    found = Compare("number", "in", [float(str(one)) for one in values])
    return Not(found) if clause.operator in {"!=", "NOT IN"} else found


def _order(orderings: Sequence[Ordering]) -> list[Order]:
    orders: list[Order] = []
    for one in orderings:
        if _entity(one.entity) != "attribute":
            raise invalid("Experiments can be ordered by attributes only.")
        orders.append(Order(_known(one.key), one.descending))
    return orders


def _entity(entity: str) -> str:
    if entity not in _ENTITIES:
        raise invalid(f"Invalid entity type {entity!r}. Valid entity types are ('attribute', 'tag', 'tags')")
    return _ENTITIES[entity]


def _known(key: str) -> str:
    if key not in _KEYS:
        raise invalid(f"Invalid attribute key {key!r} specified. Valid keys are {sorted(_KEYS)}")
    return _KEYS[key]
