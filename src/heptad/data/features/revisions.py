"""The states that an entity's features went through, as they were known: also where rows came late or were revised.

A window over the past means two things once rows come late: what it holds by now, and what it held then. Training must
see what it held then, since that is what serving saw.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from heptad.data.features.functions import EVENT, KNOWN
from heptad.data.features.timelines import Integers, Timeline
from heptad.data.features.views import View

_AT = "\0at"
_FIRST = "\0first"
"""Where the rows of each row's entity begin."""
_LATEST = "\0latest"
_FROM, _TO = "\0from", "\0to"
_ROWS_AT_ONCE = 2_000_000
"""About the most rows of history that are computed again together."""


def states(view: View, rows: pl.DataFrame) -> pl.DataFrame:
    """Keys, times and features for each state of each entity: what was known of it from `known` on.

    `rows` are prepared, with encodings. Where features look back and rows may come late, a row counts for others from
    when it was known: each arrival that changes the past gives a state of its own, computed over the rows that were
    known by then. Everything else is computed once.
    """
    if not (view.is_revised and view.looks_back):
        return view.computed(rows)
    ordered = rows.sort(*view.keys, *view.times, maintain_order=True)
    latest = _running_max(view, ordered, EVENT, [KNOWN, EVENT], [False, False])
    # Of rows of one event the one known last comes first, so that it counts as past for the others.
    complete = _running_max(view, ordered, KNOWN, [EVENT, KNOWN], [False, True])
    disturbed = (latest > ordered[EVENT]) | (complete > ordered[KNOWN])
    # `computed` orders by time alone, so rows are brought into that order before they are told apart.
    order = ordered.select(pl.arg_sort_by(view.times, maintain_order=True)).to_series()
    settled = view.computed(ordered[order]).filter(~disturbed[order])
    first = pl.col(_FIRST).min()
    asked = ordered.with_columns(latest.alias(_LATEST), pl.Series(_FIRST, np.arange(len(ordered))))
    asked = asked.with_columns(first.over(view.keys) if view.keys else first).filter(disturbed)
    return pl.concat([settled, *(_recomputed(view, ordered, part) for part in _moments(view, ordered, asked))])


def _running_max(view: View, ordered: pl.DataFrame, column: str, by: list[str], descending: list[bool]) -> pl.Series:
    """The greatest value so far of each row's entity, its rows taken in another order."""
    order = ordered.select(pl.arg_sort_by(by, descending=descending, maintain_order=True)).to_series()
    running = pl.col(column).cum_max()
    values = ordered[order].select(running.over(view.keys) if view.keys else running).to_series()
    return values[order.arg_sort()]


def _moments(view: View, ordered: pl.DataFrame, asked: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Entity and moment of each state to compute again, with the range of rows it may depend on, so many at once."""
    moments = asked.group_by(*view.keys, pl.col(KNOWN).alias(_AT), maintain_order=True).agg(
        pl.col(_LATEST).max(), pl.col(_FIRST).first()
    )
    if moments.is_empty():
        return
    keys, latest = moments.select(view.keys), moments[_LATEST]
    events = Timeline(ordered.select(view.keys), ordered[EVENT])
    end = events.find(keys, latest) + 1
    start: Integers = moments[_FIRST].to_numpy()
    if view.reach.bounded and not view.reach.rows:
        start = np.maximum(start, events.find(keys, latest - view.reach.window) + 1)
    portion = np.cumsum(end - start) // _ROWS_AT_ONCE
    ranges = moments.select(*view.keys, _AT).with_columns(pl.Series(_FROM, start), pl.Series(_TO, end))
    for _, part in ranges.group_by(pl.Series("portion", portion), maintain_order=True):
        yield part


def _recomputed(view: View, ordered: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """The newest row of each entity as of each moment, over the rows that were known then."""
    start, length = moments[_FROM].to_numpy(), (moments[_TO] - moments[_FROM]).to_numpy()
    which = np.repeat(np.arange(len(moments)), length)
    places = np.arange(len(which)) + np.repeat(start - np.cumsum(length) + length, length)
    history = ordered[places].with_columns(moments[_AT][which]).filter(pl.col(KNOWN) <= pl.col(_AT))
    groups = [*view.keys, _AT]
    newest = view.computed(history, by=groups).unique(groups, keep="last", maintain_order=True)
    return newest.with_columns(pl.col(_AT).alias(KNOWN)).drop(_AT)
