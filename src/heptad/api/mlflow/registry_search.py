"""Searches of the registry: filters and orders of the protocol as conditions of ours."""

import re
from collections.abc import Mapping, Sequence

from heptad.api.mlflow.conditions import LISTS, TEXTUAL, numeric, present, textual
from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.search_grammar import Clause, parse_filter, parse_order
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Order

MODEL_TEXTS = {"name": "name"}
MODEL_ORDERS = {
    "name": "name",
    "creation_timestamp": "created",
    "last_updated_timestamp": "updated",
    "timestamp": "updated",
}
VERSION_TEXTS = {"name": "name", "run_id": "run", "source_path": "source"}
VERSION_ORDERS = {
    "name": "name",
    "version_number": "version",
    "creation_timestamp": "created",
    "last_updated_timestamp": "updated",
}
_ENTITIES = {"": "attribute", "attribute": "attribute", "attributes": "attribute", "tag": "tag", "tags": "tag"}
_IS_PROMPT = "mlflow.prompt.is_prompt"
_WHOLE = re.compile(r"-?[0-9]{1,15}")


def conditions(text: str, texts: Mapping[str, str], numbers: Mapping[str, str]) -> Condition:
    """A filter over these keys, and over tags; raises `ProtocolError`."""
    return All([_condition(clause, texts, numbers) for clause in parse_filter(text)])


def _condition(clause: Clause, texts: Mapping[str, str], numbers: Mapping[str, str]) -> Condition:
    if _entity(clause) == "tag":
        found = textual(clause, f"tags.{clause.key}", TEXTUAL)
        # Of models that are no prompts, nobody has said so.
        says_no = (clause.operator, clause.value) in {("!=", "true"), ("=", "false")}
        absent = Compare(f"tags.{clause.key}", "exists", False)
        return AnyOf((found, absent)) if clause.key == _IS_PROMPT and says_no else found
    if clause.key in numbers:
        return numeric(_unquoted(clause), numbers[clause.key])
    if clause.key not in texts:
        raise invalid(f"Invalid attribute key {clause.key!r} specified. Valid keys are {sorted({*texts, *numbers})}")
    key = texts[clause.key]
    found = textual(clause, key, TEXTUAL | LISTS)
    # For the client a version that was made by no run has an empty one.
    return AnyOf((found, Not(present(key)))) if key == "run" and _meets_empty(clause) else found


def _unquoted(clause: Clause) -> Clause:
    """A whole number may stand in quotes, as clients show the number of a version."""
    is_whole = isinstance(clause.value, str) and _WHOLE.fullmatch(clause.value)
    return clause._replace(value=float(str(clause.value))) if is_whole else clause


def _meets_empty(clause: Clause) -> bool:
    """Whether the comparison holds for an empty text."""
    if isinstance(clause.value, tuple):
        return ("" in clause.value) == (clause.operator == "IN")
    text = str(clause.value)
    if clause.operator in {"LIKE", "ILIKE"}:
        return not text.strip("%")
    return (not text) == (clause.operator == "=")


def _entity(clause: Clause) -> str:
    if clause.entity not in _ENTITIES:
        raise invalid(f"Invalid entity type {clause.entity!r}. Valid entity types are ('attribute', 'tag', 'tags')")
    return _ENTITIES[clause.entity]


def orders(clauses: Sequence[str], known: Mapping[str, str], last: Sequence[Order]) -> list[Order]:
    """What results are sorted by, and at last by `last`; raises `ProtocolError`."""
    found: list[Order] = []
    for one in parse_order(clauses):
        if one.entity not in {"", "attribute", "attributes"} or one.key not in known:
            raise invalid(f"Invalid order_by {one.key!r}. Valid keys are {sorted(known)}")
        found.append(Order(known[one.key], one.descending))
    taken = {one.key for one in found}
    return [*found, *(one for one in last if one.key not in taken)]
