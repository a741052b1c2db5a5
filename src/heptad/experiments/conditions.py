"""Reads conditions on runs as people write them: `metrics.roc_auc > 0.8 and params.estimator = lightgbm`."""

import re

from heptad.core.errors import InputError
from heptad.core.query import All, Compare, Condition, Operator
from heptad.core.records import Scalar

_CONDITION = re.compile(
    r"\s*([\w.@/-]+)\s*(<=|>=|!=|=|<|>|\blike\b)\s*(\"[^\"]*\"|'[^']*'|[^\s=<>!\"']\S*)\s*", re.IGNORECASE
)
_AND = re.compile(r"and\s", re.IGNORECASE)
_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "like": "like"}
_WORDS: dict[str, Scalar] = {"true": True, "false": False}


def parse_conditions(text: str) -> Condition:
    """`KEY OPERATOR VALUE`, joined by `and`; raises `InputError` pointing at the place that does not read.

    Keys are attributes (`params.NAME`, `metrics.NAME`, `tags.NAME`, `status`, `name`, `study`). A value
    in quotes is text; one without is a number, a truth value, or else text.
    """
    parts: list[Condition] = []
    place = 0
    while text[place:].strip():
        if parts:
            joint = _AND.match(text, place)
            if joint is None:
                raise _unreadable(text, place)
            place = joint.end()
        found = _CONDITION.match(text, place)
        if found is None:
            raise _unreadable(text, place)
        parts.append(Compare(found[1], _OPERATORS[found[2].lower()], _value(found[3])))
        place = found.end()
    return All(tuple(parts))


def _value(text: str) -> Scalar:
    if text[0] in "\"'":
        return text[1:-1]
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text


def _unreadable(text: str, place: int) -> InputError:
    return InputError(
        f"The condition {text!r} cannot be read from {text[place:].strip()!r} on.",
        allowed="KEY =|!=|<|<=|>|>=|like VALUE, joined by `and`",
        remedy='for example: metrics.roc_auc > 0.8 and params.estimator = "lightgbm"',
    )
