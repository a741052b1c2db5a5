"""The table of rules: setting of `[clean.columns.NAME]` to what compiles it, in the order in which they are applied."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal, NamedTuple

import polars as pl

from heptad.data.cleaning import disguises, groups, limits, notations, texts
from heptad.data.cleaning.settings import CleanRule, CleanSettings
from heptad.data.cleaning.steps import Given, Step
from heptad.data.columns.column_types import STORED
from heptad.data.records import Fitted

CELL, GROUP, FAR, FILL, HIDE = range(5)
"""Rules of a later stage see what all rules of the earlier ones made of every column."""
STAGES = (CELL, GROUP, FAR, FILL, HIDE)
Takes = Literal["text", "number", "time", "any"]


class Kind(NamedTuple):
    """One kind of rule; `given` says whether the settings of a column ask for it."""

    setting: str
    takes: Takes
    build: Callable[[Given], Step]
    stage: int = CELL
    given: Callable[[CleanRule], bool] | None = None
    becomes: pl.DataType | None = None
    """The dtype afterwards of a rule that reads texts."""

    def wanted(self, rule: CleanRule) -> bool:
        return self.given(rule) if self.given else bool(getattr(rule, self.setting))


KINDS = (
    Kind("strip", "text", texts.strip),
    Kind("trim", "text", texts.trim),
    Kind("missing", "any", texts.missing),
    Kind("lower", "text", texts.lower),
    Kind("case", "text", texts.case),
    Kind("replace", "text", texts.replace),
    Kind("canonical", "text", texts.canonical),
    Kind("regex", "text", texts.regex),
    Kind("numbers", "text", notations.numbers, becomes=STORED["number"]),
    Kind("units", "text", notations.units, becomes=STORED["number"]),
    Kind("dates", "text", notations.dates, becomes=STORED["datetime"]),
    Kind("min", "number", limits.outside, given=lambda rule: rule.min is not None or rule.max is not None),
    Kind("told_by", "any", groups.told_by, stage=GROUP),
    Kind("outliers", "number", limits.outliers, stage=FAR),
    Kind("fill", "any", groups.fill, stage=FILL, given=lambda rule: rule.fill is not None),
    Kind("fill_from", "any", groups.fill_from, stage=FILL),
    Kind("band", "number", disguises.band, stage=HIDE),
    Kind("period", "time", disguises.period, stage=HIDE),
    Kind("prefix", "text", disguises.prefix, stage=HIDE),
    Kind("mask", "text", disguises.mask, stage=HIDE, given=lambda rule: rule.mask is not None),
    Kind("pseudonym", "any", disguises.pseudonym, stage=HIDE),
)
_ALWAYS = (limits.not_finite, limits.huge)
"""What every column of numbers gets, before what is said of its numbers."""


def read_as(rule: CleanRule) -> pl.DataType | None:
    """The dtype that a column of text is read in, where a rule reads it."""
    return next((kind.becomes for kind in KINDS if kind.becomes is not None and kind.wanted(rule)), None)


def kinds_of(kind: pl.DataType, rule: CleanRule) -> Iterator[Kind]:
    """The rules of a column of this dtype; one that was read before is left as it is by rules for text."""
    becomes = read_as(rule)
    done = becomes is not None and kind == becomes
    return (one for one in KINDS if one.wanted(rule) and not (done and one.takes == "text"))


def steps_of(
    types: Mapping[str, pl.DataType], settings: CleanSettings, protected: Collection[str], fitted: Fitted
) -> list[list[Step]]:
    """The steps of each stage; only the rules of settings touch `protected` columns."""
    stages: list[list[Step]] = [[] for _ in STAGES]
    for name, dtype in types.items():
        kind, rule = dtype, settings.columns.get(name, CleanRule())
        checked = False
        for one in (*kinds_of(dtype, rule), None):
            if not checked and (one is None or one.takes == "number" or one.stage != CELL):
                checked = True
                given = Given(name, kind, rule, fitted)
                stages[CELL] += [build(given) for build in _ALWAYS if kind == pl.Float64 and name not in protected]
            if one is not None:
                step = one.build(Given(name, kind, rule, fitted))
                stages[one.stage].append(step)
                kind = step.kind or kind
    return stages
