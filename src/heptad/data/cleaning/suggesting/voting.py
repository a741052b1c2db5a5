"""How sure groups have to be that a suggested rule lets vote: so that it changes the cells that it is suggested for."""

from collections.abc import Sequence

import msgspec
import polars as pl

from heptad.data.cleaning.groups import fit_votes, group_text
from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.suggesting.rules import SuggestedRule
from heptad.data.columns.dialogues import converse
from heptad.data.columns.lookups import look_up

LEAST = (CleanRule().least, 0.8, 0.9, 0.95, 0.98)
"""Shares of a group that have to agree, as they are tried; the first is what a rule has that names none."""
FEWEST, MOST = 0.5, 1.5
"""How many cells a rule may change, in those that it is suggested for."""


def bounded(frame: pl.DataFrame, rule: SuggestedRule) -> SuggestedRule:
    """The rule with the least share by which it changes about the cells that were judged, and not all that differ.

    Where none does, the rule has no settings: groups of which a third says something else may well be right in that.
    `frame` has texts, empty where a cell is missing.
    """
    by: Sequence[str] = rule.settings.get("told_by", ())
    if not by:
        return rule
    texts = frame.select(pl.col(rule.column, *by).replace("", None))
    for least in LEAST:
        if FEWEST * rule.cells <= _changed(texts, rule.column, by, least) <= MOST * rule.cells:
            return msgspec.structs.replace(rule, settings={**rule.settings, **_named(least)})
    return msgspec.structs.replace(rule, settings={})


def _named(least: float) -> dict[str, float]:
    return {} if least == LEAST[0] else {"least": least}


def _changed(texts: pl.DataFrame, column: str, by: Sequence[str], least: float) -> int:
    """How many cells get another value by the vote of their group."""
    (votes, _), *_ = converse(texts, [fit_votes(column, CleanRule(told_by=list(by), least=least))])
    winner = look_up(group_text(by), votes, pl.String())
    return int(texts.select((winner.is_not_null() & winner.ne_missing(pl.col(column))).sum()).item())
