"""Repairs cells and sets rows aside by rule, in one query each, with every change counted."""

from collections.abc import Callable, Collection, Iterator

import msgspec
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.columns.column_types import EXAMPLES
from heptad.data.records import Repair

HUGE = 1e38
"""Numbers beyond this are no measurements, and models that compute in single precision cannot hold them."""
_FLAG = "\0changed"

_Step = tuple[str, str, Callable[[pl.Expr], pl.Expr]]
"""Rule, column, and the repair as an expression of the column's values so far."""


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that stay, rows set aside (`rule`, and the `row` itself), and how many each rule took."""

    frame: pl.DataFrame
    aside: pl.DataFrame
    repairs: list[Repair]


def repair_cells(
    frame: pl.DataFrame, settings: CleanSettings, protected: Collection[str] = ()
) -> tuple[pl.DataFrame, list[Repair]]:
    """The frame with cells repaired and no row dropped; only the rules of settings touch `protected` columns.

    In every column of numbers NaN, infinite and huge values become null; then come the rules of `[clean.columns]` in
    the order strip, lower, replace, range. Raises `DataError` for a rule whose column is not there or not of
    its kind.
    """
    for name, rule in settings.columns.items():
        _check_rule(frame, name, rule)
    steps = [step for name in frame.columns for step in _steps(frame.schema[name], name, settings, protected)]
    values = {name: pl.col(name) for name in frame.columns}
    flags: list[pl.Expr] = []
    for place, (_, name, repair) in enumerate(steps):
        before, values[name] = values[name], repair(values[name])
        flags.append(values[name].ne_missing(before).alias(f"{_FLAG}{place}"))
    worked = frame.lazy().select([*(value.alias(name) for name, value in values.items()), *flags]).collect()
    repairs = []
    for place, (what, name, _) in enumerate(steps):
        changed = worked[f"{_FLAG}{place}"]
        if changed.any():
            examples = frame[name].filter(changed).unique(maintain_order=True).head(EXAMPLES)
            repairs.append(
                Repair(rule=what, column=name, cells=int(changed.sum()), examples=examples.cast(pl.String).to_list())
            )
    return worked.select(frame.columns), repairs


def _steps(kind: pl.DataType, name: str, settings: CleanSettings, protected: Collection[str]) -> Iterator[_Step]:
    if kind == pl.Float64 and name not in protected:
        yield "not_finite", name, lambda value: pl.when(value.is_finite()).then(value)
        yield "huge", name, lambda value: pl.when(value.abs() <= HUGE).then(value)
    rule = settings.columns.get(name)
    if rule is None:
        return
    if rule.strip:
        yield "strip", name, lambda value: value.str.strip_chars()
    if rule.lower:
        yield "lower", name, lambda value: value.str.to_lowercase()
    if rule.replace:
        yield "replace", name, lambda value: value.replace(rule.replace)
    if rule.min is not None or rule.max is not None:
        yield "outside", name, lambda value: _within(value, kind, rule)


def _within(value: pl.Expr, kind: pl.DataType, rule: CleanRule) -> pl.Expr:
    repaired = value
    if rule.min is not None:
        low = pl.lit(rule.min if rule.outside == "cap" else None).cast(kind)
        repaired = pl.when(value < rule.min).then(low).otherwise(repaired)
    if rule.max is not None:
        high = pl.lit(rule.max if rule.outside == "cap" else None).cast(kind)
        repaired = pl.when(value > rule.max).then(high).otherwise(repaired)
    return repaired


def _check_rule(frame: pl.DataFrame, name: str, rule: CleanRule) -> None:
    if name not in frame.columns:
        raise DataError(
            f"There is no column {name!r}, which [clean.columns] names.", allowed=nearest(name, frame.columns)
        )
    kind = frame.schema[name]
    ranged = rule.min is not None or rule.max is not None
    worded = rule.strip or rule.lower or rule.replace
    if (ranged and not kind.is_numeric()) or (worded and kind != pl.String):
        wanted = "min, max and outside are for numbers; strip, lower and replace for text"
        raise DataError(f"[clean.columns.{name}] has a rule that does not fit a column of {kind}.", allowed=wanted)


def duplicates(frame: pl.DataFrame, columns: Collection[str], key: list[str]) -> pl.Series:
    """Which rows repeat an earlier one in all `columns`; a key, which copies share too, makes it cheaper to tell."""
    groups = pl.struct(columns).hash() if not key else pl.col(key[0]) if len(key) == 1 else pl.struct(key)
    flagged = frame.select(groups.is_duplicated()).to_series()
    mask = pl.zeros(len(frame), pl.Boolean, eager=True)
    if not flagged.any():
        return mask
    suspected = frame.with_row_index(_FLAG).filter(flagged)
    first = suspected.unique(columns, keep="first", maintain_order=True)[_FLAG]
    repeated = suspected.filter(~pl.col(_FLAG).is_in(first.implode()))[_FLAG]
    return mask.scatter(repeated, values=True)


def set_aside(frame: pl.DataFrame, rules: dict[str, pl.Series]) -> Cleaned:
    """Takes out rows by rule (name to which rows); a row goes by the first rule that wants it.

    No row is lost: those that stay and those set aside are together as many as came in.
    """
    kept = pl.repeat(value=True, n=len(frame), dtype=pl.Boolean, eager=True)
    aside, repairs = [], []
    for name, wanted in rules.items():
        taken = kept & wanted.fill_null(value=False)
        if taken.any():
            aside.append(frame.filter(taken).select(pl.lit(name).alias("rule"), pl.struct(pl.all()).alias("row")))
            repairs.append(Repair(rule=name, rows=len(aside[-1])))
            kept &= ~taken
    return Cleaned(
        frame=frame.filter(kept) if aside else frame,
        aside=pl.concat(aside) if aside else pl.DataFrame(),
        repairs=repairs,
    )
