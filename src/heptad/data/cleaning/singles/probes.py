"""Made-up rows that touch every rule, so that a server can be held to what the table's rules make of them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.singles.cells import is_read
from heptad.data.cleaning.singles.rules import RequestRules

MOST = 24
"""Values that are tried of one column."""
_TEXTS = (
    "",
    "  two  words ",
    "miXed Case",
    "never written before",
    "-7",
    "1,234.50",
    "$5",
    "12 %",
    "(3.00)",
    "1.234,5 EUR",
)
_MOMENT = datetime(2021, 3, 14, 15, 9, 26)  # noqa: DTZ001 - it is written, not meant
_BETWEEN = "\x1f"


def probes(rules: RequestRules, usual: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows as clients would send them: a usual one, with one column after the other changed; nobody's real row."""
    row = {name: usual.get(name) for name in _sent(rules)}
    row |= {name: next(_written(rule)) for name, rule in rules.columns.items() if is_read(rule)}
    made = [row]
    for name, rule in rules.columns.items():
        made += [row | {name: value} for value in islice(dict.fromkeys(_values(name, rule, rules)), MOST)]
        made += [row | group for group in islice(_groups(name, rule, rules), MOST)]
    return made


def _sent(rules: RequestRules) -> list[str]:
    """The columns that a client sends: not those that a rule adds."""
    added = {f"{name}_outlier" for name, rule in rules.columns.items() if rule.outlying == "mark"}
    return [name for name in rules.types if name not in added]


def _values(name: str, rule: CleanRule, rules: RequestRules) -> Iterator[Any]:
    yield None
    kind = rules.types[name]
    if kind == "boolean":
        yield from (False, True)
    elif kind in {"category", "text"} or is_read(rule):
        yield from _written(rule)
    elif kind != "datetime":
        ends = [rule.min, rule.max, *(end for pair in rules.fitted.bounds.get(name, [])[:4] for end in pair)]
        found = [end + more for end in ends if end is not None for more in (-1, 0, 1)] + [0.0, 7.0, -1e6]
        found += [mark for mark in rule.missing if isinstance(mark, float | int)]
        yield from (round(one) if kind == "integer" else float(one) for one in found)


def _written(rule: CleanRule) -> Iterator[str]:
    yield from (f"12{blank}{unit}" for unit in list(rule.units)[:5] for blank in ("", " "))
    yield from (_MOMENT.strftime(one) for one in rule.dates)
    yield from list(rule.replace)[:5]
    for category, spellings in list(rule.canonical.items())[:5]:
        yield from (category, *spellings[:2])
    yield from map(str, rule.missing[:5])
    yield from _TEXTS


def _groups(name: str, rule: CleanRule, rules: RequestRules) -> Iterator[dict[str, Any]]:
    """Groups that agree on something, where their columns are texts."""
    if not all(rules.types.get(one) in {"category", "text"} for one in rule.told_by):
        return
    for group in islice(rules.fitted.votes.get(name, {}), 5):
        cells: Sequence[str] = group.split(_BETWEEN)
        if len(cells) == len(rule.told_by):
            yield {**dict(zip(rule.told_by, cells, strict=True)), name: None}
