"""The rules that make a value say less, for one value: the twins of `cleaning.disguises`, which come last here, too.

They are done to every row, so that no reply tells of them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from heptad.data.cleaning.keyed import HIDDEN, pseudonym_key, pseudonym_of
from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.singles.cells import Single, is_number
from heptad.data.cleaning.singles.truths import as_moment
from heptad.data.settings import ColumnType

Hide = Callable[[Any], Any]


def disguise_steps(name: str, kind: ColumnType, rule: CleanRule) -> Iterator[Single]:
    """The rules of a column, in the order in which a table's are applied."""
    for setting, build in _KINDS:
        if getattr(rule, setting) not in (None, "", 0) or (setting == "mask" and rule.mask is not None):
            yield _step(setting, name, build(kind, rule))


def _step(setting: str, name: str, hide: Hide) -> Single:
    return Single(setting, name, lambda value, _: None if value is None else hide(value), changed=lambda _, __: False)


def _band(kind: ColumnType, rule: CleanRule) -> Hide:
    held = int if kind == "integer" else float

    def hide(value: Any) -> Any:
        return held(math.floor(value / rule.band) * rule.band) if is_number(value) and math.isfinite(value) else value

    return hide


def _period(_: ColumnType, rule: CleanRule) -> Hide:
    def hide(value: Any) -> Any:
        moment = as_moment(value)
        if not isinstance(moment, datetime):
            return value
        moment = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if rule.period == "day":
            return moment
        month = {"month": moment.month, "quarter": (moment.month - 1) // 3 * 3 + 1, "year": 1}[rule.period]
        return moment.replace(month=month, day=1)

    return hide


def _prefix(_: ColumnType, rule: CleanRule) -> Hide:
    return lambda value: value[: rule.prefix] if type(value) is str else value


def _mask(_: ColumnType, rule: CleanRule) -> Hide:
    shown = rule.mask or 0

    def hide(value: Any) -> Any:
        if type(value) is not str:
            return value
        return HIDDEN if len(value) <= shown or value == HIDDEN else HIDDEN + value[len(value) - shown :]

    return hide


def _pseudonym(_: ColumnType, rule: CleanRule) -> Hide:
    key = pseudonym_key(rule.pseudonym)
    return lambda value: pseudonym_of(str(value), key)


_KINDS: Sequence[tuple[str, Callable[[ColumnType, CleanRule], Hide]]] = (
    ("band", _band),
    ("period", _period),
    ("prefix", _prefix),
    ("mask", _mask),
    ("pseudonym", _pseudonym),
)
