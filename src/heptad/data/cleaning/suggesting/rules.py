"""Flagged cells gathered into rules that a person can accept: what, why, how sure, and the lines of `[clean]`."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from heptad.data.toml import toml_key, toml_value

MOST_VALUES = 200
"""A rule that replaces more different values than this is not written into a file."""
SHOWN = 5
_BY_VALUE = {"spelling", "variant", "words", "format", "program", "missing", "known", "label"}


class FlaggedCell(msgspec.Struct, frozen=True):
    """A cell that is likely wrong: `row` from 0; `proposal` null where nothing is known, empty where it should be.

    `precision` is the estimated chance that the cell is wrong, `repaired` that it is and the proposal right; null
    without one.
    """

    row: int
    column: str
    value: str
    proposal: str | None
    rule: str
    precision: float
    repaired: float | None


class SuggestedRule(msgspec.Struct, frozen=True):
    """What is wrong with some cells of a column: `settings` are those of `[clean.columns.COLUMN]`, if any says it.

    `precision`: estimated share of the cells that are wrong; `repaired`: that are wrong and put right, null without.
    """

    column: str
    name: str
    evidence: str
    cells: int
    precision: float
    repaired: float | None
    examples: tuple[tuple[str, str | None], ...]
    settings: dict[str, Any]


_SENTENCES = {
    "told": "Rows that agree in {by} agree here too, but for these cells",
    "slip": "A word that belongs to another column, empty in these rows, stands here",
    "spelling": "Rare values that are nearly a common one",
    "variant": "Other blanks, case or signs than the commoner spelling",
    "words": "A rare word that is nearly a common one",
    "format": "Written otherwise than most of the column; {way}",
    "program": "Like cells that a person corrected; {way}",
    "missing": "A mark that stands for nothing",
    "read": "A mark that stands for nothing, in a column that is read as numbers: the mark is missing by that already",
    "known": "The same value as one that a person corrected",
    "label": "Corrected by a person",
    "unusual": "{by}",
}
_WAYS = {
    "template": "digits or date as usual",
    "strip": "blanks taken away",
    "bare": "the number alone",
    "number": "the number alone, as short as can be",
    "pointed": "a decimal point",
    "without_groups": "no commas between thousands",
    "grouped": "commas between thousands",
    "edges": "no signs around it",
    "lower": "small letters",
    "upper": "capitals",
    "title": "capitals at the start of words",
    "capital": "a capital at the start",
    "outside_brackets": "without what is in brackets",
    "empty": "nothing",
    "before": "{0!r} put before",
    "behind": "{0!r} put behind",
    "without_before": "without {0!r} before",
    "without_behind": "without {0!r} behind",
    "replace": "{0!r} replaced by {1!r}",
    "zeros": "zeros before, to {0} digits",
    "tokens": "its words and numbers put together anew",
}
"""What each program does, in words."""
REASONS = {
    "outlier": "Far beyond the other numbers",
    "not_number": "No number, in a column of numbers",
    "empty": "Empty, as few cells like it are",
    "marker": "A mark that stands for nothing",
    "told": "Other rows of its group say something else",
    "other_shape": "Another shape than most of the column",
    "foreign": "A value of another column",
    "rare": "Rare signs, shape or words",
}
"""Why a cell without a proposal is flagged."""


def gathered(
    cells: Sequence[FlaggedCell],
    kinds: Sequence[tuple[str, tuple[str, ...]]],
    counts: Mapping[str, Mapping[str, int]],
    numeric: Collection[str] = (),
) -> list[SuggestedRule]:
    """Rules by column and kind, the surest first; `counts`: how many cells of a column have a value.

    Columns that are `numeric` are read as numbers, and marks for nothing in them need no rule.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for place, cell in enumerate(cells):
        groups.setdefault((cell.column, cell.rule), []).append(place)
    rules = []
    for (column, name), places in groups.items():
        members = [cells[place] for place in places]
        kind, by = kinds[places[0]]
        kind = "read" if kind == "missing" and column in numeric else kind
        pairs = Counter((cell.value, cell.proposal) for cell in members)
        chances = [cell.repaired for cell in members if cell.repaired is not None]
        rules.append(
            SuggestedRule(
                column=column,
                name=name,
                evidence=_SENTENCES[kind].format(by=" and ".join(by), way=_way(by)),
                cells=len(members),
                precision=round(sum(cell.precision for cell in members) / len(members), 3),
                repaired=round(sum(chances) / len(chances), 3) if chances else None,
                examples=tuple(pair for pair, _ in pairs.most_common(SHOWN)),
                settings=_settings(kind, by, pairs, counts[column]),
            )
        )
    return sorted(rules, key=lambda rule: (rule.column, -rule.precision, -rule.cells, rule.name))


def _way(by: Sequence[str]) -> str:
    """What a program does, by its name and words; empty where no program is meant."""
    return _WAYS[by[0]].format(*by[1:]) if by and by[0] in _WAYS else ""


def _settings(
    kind: str, by: Sequence[str], pairs: Counter[tuple[str, str | None]], counts: Mapping[str, int]
) -> dict[str, Any]:
    """The setting that says it, empty where `[clean.columns.NAME]` cannot.

    A list of values changes these and no others; a group votes by the rows that the table has when it is collected.
    """
    if kind == "told":
        return {"told_by": list(by)}
    values = Counter(value for value, _ in pairs)
    whole = all(counts[value] == n for (value, _), n in pairs.items())
    if kind not in _BY_VALUE or len(pairs) > MOST_VALUES or max(values.values()) > 1 or not whole or "" in values:
        return {}
    if any(proposal is None for _, proposal in pairs):
        return {}
    if all(not proposal for _, proposal in pairs):
        return {"missing": sorted(values)}
    if all(value.strip() == proposal for value, proposal in pairs):
        return {"strip": True}
    return {"replace": {value: str(proposal) for value, proposal in sorted(pairs, key=str)}}


def rule_lines(column: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """The lines of heptad.toml that say the settings of a column."""
    yield f"[clean.columns.{toml_key(column)}]"
    for name, value in settings.items():
        yield f"{name} = {toml_value(value)}"


def merged(rules: Sequence[SuggestedRule]) -> dict[str, dict[str, Any]]:
    """Column to the settings of all its rules together."""
    found: dict[str, dict[str, Any]] = {}
    for rule in rules:
        for name, value in rule.settings.items():
            here = found.setdefault(rule.column, {})
            here[name] = _joined(name, here.get(name), value)
    return found


def _joined(name: str, before: Any, value: Any) -> Any:
    """Two rules' settings as one; a column is told by one group of columns, that of the surest rule."""
    if isinstance(value, dict):
        return (before or {}) | value
    if name == "missing":
        return sorted({*(before or ()), *value})
    return value if before is None else before
