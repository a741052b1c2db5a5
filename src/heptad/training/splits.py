"""Which rows a model learns from and which it is judged on: by time where there is one, else by hash of the key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from heptad.core.errors import DataError
from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.data import Fold, Schema, SplitRule, numbers_of, row_ids, time_cut, time_folds, unit_hashes
from heptad.training.records import Split

WHOLE = "all"
"""The window that goes back to the first row."""


@dataclass(frozen=True)
class Parts:
    """Rows learnt from, rows judged, and the rule that parted them."""

    train: pl.DataFrame
    judged: pl.DataFrame
    split: Split


def part_by_time(
    frame: pl.DataFrame,
    schema: Schema,
    *,
    window: str,
    train_until: datetime,
    judge_until: datetime | None = None,
    group: Sequence[str] = (),
) -> Parts:
    """Learn from `[train_until - window, train_until)`, judge on `[train_until, judge_until)`.

    A row whose label was not yet known at `train_until` is not learnt from: no model of that moment could have been.
    Nor is a row of a group that is judged.
    """
    (time,) = schema.named("time")
    train_from = None if window == WHOLE else train_until - duration(window)
    moment = pl.col(time)
    learnt = moment < train_until
    for label_time in schema.named("label_time"):
        learnt &= pl.col(label_time) <= train_until
    if train_from is not None:
        learnt &= moment >= train_from
    judged = moment >= train_until
    if judge_until is not None:
        judged &= moment < judge_until
    split = Split(by="time", train_from=train_from, train_until=train_until, judge_until=judge_until, group=list(group))
    return _checked(_without_groups_of(frame.filter(learnt), frame.filter(judged), group), frame.filter(judged), split)


def part_newest(
    frame: pl.DataFrame, schema: Schema, *, window: str, holdout: float, group: Sequence[str] = ()
) -> Parts:
    """Judge on about the newest `holdout` share of the rows; rows of one moment stay together."""
    cut = time_cut(frame.get_column(schema.named("time")[0]), holdout)
    parts = part_by_time(frame, schema, window=window, train_until=cut, group=group)
    return Parts(parts.train, parts.judged, msgspec.structs.replace(parts.split, holdout=holdout))


def part_by_rule(frame: pl.DataFrame, rule: Record[SplitRule]) -> Parts:
    """Judge on the rows of the rule's first part, and learn from all others."""
    judged = numbers_of(rule.body, frame) == 0
    group = [] if rule.body.by == rule.body.key else rule.body.by
    split = Split(by="hash", holdout=rule.body.shares[0], rule=rule.id, group=group)
    return _checked(frame.filter(~judged), frame.filter(judged), split)


def thin(frame: pl.DataFrame, schema: Schema, most: int) -> pl.DataFrame:
    """At most `most` rows, those with the lowest hash of the key, in the order they had; 0: all."""
    if not most or len(frame) <= most:
        return frame
    lowest = np.argsort(unit_hashes(row_ids(frame, schema)), kind="stable")[:most]
    return frame[np.sort(lowest)]


def folds_by_time(frame: pl.DataFrame, schema: Schema, folds: int, group: Sequence[str] = ()) -> list[Fold]:
    """Expanding windows, in which nothing is learnt from the future, nor of a group that is judged."""
    known = schema.named("label_time")
    label_times = frame.get_column(known[0]) if known else None
    found = time_folds(frame.get_column(schema.named("time")[0]), folds, label_times=label_times)
    return [Fold(_other_groups(frame, fold, group), fold.judge) for fold in found] if group else found


def usable(frame: pl.DataFrame, schema: Schema, found: list[Fold], folds: int) -> list[Fold]:
    """The folds that have rows to judge and two classes to learn from; raises `DataError` where there is none."""
    found = [fold for fold in found if len(fold.train) and len(fold.judge)]
    if schema.task == "classification":
        labels = frame.get_column(schema.target)
        found = [fold for fold in found if labels[fold.train].n_unique() > 1]
    if not found:
        raise DataError(
            f"{len(frame)} rows cannot be parted into {folds} folds to search over, each with two classes or more.",
            remedy="Add rows, or set fewer folds or a larger sample in heptad.toml: [search] folds = 2, sample = 0. "
            "Where [validate] group names what comes at all times, split by hash: [validate] split = 'hash'",
        )
    return found


def _without_groups_of(rows: pl.DataFrame, judged: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    if not group:
        return rows
    return rows.join(judged.select(group).unique(), on=list(group), how="anti", maintain_order="left")


def _other_groups(frame: pl.DataFrame, fold: Fold, group: Sequence[str]) -> NDArray[np.int64]:
    place = "\0place"
    learnt = frame[fold.train].select(*group, pl.Series(place, fold.train))
    kept = _without_groups_of(learnt, frame[fold.judge], group)
    return kept.get_column(place).to_numpy()


def _checked(train: pl.DataFrame, judged: pl.DataFrame, split: Split) -> Parts:
    for part, what in ((train, "to learn from"), (judged, "to judge on")):
        if part.is_empty():
            raise DataError(
                f"There are no labelled rows {what}: {len(train)} to learn from, {len(judged)} to judge on.",
                remedy="Add rows, or change the window or [validate] holdout. Where [data] has a label_time or a "
                "label_delay, rows whose label was not known when judging begins are not learnt from.",
            )
    counted: dict[str, Any] = {"train_rows": len(train), "judge_rows": len(judged)}
    return Parts(train, judged, msgspec.structs.replace(split, **counted))
