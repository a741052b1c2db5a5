"""The search language of MLflow: comparisons joined by AND, and what results are ordered by."""

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from heptad.api.mlflow.errors import ProtocolError, invalid

Value: TypeAlias = str | float | tuple[str, ...] | None

LONGEST = 100_000
"""Characters of a filter."""
MOST_CLAUSES = 100
_IDENTIFIER = re.compile(
    r"\s*(?:(?P<entity>`(?:[^`]|``)*`|\w+)\s*\.\s*)?(?P<key>`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"|[\w./:-]+)\s*"
)
_OPERATOR = re.compile(
    r"(?P<operator>>=|<=|!=|=|>|<|(?:NOT\s+IN|IN|LIKE|ILIKE|IS\s+NOT\s+NULL|IS\s+NULL)(?![\w.]))\s*", re.IGNORECASE
)
_TEXT = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
_VALUE = re.compile(rf"(?P<text>{_TEXT})|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])")
_LIST = re.compile(rf"\(\s*(?P<texts>(?:{_TEXT})(?:\s*,\s*(?:{_TEXT}))*)\s*,?\s*\)")
_ONE_TEXT = re.compile(_TEXT)
_AND = re.compile(r"\s*AND(?![\w.])\s*", re.IGNORECASE)
_DIRECTION = re.compile(r"(?P<direction>ASC|DESC)\s*", re.IGNORECASE)


class Clause(NamedTuple):
    """`entity.key operator value`. `entity` is as it was written, without quotes; empty where there is only a key."""

    entity: str
    key: str
    operator: str
    value: Value


class Ordering(NamedTuple):
    """`entity.key`, and the direction."""

    entity: str
    key: str
    descending: bool


def parse_filter(text: str) -> list[Clause]:
    """The comparisons of a filter; raises `ProtocolError` that points at what cannot be read."""
    if len(text) > LONGEST:
        raise invalid(f"The filter has {len(text):,} characters; at most {LONGEST:,} are read.")
    clauses: list[Clause] = []
    text = text.strip(" \t\r\n;")
    place = 0
    while place < len(text):
        if clauses:
            joint = _AND.match(text, place)
            if joint is None:
                raise _unreadable(text, place, "AND")
            place = joint.end()
        clause, place = _clause(text, place)
        clauses.append(clause)
        if len(clauses) > MOST_CLAUSES:
            raise invalid(f"The filter has more than {MOST_CLAUSES} comparisons.")
    return clauses


def _clause(text: str, place: int) -> tuple[Clause, int]:
    name = _IDENTIFIER.match(text, place)
    if name is None:
        raise _unreadable(text, place, "a key such as metrics.loss")
    operator = _OPERATOR.match(text, name.end())
    if operator is None:
        raise _unreadable(text, name.end(), "a comparator such as =")
    word = " ".join(operator["operator"].upper().split())
    entity, key = _unquoted(name["entity"] or ""), _unquoted(name["key"])
    if word.startswith("IS"):
        return Clause(entity, key, word, None), operator.end()
    value, end = _value(text, operator.end(), is_list=word.endswith("IN"))
    return Clause(entity, key, word, value), end


def _value(text: str, place: int, *, is_list: bool) -> tuple[Value, int]:
    if is_list:
        found = _LIST.match(text, place)
        if found is None:
            raise _unreadable(text, place, "a list of quoted values such as ('a', 'b')")
        return tuple(_unquoted(one) for one in _ONE_TEXT.findall(found["texts"])), found.end()
    found = _VALUE.match(text, place)
    if found is None:
        raise _unreadable(text, place, "a number, or a quoted value such as 'a'")
    return float(found["number"]) if found["number"] else _unquoted(found["text"]), found.end()


def parse_order(clauses: Sequence[str]) -> list[Ordering]:
    """What each `order_by` says; raises `ProtocolError`."""
    found: list[Ordering] = []
    for text in clauses:
        name = _IDENTIFIER.match(text)
        if name is None:
            raise invalid(f"Invalid order_by clause {text!r}. Could not be parsed.")
        direction = _DIRECTION.match(text, name.end())
        end = direction.end() if direction else name.end()
        if end != len(text):
            raise invalid(f"Invalid order_by clause {text!r}. Could not be parsed.")
        descending = direction is not None and direction["direction"].upper() == "DESC"
        one = Ordering(_unquoted(name["entity"] or ""), _unquoted(name["key"]), descending)
        if (one.entity, one.key) in {(known.entity, known.key) for known in found}:
            raise invalid(f"`order_by` contains duplicate fields: {list(clauses)}")
        found.append(one)
    return found


def _unquoted(text: str) -> str:
    if text[:1] in {"'", '"', "`"}:
        return text[1:-1].replace(text[0] * 2, text[0])
    return text


def _unreadable(text: str, place: int, wanted: str) -> ProtocolError:
    return invalid(
        f"Invalid clause(s) in filter string: {text[place : place + 60]!r} at character {place + 1}, where {wanted} is "
        "expected. Comparisons are joined by AND."
    )
