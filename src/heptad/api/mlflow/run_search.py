"""Searches over runs: what a filter of the protocol means for their attributes."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from heptad.api.mlflow.conditions import LISTS, TEXTUAL, numeric, present, textual
from heptad.api.mlflow.entities import run_entities
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.limits import check_page
from heptad.api.mlflow.protocol import Call, Context
from heptad.api.mlflow.search_grammar import Clause, Ordering, parse_filter, parse_order
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Order, Query
from heptad.experiments import LoggedDataset, Run

ViewType = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]
_KINDS = {
    "": "attribute",
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("metric", "metrics"), "metrics"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "params"),
    **dict.fromkeys(("tag", "tags"), "tags"),
    **dict.fromkeys(("dataset", "datasets"), "datasets"),
}
_TIMES = {"start_time": "started", "created": "started", "Created": "started", "end_time": "ended"}
_TEXTS = {
    "run_id": "@id",
    **dict.fromkeys(("run_name", "run name", "Run name", "Run Name"), "name"),
    "user_id": "user",
    "status": "status",
}
_ARTIFACTS = re.compile(r"mlflow-artifacts:/[0-9]+/([\w-]+)/artifacts")


class SearchRuns(Call, frozen=True, kw_only=True):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: ViewType = "ACTIVE_ONLY"
    max_results: int = 1000
    order_by: list[str] = []
    page_token: str = ""


def search_runs(context: Context, call: SearchRuns) -> dict[str, Any]:
    check_page(call.max_results)
    scopes = context.scopes(call.experiment_ids)
    parts = [_condition(context, clause, scopes) for clause in parse_filter(call.filter)]
    query = Query(
        kind=Run.kind,
        scopes=scopes,
        where=All((*parts, *lifecycle(call.run_view_type))),
        order=_order(parse_order(call.order_by)),
    )
    page = context.workspace.store.find(query, call.page_token or None, call.max_results)
    found: dict[str, Any] = {"runs": run_entities(context, page.items)}
    if page.after is not None:
        found["next_page_token"] = page.after
    return found


def lifecycle(view: ViewType) -> Sequence[Condition]:
    """Which records a view shows."""
    if view == "ALL":
        return ()
    deleted = Compare("deleted", ">=", 0.0)
    return (deleted if view == "DELETED_ONLY" else Not(deleted),)


def _condition(context: Context, clause: Clause, scopes: Sequence[str]) -> Condition:
    kind = _kind(clause.entity)
    if kind == "metrics":
        return numeric(clause, f"metrics.{clause.key}")
    if kind == "datasets":
        return _dataset(clause, scopes)
    if kind == "attribute":
        return _attribute(clause)
    key = _key(kind, clause.key)
    if kind == "params" and clause.operator in {"=", "!="} and isinstance(clause.value, str):
        return _param(context, clause, key, scopes)
    return textual(clause, key)


def _param(context: Context, clause: Clause, key: str, scopes: Sequence[str]) -> Condition:
    """Parameters of clients are text; of our own runs also numbers and truth values, which are shown as text."""
    number = _shown_as(str(clause.value))
    numbers = Compare(key, "=", number)
    if (
        number is None
        or not context.workspace.store.find(
            Query(kind=Run.kind, scopes=scopes, where=numbers, attributes=()), limit=1
        ).items
    ):
        return textual(clause, key)
    found = AnyOf((Compare(key, "=", clause.value), numbers))
    return All((present(key), Not(found))) if clause.operator == "!=" else found


def _shown_as(text: str) -> float | None:
    """The number that is shown as this text, if one is."""
    if text in {"True", "False"}:
        return float(text == "True")
    try:
        number = float(text)
    except ValueError:
        return None
    shown = {str(number)} | ({str(int(number))} if number.is_integer() else set())
    return number if text in shown else None


def _kind(entity: str) -> str:
    if entity not in _KINDS:
        raise invalid(
            f"Invalid entity type {entity!r}. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
        )
    return _KINDS[entity]


def _key(kind: str, key: str) -> str:
    # The name of a run and its tag are one thing.
    return "name" if (kind, key) == ("tags", "mlflow.runName") else f"{kind}.{key}"


def _attribute(clause: Clause) -> Condition:
    if clause.key in _TIMES:
        return numeric(clause, _TIMES[clause.key], 1000.0)
    if clause.key == "artifact_uri":
        return _artifacts(clause)
    if clause.key not in _TEXTS:
        known = sorted({*_TIMES, *_TEXTS, "artifact_uri"})
        raise invalid(f"Invalid attribute key {clause.key!r} specified. Valid keys are {known}")
    key = _TEXTS[clause.key]
    if key == "@id":
        return _identity(clause)
    if key == "status" and isinstance(clause.value, str):
        # Told in capitals, kept in small letters: what is asked for in small letters is none but for ILIKE.
        clause = clause._replace(value=clause.value.swapcase())
    return textual(clause, key, TEXTUAL)


def _identity(clause: Clause) -> Condition:
    if clause.operator in LISTS and isinstance(clause.value, tuple):
        found = Compare("@id", "in", list(clause.value))
        return Not(found) if clause.operator == "NOT IN" else found
    # No record is without an id, so `!=` need not ask whether there is one.
    if clause.operator == "!=":
        return Not(textual(clause._replace(operator="="), "@id"))
    return textual(clause, "@id", TEXTUAL | LISTS)


def _artifacts(clause: Clause) -> Condition:
    """The address holds the run's id, by which it is found."""
    named = _ARTIFACTS.fullmatch(clause.value) if isinstance(clause.value, str) else None
    if clause.operator not in {"=", "!="} or named is None:
        raise invalid("artifact_uri can be compared by = and != with the address that a run has; use run_id.")
    return Compare("@id", "=" if clause.operator == "=" else "!=", named[1])


def _dataset(clause: Clause, scopes: Sequence[str]) -> Condition:
    """Runs that have read one of the data sets for which the comparison holds, however many these are."""
    if clause.key not in {"name", "digest", "context"}:
        raise invalid(f"Invalid dataset key {clause.key!r} specified. Valid keys are ['context', 'digest', 'name']")
    where = textual(clause, clause.key, TEXTUAL | LISTS)
    return Compare("@to.data", "in", Query(kind=LoggedDataset.kind, scopes=scopes, where=where))


def _order(orderings: Sequence[Ordering]) -> list[Order]:
    """As asked, else the newest first. Equals come in the order of writing: another key would have all of them read."""
    orders = [Order(_order_key(one), one.descending) for one in orderings]
    return orders or [Order("started", descending=True)]


def _order_key(one: Ordering) -> str:
    kind = _kind(one.entity)
    if kind == "datasets":
        raise invalid("Runs cannot be ordered by data sets.")
    if kind != "attribute":
        return _key(kind, one.key)
    known = {**_TIMES, **_TEXTS, "artifact_uri": "@id", "lifecycle_stage": "deleted", "experiment_id": "started"}
    if one.key not in known:
        raise invalid(f"Invalid attribute key {one.key!r} specified. Valid keys are {sorted(known)}")
    return known[one.key]
