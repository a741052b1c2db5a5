"""The rules that hide a value, for one value: the twins of `cleaning.disguises`, which see it after all others."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.singles.cells import Single, by_polars, is_number
from heptad.data.cleaning.singles.truths import as_moment
from heptad.data.settings import ColumnType

HIDDEN = "****"
_EVERY = {"day": "1d", "month": "1mo", "quarter": "1q", "year": "1y"}


def disguise_steps(name: str, kind: ColumnType, rule: CleanRule) -> Iterator[Single]:
    """The rules of a column that hide its values, in the order in which a table's are applied."""
    return (build(name, kind, rule) for wanted, build in _DISGUISES if wanted(rule, kind))


def _band(name: str, kind: ColumnType, rule: CleanRule) -> Single:
    width, held = rule.band, int if kind == "integer" else float

    def repair(value: Any, _: object) -> Any:
        return held(math.floor(value / width) * width) if is_number(value) else value

    return Single("band", name, repair)


def _period(name: str, _: ColumnType, rule: CleanRule) -> Single:
    cut = by_polars(lambda value: value.dt.truncate(_EVERY[rule.period]), "datetime")

    def repair(value: Any, _: object) -> Any:
        moment = as_moment(value)
        return value if moment is None else cut(moment)

    return Single("period", name, repair, changed=lambda before, after: as_moment(before) != after)


def _prefix(name: str, _: ColumnType, rule: CleanRule) -> Single:
    return Single("prefix", name, _of_text(lambda text: text[: rule.prefix]))


def _mask(name: str, _: ColumnType, rule: CleanRule) -> Single:
    shown = rule.mask or 0

    def masked(text: str) -> str:
        return HIDDEN if len(text) <= shown or text == HIDDEN else HIDDEN + text[len(text) - shown :]

    return Single("mask", name, _of_text(masked))


def _pseudonym(name: str, _: ColumnType, rule: CleanRule) -> Single:
    from heptad.data.cleaning.disguises import pseudonym_key, pseudonym_of  # noqa: PLC0415 - it needs Polars

    key = pseudonym_key(rule.pseudonym)
    repair = _of_text(lambda text: pseudonym_of(text, key))
    return Single("pseudonym", name, repair, changed=lambda before, _: isinstance(before, str))


def _of_text(repair: Callable[[str], str]) -> Callable[[Any, object], Any]:
    return lambda value, _: repair(value) if isinstance(value, str) else value


_DISGUISES: Sequence[tuple[Callable[[CleanRule, ColumnType], bool], Callable[[str, ColumnType, CleanRule], Single]]] = (
    (lambda rule, _: bool(rule.band), _band),
    (lambda rule, _: bool(rule.period), _period),
    (lambda rule, _: bool(rule.prefix), _prefix),
    (lambda rule, _: rule.mask is not None, _mask),
    (lambda rule, _: bool(rule.pseudonym), _pseudonym),
)
"""Whether a column's rule asks for it, and what builds it."""
