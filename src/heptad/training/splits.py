"""Which rows a model learns from and which it is judged on: by time where there is one, else by hash of the key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from heptad.core.errors import DataError
from heptad.core.settings import duration
from heptad.data import Fold, Schema, hash_holdout, row_ids, time_cut, time_folds, unit_hashes
from heptad.training.records import Split

WHOLE = "all"
"""The window that goes back to the first row."""
_FOLD_SEED = 1
"""Folds hash with another seed than the holdout, within whose rows the hash is not uniform any more."""


@dataclass(frozen=True)
class Parts:
    """Rows learnt from, rows judged, and the rule that parted them."""

    train: pl.DataFrame
    judged: pl.DataFrame
    split: Split


def part_by_time(
    frame: pl.DataFrame, schema: Schema, *, window: str, train_until: datetime, judge_until: datetime | None = None
) -> Parts:
    """Learn from `[train_until - window, train_until)`, judge on `[train_until, judge_until)`.

    A row whose label was not yet known at `train_until` is not learnt from: no model of that moment could have been.
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
    split = Split(by="time", train_from=train_from, train_until=train_until, judge_until=judge_until)
    return _checked(frame.filter(learnt), frame.filter(judged), split)


def part_newest(frame: pl.DataFrame, schema: Schema, *, window: str, holdout: float) -> Parts:
    """Judge on about the newest `holdout` share of the rows; rows of one moment stay together."""
    cut = time_cut(frame.get_column(schema.named("time")[0]), holdout)
    parts = part_by_time(frame, schema, window=window, train_until=cut)
    return Parts(parts.train, parts.judged, msgspec.structs.replace(parts.split, holdout=holdout))


def part_by_hash(frame: pl.DataFrame, schema: Schema, *, holdout: float) -> Parts:
    """Judge on the rows whose hash of the key is below `holdout`: a row stays on its side when the table grows.

    A class (or a whole regression) of which one side would have no row gives it one, if it has two or more.
    """
    ids = row_ids(frame, schema)
    judged = hash_holdout(ids, holdout)
    for rows in _by_class(frame, schema, np.argsort(unit_hashes(ids), kind="stable")):
        if len(rows) > 1 and holdout > 0:
            judged[rows[0]] = True
            judged[rows[-1]] = False
    return _checked(frame.filter(~judged), frame.filter(judged), Split(by="hash", holdout=holdout))


def thin(frame: pl.DataFrame, schema: Schema, most: int) -> pl.DataFrame:
    """At most `most` rows, those with the lowest hash of the key, in the order they had; 0: all."""
    if not most or len(frame) <= most:
        return frame
    lowest = np.argsort(unit_hashes(row_ids(frame, schema)), kind="stable")[:most]
    return frame[np.sort(lowest)]


def folds_of(frame: pl.DataFrame, schema: Schema, folds: int) -> list[Fold]:
    """Folds for a search over `frame`, without those that have no row to judge or nothing to tell apart to learn from.

    With a time: expanding windows, in which nothing is learnt from the future. Without: each row is judged once,
    and the rows of each class are dealt out evenly, in order of the hash of the key.
    """
    if schema.named("time"):
        known = schema.named("label_time")
        label_times = frame.get_column(known[0]) if known else None
        found = time_folds(frame.get_column(schema.named("time")[0]), folds, label_times=label_times)
    else:
        found = _dealt(frame, schema, folds)
    if schema.task == "classification":
        labels = frame.get_column(schema.target)
        found = [fold for fold in found if labels[fold.train].n_unique() > 1]
    if not found:
        raise DataError(
            f"{len(frame)} rows cannot be parted into {folds} folds to search over, each with two classes or more.",
            remedy="Add rows, or set fewer folds or a larger sample in heptad.toml: [search] folds = 2, sample = 0",
        )
    return found


def _dealt(frame: pl.DataFrame, schema: Schema, folds: int) -> list[Fold]:
    order = np.argsort(unit_hashes(row_ids(frame, schema), _FOLD_SEED), kind="stable")
    number = np.zeros(len(frame), dtype=np.int64)
    dealt = 0
    for rows in _by_class(frame, schema, order):
        number[rows] = (np.arange(len(rows)) + dealt) % folds
        dealt += len(rows)
    found = [Fold(np.flatnonzero(number != one), np.flatnonzero(number == one)) for one in range(folds)]
    return [fold for fold in found if len(fold.train) and len(fold.judge)]


def _by_class(frame: pl.DataFrame, schema: Schema, order: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """`order` in one part for each class, or whole for a regression."""
    if schema.task == "regression":
        return [order]
    labels = frame.get_column(schema.target).cast(pl.String).to_numpy()[order]
    return [order[labels == label] for label in schema.classes]


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
