"""Reads conditions on runs as people write them: `metrics.roc_auc > 0.8 and params.estimator = lightgbm`."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from heptad.core.errors import InputError, nearest
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Operator
from heptad.core.records import Scalar
from heptad.core.store import at_seconds

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<mark> <= | >= | != | == | = | < | > | \( | \) | , )
    | (?P<text> "[^"]*" | '[^']*' )
    | (?P<word> (?: `[^`]+` | [^\s=<>!"'`(),] )+ )
    )""",
    re.VERBOSE,
)
_OPERATORS: Final[dict[str, Operator]] = {
    "=": "=",
    "==": "=",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "like": "like",
    "ilike": "ilike",
    "in": "in",
}
_WORDS: Final[dict[str, Scalar]] = {"true": True, "false": False}
_TIMES: Final = frozenset({"started", "ended", "deleted"})
"""Attributes that are seconds since 1970, and are written as dates."""
_GROUPS: Final = (
    "params",
    "metrics",
    "tags",
    "data",
    "artifacts",
    "latest",
    "violation",
    "trial",
    "missing",
    "inputs",
    "outputs",
    "model_inputs",
    "mlflow",
)
"""What stands before the dot of attributes that runs have any number of; the first are those that people ask for."""
_NAMES: Final = (
    "name",
    "status",
    "started",
    "ended",
    "study",
    "reason",
    "note",
    "deleted",
    "deleted_reason",
    "lost",
    "pruned",
    "user",
    "remote",
    "artifact_uri",
)
"""Attributes without a dot; that is all of them."""
_RESERVED: Final = frozenset({"and", "or", "not", "in", "like", "ilike", "exists"})
_DEEPEST: Final = 100


def parse_conditions(text: str) -> Condition:
    """`KEY OPERATOR VALUE`, joined by `and`, `or`, `not` and parentheses.

    Keys are attributes: `params.NAME`, `metrics.NAME`, `tags.NAME`, `data.name`, `status`, `name`, `study`, `started`,
    `ended` and the like, or `@id` and `@actor`; a NAME with other characters than letters, digits, `.`, `_`, `-` and
    `/` stands in backticks. `in` takes a list in parentheses, `like` and `ilike` patterns with `%`, `exists` nothing. A
    value in quotes is text; one without is a number (`nan` and `inf` too), a truth value, or else text; a time is
    `2026-11-26` or `"2026-11-26 14:30"`, UTC.

    Raises `InputError` pointing at the place that does not read, and for a key that no run can have.

    >>> parse_conditions("metrics.auc > 0.8 and not params.family in (linear, forest)")
    All(parts=(Compare(key='metrics.auc', operator='>', value=0.8), Not(part=Compare(key='params.family', \
operator='in', value=('linear', 'forest')))))
    """
    return _Parser(text).whole() if text.strip() else All()


