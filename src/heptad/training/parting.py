"""Which rows of a version are learnt from, judged, searched over and nested, as `[validate]` says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import polars as pl

from heptad.core import graph
from heptad.core.errors import DataError, NotFoundError, SettingsError
from heptad.core.memory import SHARE, budget
from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.core.workspace import Workspace
from heptad.data import (
    Data,
    DatasetVersion,
    Fold,
    Schema,
    Sides,
    SplitRule,
    sides_by_time,
    sides_of,
    size_of,
    split_rule,
)
from heptad.training.records import Candidate
from heptad.training.settings import ValidateSettings, moment
from heptad.training.splits import (
    HOLDOUT,
    JUDGED,
    LEARNT,
    PLACE,
    WHOLE,
    Parted,
    Parts,
    check_sides,
    folds_of,
    marked,
    numbered,
    part,
    parted_by_newest,
    parted_by_rule,
    parted_by_time,
    tallies,
    usable,
)

COPIES = 4
SURE = 500_000
"""Rows that always fit."""
_HOLDOUT, _FOLDS, _OUTER, _INNER, _DEALT = range(5)
"""Seeds of the hash. Each deal has its own: within one part of another, its hash is not uniform any more."""


class Cut(NamedTuple):
    """Which rows are learnt from and judged, as asked for; without times the settings decide."""

    window: str = WHOLE
    train_until: datetime | None = None
    judge_until: datetime | None = None
    known_at: datetime | None = None


@dataclass(frozen=True)
class Nested:
    """One part of a nested cross-validation: the rows that a whole search learns from, and those that it never sees."""

    outer: Fold
    inner: list[Fold]
    """Folds of the search; places are those of the whole frame, and none is in `outer.judge`."""


class Parting:
    """The splits of one project. Those by hash follow a `SplitRule` that is kept, so that no row changes sides."""

    def __init__(self, workspace: Workspace, settings: ValidateSettings, data: Data) -> None:
        self._workspace, self._settings, self._data = workspace, settings, data

    def key(self) -> tuple[Any, ...]:
        """What decides where rows are: with another one, searches and candidates are others."""
        settings = self._settings
        return settings.holdout, settings.split, settings.since, settings.group, settings.stratify

    def by(self, schema: Schema) -> Literal["time", "hash"]:
        """What parts the rows; raises `SettingsError` for a wish that the table cannot fulfil."""
        settings, timed = self._settings, bool(schema.named("time"))
        if not timed and (settings.split == "time" or settings.since):
            named = "split = 'time'" if settings.split == "time" else "since"
            raise SettingsError(
                f"[validate] {named} needs a time, and the table has none.",
                remedy="name it in [data] time, or leave the setting out to split by hash",
            )
        if settings.split == "hash" and settings.since:
            raise SettingsError("[validate] split = 'hash' and since contradict each other.", allowed="one of them")
        if settings.split:
            return settings.split
        return "time" if timed and (settings.since or not settings.group) else "hash"

    def parts(
        self,
        version: Record[DatasetVersion],
        cut: Cut = Cut(),  # noqa: B008 - it is frozen
        columns: Sequence[str] = (),
    ) -> Parts:
        """The rows to learn from and to judge on: by the cut where it has times, else as the settings say.

        With `columns`, these alone; those that rows are parted by are among them.
        """
        frame = _held(self._rows(version, cut, columns), version.body)
        return part(frame, self._parted(version, frame.lazy(), cut), cut.known_at)

    def parts_of(self, candidate: Record[Candidate], version: Record[DatasetVersion]) -> Parts:
        """The same parts again that a candidate was learnt from and judged on, whatever the settings say now."""
        split = candidate.body.split
        cut = Cut(candidate.body.window, split.train_until, split.judge_until, split.known_at)
        if split.by == "hash":
            parted = parted_by_rule(graph.load(self._workspace, split.rule, SplitRule))
        else:
            parted = _parted_at(version.body.schema, cut, split.group)
        return part(_held(self._rows(version, cut), version.body), parted, cut.known_at)

    def folds(self, version: Record[DatasetVersion], frame: pl.DataFrame, folds: int) -> list[Fold]:
        """Folds for a search over labelled rows of the version; raises `DataError` where no fold can be learnt from."""
        return self._folds(version, frame, folds, _FOLDS)

    def inner(self, version: Record[DatasetVersion], frame: pl.DataFrame, folds: int) -> list[Fold]:
        """Folds for a search inside of an outer fold, dealt apart from all other folds."""
        return self._folds(version, frame, folds, _INNER)

    def outer(self, version: Record[DatasetVersion], frame: pl.DataFrame) -> list[Fold]:
        """The outer folds of a nested cross-validation over labelled rows."""
        return self._folds(version, frame, self._settings.outer_folds, _OUTER)

    def nested(self, version: Record[DatasetVersion], frame: pl.DataFrame, inner: int) -> list[Nested]:
        """Outer folds, each with the folds of a search over what it learns from; no row is judged by what saw it.

        Folds by hash are two independent deals of all rows: the inner part of a row is the same in every outer fold.
        """
        found = []
        for outer in self.outer(version, frame):
            within = self.inner(version, frame[outer.train], inner)
            found.append(Nested(outer, [Fold(outer.train[one.train], outer.train[one.judge]) for one in within]))
        return found

    def unlabelled(self, version: Record[DatasetVersion]) -> pl.DataFrame:
        """All rows of a version that have no label, in their order."""
        target = version.body.schema.target
        return self._data.scan(version).filter(pl.col(target).is_null()).collect()

    def dealt(self, version: Record[DatasetVersion], frame: pl.DataFrame, folds: int) -> list[Fold]:
        """Folds by hash, also where rows have a time, that judge every row once."""
        return folds_of(frame, version.body.schema, self._dealt(version, frame.lazy(), folds, _DEALT), folds)

    def labelled(self, version: Record[DatasetVersion], columns: Sequence[str] = ()) -> pl.DataFrame:
        """All rows of a version that have a label, in their order; with `columns`, these alone."""
        return _held(self._rows(version, Cut(), columns), version.body)

    def placed(self, version: Record[DatasetVersion], folds: int, columns: Sequence[str]) -> pl.LazyFrame:
        """These columns of all labelled rows, in their order and read when asked for, and where each row stands.

        `part` is `train`, `judged` or `neither`; `fold` the number, from 1, of the fold of a search that judges it;
        `outer` and, of rows that are split by hash, `inner` those of a nested cross-validation. Their columns are
        `PLACE` with these names. The rows may be larger than memory.
        """
        schema, outer = version.body.schema, self._settings.outer_folds
        rows, apart = self._rows(version, Cut(), columns), self._kept_apart(schema)
        parted = self._parted(version, rows, Cut())
        rows = marked(rows, {HOLDOUT: parted.sides}, apart)
        learnt, judged = (pl.col(mark.format(HOLDOUT)) for mark in (LEARNT, JUDGED))
        searched = self._sides(version, rows.filter(learnt), folds, _FOLDS)
        deals = {
            "fold": [one._replace(learnt=learnt & one.learnt, judged=learnt & one.judged) for one in searched],
            "outer": self._sides(version, rows, outer, _OUTER),
            **({"inner": self._sides(version, rows, folds, _INNER)} if parted.split.by == "hash" else {}),
        }
        named = {name: numbered(name, sides) for name, sides in deals.items()}
        rows = marked(rows, {fold: sides for deal in named.values() for fold, sides in deal.items()}, apart)
        found = tallies(rows, schema, [HOLDOUT, *(fold for deal in named.values() for fold in deal)])
        check_sides(found[HOLDOUT].learnt, found[HOLDOUT].judged, self._settings.group)
        side = pl.when(judged).then(pl.lit("judged")).when(learnt).then(pl.lit("train")).otherwise(pl.lit("neither"))
        placed = [side.alias(PLACE.format("part"))]
        for name, deal in named.items():
            told = usable({fold: found[fold] for fold in deal}, schema, len(deal))
            places = [pl.when(JUDGED.format(fold)).then(number) for number, fold in enumerate(told, 1)]
            placed.append(pl.coalesce(places).alias(PLACE.format(name)))
        return rows.select(*columns, *placed)

    def _folds(self, version: Record[DatasetVersion], frame: pl.DataFrame, folds: int, seed: int) -> list[Fold]:
        schema = version.body.schema
        sides = self._sides(version, frame.lazy(), folds, seed)
        return folds_of(frame, schema, sides, folds, self._kept_apart(schema))

    def _sides(self, version: Record[DatasetVersion], rows: pl.LazyFrame, folds: int, seed: int) -> list[Sides]:
        schema = version.body.schema
        self._check_group(schema)
        if self.by(schema) == "hash":
            return self._dealt(version, rows, folds, seed)
        (time,), known = schema.named("time"), schema.named("label_time")
        return sides_by_time(rows, time, folds, label_time=known[0] if known else "")

    def _dealt(self, version: Record[DatasetVersion], rows: pl.LazyFrame, folds: int, seed: int) -> list[Sides]:
        return sides_of(self._rule(version, rows, [1 / folds] * folds, seed).body)

    def _parted(self, version: Record[DatasetVersion], rows: pl.LazyFrame, cut: Cut) -> Parted:
        schema, settings = version.body.schema, self._settings
        self._check_group(schema)
        if cut.train_until is not None:
            return _parted_at(schema, cut, settings.group)
        if self.by(schema) == "hash":
            shares = [settings.holdout, 1 - settings.holdout]
            return parted_by_rule(self._rule(version, rows, shares, _HOLDOUT))
        if settings.since:
            return _parted_at(schema, cut._replace(train_until=moment(settings.since)), settings.group)
        return parted_by_newest(rows, schema, window=cut.window, holdout=settings.holdout, group=settings.group)

    def _kept_apart(self, schema: Schema) -> Sequence[str]:
        """What must not be on both sides, though the split does not see to it: a hash deals groups whole."""
        return self._settings.group if self.by(schema) == "time" else ()

    def _rule(
        self, version: Record[DatasetVersion], rows: pl.LazyFrame, shares: Sequence[float], seed: int
    ) -> Record[SplitRule]:
        schema, group = version.body.schema, self._settings.group
        # A group is dealt whole and may hold several classes, so that it has no stratum.
        stratified = schema.task == "classification" and self._settings.stratify and not group
        return split_rule(
            self._workspace,
            version,
            rows,
            shares=shares,
            group=group,
            stratum=schema.target if stratified else "",
            seed=seed,
        )

    def _rows(self, version: Record[DatasetVersion], cut: Cut, columns: Sequence[str] = ()) -> pl.LazyFrame:
        start = cut.train_until - duration(cut.window) if cut.train_until and cut.window != WHOLE else None
        rows = self._data.scan(version, start=start, end=cut.judge_until, known_at=cut.known_at, labelled=True)
        return rows.select(columns) if columns else rows

    def _check_group(self, schema: Schema) -> None:
        names = [column.name for column in schema.columns]
        for name in self._settings.group:
            if name not in names:
                raise NotFoundError("column to group by", name, names, remedy="Change [validate] group.")


def _parted_at(schema: Schema, cut: Cut, group: Sequence[str]) -> Parted:
    assert cut.train_until is not None, "a split by time has a moment"
    return parted_by_time(
        schema, window=cut.window, train_until=cut.train_until, judge_until=cut.judge_until, group=group
    )


def _held(rows: pl.LazyFrame, version: DatasetVersion) -> pl.DataFrame:
    """The rows in memory; raises `DataError` where they are larger, before the system ends the process without a word.

    They are there about `COPIES` times: whole, parted, as what an algorithm takes, and as what is put aside.
    """
    if version.rows > SURE:
        height, each = size_of(rows)
        needed, allowed = COPIES * each * height, budget() / SHARE
        if needed > allowed:
            raise DataError(
                f"{height:,} rows of {version.name}@{version.version} take about {needed / 1e9:.1f} GB to learn from, "
                f"and this process may use {allowed / 1e9:.1f} GB.",
                remedy="learn from fewer: heptad run --sample, or fewer columns; or say that there is more: [execute] "
                "memory",
            )
    return rows.collect()
