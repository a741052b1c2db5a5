"""Which suggested rules can be accepted together: sure enough, fit for the types as stored, of one mind in a column."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.data.cleaning.checking import check_rules
from heptad.data.cleaning.rules import repair_cells
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.cleaning.suggesting.accepting import added
from heptad.data.cleaning.suggesting.rules import SuggestedRule

TypesOf = Callable[[Collection[str]], Mapping[str, pl.DataType]]
_READERS = ("regex", "numbers", "units", "dates")
"""Rules that read each text of a column, and make what they cannot read missing."""


def sureness(rule: SuggestedRule) -> float:
    """How sure it is that a rule does good: that its cells are wrong, and what it makes of them right."""
    return rule.precision if rule.repaired is None else min(rule.precision, rule.repaired)


def choose_rules(
    rules: Sequence[SuggestedRule],
    types_of: TypesOf,
    there: CleanSettings,
    least: float,
    target: str = "",
    label_time: str = "",
) -> tuple[list[SuggestedRule], list[tuple[SuggestedRule, str]]]:
    """The rules with settings that are at least so sure and can stand together; and those that cannot, with why.

    `types_of` gives the types as stored, where some columns stay text as written. In a column, a rule that reads the
    whole of it comes first, then the surest; what is `there` stands. None may read the `target`; see `check_rules`.
    """
    able = [rule for rule in rules if rule.settings and sureness(rule) >= least]
    read = {name for name, rule in there.columns.items() if any(getattr(rule, one) for one in _READERS)}
    read |= {rule.column for rule in able if any(one in rule.settings for one in _READERS)}
    stored, written = types_of(()), types_of(read)
    columns: dict[str, dict[str, Any]] = {
        name: {key: value for key, value in msgspec.to_builtins(rule).items() if value != getattr(CleanRule(), key)}
        for name, rule in there.columns.items()
    }
    chosen, left = [], []
    for rule in sorted(able, key=lambda one: (one.column, not any(key in one.settings for key in _READERS))):
        before = columns.get(rule.column, {})
        types = written if any(before.get(key) or rule.settings.get(key) for key in _READERS) else stored
        fit = msgspec.structs.replace(rule, settings=_in_type(rule.settings, types.get(rule.column)))
        after = before | added(fit.settings, before)
        check = partial(check_rules, types, target=target, label_time=label_time)
        if problem := next(_problems(types, rule.column, fit.settings, before, after, check), ""):
            left.append((rule, problem))
        else:
            chosen.append(fit)
            columns[rule.column] = after
    return chosen, left


def _in_type(settings: Mapping[str, Any], kind: pl.DataType | None) -> dict[str, Any]:
    """Marks for nothing as a column of numbers has them; what is no number cannot occur in it."""
    if "missing" not in settings or kind is None or not kind.is_numeric():
        return dict(settings)
    marks = pl.Series(settings["missing"], dtype=pl.String).cast(pl.Float64, strict=False)
    return {**settings, "missing": sorted(marks.drop_nulls())}


def _problems(
    types: Mapping[str, pl.DataType],
    name: str,
    wanted: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    check: Callable[[CleanSettings], None],
) -> Iterator[str]:
    """What speaks against a rule, besides what is wrong with the settings before it."""
    if wanted.get("missing") == []:
        yield f"these marks cannot occur in a column of {types[name]}, where texts are missing already"
    for key in (*_READERS, "unit", "told_by"):
        if key in wanted and before.get(key) and before[key] != wanted[key]:
            yield f"{key} = {before[key]} stands for this column already"
    try:
        check(CleanSettings(columns={name: msgspec.convert(after, CleanRule)}))
    except DataError as error:
        yield error.problem
    else:
        known = set(_quarrels(before))
        yield from (one for one in _quarrels(after) if one not in known)


def _quarrels(settings: Mapping[str, Any]) -> Iterator[str]:
    """Where one setting of a column undoes what another one does."""
    pairs: Mapping[str, str] = settings.get("replace", {})
    marks = {str(mark) for mark in settings.get("missing", ())}
    for value, made in pairs.items():
        if made in marks or value in marks:
            yield f"missing has {made if made in marks else value!r}, and replace {value!r} = {made!r}"
        elif made != value and pairs.get(made, made) != made:
            yield f"replace has {value!r} = {made!r}, and {made!r} = {pairs[made]!r}"
    for reader in _READERS:
        if settings.get(reader) and pairs:
            read = _read(reader, settings, [*pairs, *pairs.values()])
            for value, made in pairs.items():
                if value in read:
                    yield f"{reader} reads {value!r} as it is, and replace has {value!r} = {made!r}"
                elif made not in read:
                    yield f"{reader} cannot read what replace makes of {value!r}: {made!r}"


def _read(reader: str, settings: Mapping[str, Any], texts: Sequence[str]) -> set[str]:
    """Those of the texts that a setting does not make missing."""
    alone = {key: settings[key] for key in (reader, *(["unit"] if reader == "units" else [])) if key in settings}
    rule = CleanSettings(columns={"text": msgspec.convert(alone, CleanRule)})
    found = repair_cells(pl.LazyFrame({"text": texts}), rule)[0].collect()["text"]
    return {text for text, value in zip(texts, found, strict=True) if value is not None}