class _Parser:
    """Recursive descent; `or` binds weaker than `and`, and `and` weaker than `not`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, int]] = []
        self._next = 0
        self._depth = 0
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise self._unreadable(place)
            self._tokens.append((found[0].strip(), found.end() - len(found[0].strip())))
            place = found.end()

    def whole(self) -> Condition:
        found = self._any()
        if self._next < len(self._tokens):
            raise self._unreadable_here()
        return found

    def _any(self) -> Condition:
        return self._joined("or", self._all, AnyOf)

    def _all(self) -> Condition:
        return self._joined("and", self._one, All)

    def _joined(
        self, word: str, part: Callable[[], Condition], joined: Callable[[tuple[Condition, ...]], Condition]
    ) -> Condition:
        parts = [part()]
        while self._takes(word):
            parts.append(part())
        return joined(tuple(parts)) if len(parts) > 1 else parts[0]

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._unreadable_here()
        if self._takes("not"):
            found: Condition = Not(self._one())
        elif self._takes("("):
            found = self._any()
            self._require(")")
        else:
            found = self._comparison()
        self._depth -= 1
        return found

    def _comparison(self) -> Condition:
        key = self._take()
        if not _is_word(key):
            raise self._unreadable_here(-1)
        key = key.replace("`", "")
        self._check(key)
        if self._takes("exists"):
            return Compare(key, "exists", value=True)
        if self._takes("not"):
            self._require("in")
            return Not(_is_among(key, self._values(key)))
        operator = _OPERATORS.get(self._take().lower())
        if operator is None:
            raise self._unreadable_here(-1)
        if operator == "in":
            return _is_among(key, self._values(key))
        value = self._value(key)
        if operator in {"=", "!="} and value != value:  # noqa: PLR0124 - NaN
            return _is_nan(key) if operator == "=" else Not(_is_nan(key))
        return Compare(key, operator, value)

    def _check(self, key: str) -> None:
        """Refuse a name that runs never have: a condition on it would find nothing, and say nothing."""
        group, dot, _ = key.partition(".")
        if key.startswith("@") or group in (_GROUPS if dot else _NAMES):
            return
        named = [f"{one}.NAME" for one in _GROUPS[:4]]
        close = nearest(f"{group}.NAME", named) if dot else nearest(key, [*_NAMES[:6], *named, *_NAMES[6:]], 10)
        raise InputError(
            f"The condition {self._text!r} asks for {key!r}, which no run has.",
            allowed=close,
            remedy=""
            if dot
            else f"a metric, a parameter or a tag of that name: metrics.{key}, params.{key}, tags.{key}",
        )

    def _values(self, key: str) -> tuple[Scalar, ...]:
        self._require("(")
        values = [self._value(key)]
        while self._takes(","):
            values.append(self._value(key))
        self._require(")")
        return tuple(values)

    def _value(self, key: str) -> Scalar:
        token = self._take()
        if token[:1] not in {"'", '"'} and not _is_word(token):
            raise self._unreadable_here(-1)
        if key in _TIMES:
            return self._time(token)
        return _value(token)

    def _time(self, token: str) -> float:
        try:
            moment = datetime.fromisoformat(token.strip("'\""))
        except ValueError as error:
            raise self._unreadable_here(-1) from error
        return at_seconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    def _take(self) -> str:
        if self._next == len(self._tokens):
            raise self._unreadable(len(self._text))
        self._next += 1
        return self._tokens[self._next - 1][0]

    def _takes(self, word: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next][0].lower() == word
        self._next += found
        return found

    def _require(self, word: str) -> None:
        if not self._takes(word):
            raise self._unreadable_here()

    def _unreadable_here(self, back: int = 0) -> InputError:
        place = self._next + back
        return self._unreadable(self._tokens[place][1] if place < len(self._tokens) else len(self._text))

    def _unreadable(self, place: int) -> InputError:
        rest = self._text[place:].strip()
        return InputError(
            f"The condition {self._text!r} {f'cannot be read from {rest!r} on' if rest else 'is not complete'}.",
            allowed="KEY =|!=|<|<=|>|>=|like|ilike VALUE, KEY in (VALUE, ...), KEY exists; and, or, not, parentheses",
            remedy='for example: metrics.roc_auc > 0.8 and params.estimator = "lightgbm"',
        )


def _is_among(key: str, values: tuple[Scalar, ...]) -> Condition:
    """One of these; NaN is asked for in its own way."""
    equal = tuple(value for value in values if value == value)  # noqa: PLR0124 - NaN
    if len(equal) == len(values):
        return Compare(key, "in", values)
    return AnyOf((Compare(key, "in", equal), _is_nan(key))) if equal else _is_nan(key)


def _is_nan(key: str) -> Condition:
    """NaN compares with nothing: what is there, and is neither a number in order nor text."""
    return All((Compare(key, "exists", value=True), Not(Compare(key, ">=", -math.inf)), Not(Compare(key, "like", "%"))))


def _is_word(token: str) -> bool:
    return token[:1] not in {"'", '"', "(", ")", ","} and token not in _OPERATORS and token.lower() not in _RESERVED


def _value(text: str) -> Scalar:
    if text[0] in "\"'":
        return text[1:-1]
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text
