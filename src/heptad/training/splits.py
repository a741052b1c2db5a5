"""Which rows a model learns from and which it is judged on: by time where there is one, else by hash of the key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError
from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.data import Fold, Schema, Sides, SplitRule, row_ids, sides_of, time_cut, unit_hashes, with_given
from heptad.training.records import Split

WHOLE = "all"
"""The window that goes back to the first row."""
LEARNT, JUDGED, PLACE = "\0learnt {}", "\0judged {}", "\0place {}"
"""What rows are marked with: on which sides of which split, by its name, they are."""
HOLDOUT = "holdout"
"""The name of the split of what a model learns from and what it is judged on."""
_HELD, _LABEL = "\0held", "\0label"


@dataclass(frozen=True)
class Parts:
    """Rows learnt from, rows judged, and the rule that parted them."""

    train: pl.DataFrame
    judged: pl.DataFrame
    split: Split


class Parted(NamedTuple):
    """Conditions by which rows are learnt from and judged, and the rule, whose rows are not counted yet."""

    sides: Sides
    split: Split


def parted_by_time(
    schema: Schema,
    *,
    window: str,
    train_until: datetime,
    judge_until: datetime | None = None,
    group: Sequence[str] = (),
) -> Parted:
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
    split = Split(by="time", train_from=train_from, train_until=train_until, judge_until=judge_until, group=list(group))
    return Parted(Sides(learnt, judged), split)


def parted_by_newest(
    rows: pl.LazyFrame, schema: Schema, *, window: str, holdout: float, group: Sequence[str] = ()
) -> Parted:
    """Judge on about the newest `holdout` share of the rows; rows of one moment stay together."""
    cut = time_cut(rows, schema.named("time")[0], holdout)
    sides, split = parted_by_time(schema, window=window, train_until=cut, group=group)
    return Parted(sides, msgspec.structs.replace(split, holdout=holdout))


def parted_by_rule(rule: Record[SplitRule]) -> Parted:
    """Judge on the rows of the rule's first part, and learn from all others."""
    first, *_ = sides_of(rule.body)
    group = [] if rule.body.by == rule.body.key else rule.body.by
    return Parted(first, Split(by="hash", holdout=rule.body.shares[0], rule=rule.id, group=group))


class Tally(NamedTuple):
    """How many rows a split learns from and judges, and of how many classes it learns; all numbers are one."""

    learnt: int
    judged: int
    classes: int


def marked(rows: pl.LazyFrame, splits: Mapping[str, Sides], group: Sequence[str] = ()) -> pl.LazyFrame:
    """The rows with two columns a split, by its name: `LEARNT`, `JUDGED`.

    No row is learnt from whose `group` is judged. Splits by hash deal groups whole, and need none named.
    """
    rows = with_given(rows, [one for sides in splits.values() for one in sides.given]).with_columns(
        condition.fill_null(value=False).alias(mark.format(name))
        for name, sides in splits.items()
        for mark, condition in ((LEARNT, sides.learnt), (JUDGED, sides.judged))
    )
    for name in splits if group else ():
        # Asked now: a query that reads the same rows on both sides of a join would hold them.
        judged = rows.filter(JUDGED.format(name)).select(group).unique().collect(engine="streaming")
        held = judged.lazy().with_columns(pl.lit(value=True).alias(_HELD))
        rows = rows.join(held, on=list(group), how="left", maintain_order="left")
        rows = rows.with_columns(pl.col(LEARNT.format(name)) & pl.col(_HELD).is_null()).drop(_HELD)
    return rows


def tallies(rows: pl.LazyFrame, schema: Schema, splits: Sequence[str]) -> dict[str, Tally]:
    """Of the splits that rows are `marked` with; one query."""
    sides = [mark.format(name) for name in splits for mark in (LEARNT, JUDGED)]
    label = pl.col(schema.target) if schema.task == "classification" else pl.lit("")
    # By class, and not the classes of each split: of filters in a query Polars holds what each lets through.
    found = rows.group_by(label.alias(_LABEL)).agg(pl.col(sides).sum()).collect(engine="streaming")
    told = {}
    for name in splits:
        learnt, judged = (found[mark.format(name)] for mark in (LEARNT, JUDGED))
        told[name] = Tally(int(learnt.sum()), int(judged.sum()), int((learnt > 0).sum()))
    return told


def part(frame: pl.DataFrame, parted: Parted, known_at: datetime | None) -> Parts:
    """The rows of both sides, with labels as they were `known_at`; raises `DataError` where one has none."""
    split = parted.split
    rows = marked(frame.lazy(), {HOLDOUT: parted.sides}, split.group if split.by == "time" else ()).collect()
    train, rest = (rows.filter(mark.format(HOLDOUT)).select(frame.columns) for mark in (LEARNT, JUDGED))
    check_sides(len(train), len(rest), split.group)
    counted = msgspec.structs.replace(split, train_rows=len(train), judge_rows=len(rest), known_at=known_at)
    return Parts(train, rest, counted)


def check_sides(learnt: int, judged: int, group: Sequence[str]) -> None:
    """Raises `DataError` where a side of a split, which keeps the rows of a `group` together, has no rows."""
    whole = (
        f" Rows with the same {', '.join(group)} are all on one side ([validate] group), so that there have to be "
        "several groups."
        if group
        else ""
    )
    for count, what in ((learnt, "to learn from"), (judged, "to judge on")):
        if not count:
            raise DataError(
                f"There are no labelled rows {what}: {learnt} to learn from, {judged} to judge on.",
                remedy="Add rows, or change the window or [validate] holdout. Where [data] has a label_time or a "
                f"label_delay, rows whose label was not known when judging begins are not learnt from.{whole}",
            )


def thin(frame: pl.DataFrame, schema: Schema, most: int) -> pl.DataFrame:
    """At most `most` rows, those with the lowest hash of the key, in the order they had; 0: all."""
    if not most or len(frame) <= most:
        return frame
    lowest = np.argsort(unit_hashes(row_ids(frame, schema)), kind="stable")[:most]
    return frame[np.sort(lowest)]


def usable(found: Mapping[str, Tally], schema: Schema, folds: int) -> list[str]:
    """Of so many folds those with rows to judge and two classes to learn from; raises `DataError` where none has."""
    fewest = 2 if schema.task == "classification" else 1
    names = [name for name, one in found.items() if one.judged and one.classes >= fewest]
    if not names:
        raise DataError(
            f"The labelled rows cannot be parted into {folds} folds to search over, each with two classes or more.",
            remedy="Add rows, or set fewer folds or a larger sample in heptad.toml: [search] folds = 2, sample = 0. "
            "Where [validate] group is set, groups stay whole and have to be several; where they name what comes at "
            "all times, split by hash: [validate] split = 'hash'",
        )
    return names


def numbered(name: str, folds: Sequence[Sides]) -> dict[str, Sides]:
    """The folds by their names."""
    return {f"{name} {number}": sides for number, sides in enumerate(folds, 1)}


def folds_of(
    frame: pl.DataFrame, schema: Schema, splits: Sequence[Sides], folds: int, group: Sequence[str] = ()
) -> list[Fold]:
    """The positions of rows on both sides of each usable split; raises `DataError` where there is none."""
    named = numbered("fold", splits)
    marks = [mark.format(name) for name in named for mark in (LEARNT, JUDGED)]
    rows = marked(frame.lazy(), named, group).select(schema.target, *marks).collect()
    return [
        Fold(*(np.flatnonzero(rows[mark.format(name)].to_numpy()) for mark in (LEARNT, JUDGED)))
        for name in usable(tallies(rows.lazy(), schema, list(named)), schema, folds)
    ]
