"""Rows in quarantine: where they are, what names them, and which of them a person has released."""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError
from heptad.core.identity import as_reason
from heptad.core.query import Query
from heptad.core.records import Record, digest_of
from heptad.core.workspace import Workspace
from heptad.data.cleaning.aside import MARK, row_content
from heptad.data.cleaning.copies import PLACE, at_places
from heptad.data.records import ReleasedRow, RowsReleased
from heptad.data.versions import versions
from heptad.data.versions.tables import Table

QUARANTINE = pl.Schema({"id": pl.String(), "rule": pl.String(), "row": pl.String()})
"""A row is named by its content and the rule that took it; one that refuses a version has no name."""
_WANTED = f"{MARK}wanted "
_NEVER = {"missing_time": "without a time it has no place in the table"}
"""Rules whose rows cannot come back, and why."""
MOST = 10_000
"""Acts of releasing that are looked at, the newest."""


def quarantine_table(workspace: Workspace, name: str) -> Table:
    """Where the rows are that the latest collection of a data set put aside."""
    return Table(workspace.tables / f"{versions.folder_name(name)}-quarantine")


def write_quarantine(
    workspace: Workspace, name: str, named: pl.LazyFrame | None, others: Sequence[pl.LazyFrame]
) -> None:
    """Keeps the rows that a collection set aside, each with its rule, as JSON; `named` may be released."""
    table = quarantine_table(workspace, name)
    rows = [one.select(pl.lit(None, pl.String).alias("id"), "rule", "row") for one in others]
    if named is not None:
        rows.insert(0, named.select(_id(pl.col("rule")), "rule", "row"))
    if rows or table.exists():
        table.write(pl.concat([pl.LazyFrame(schema=QUARANTINE), *rows]))


class Quarantine:
    """The rows of one data set that the latest collection set aside, and the way back."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self._workspace = workspace
        self._name = name

    def rows(self, rule: str = "") -> pl.LazyFrame:
        """By one rule or all: `id`, `rule`, and the `row` as JSON."""
        table = quarantine_table(self._workspace, self._name)
        rows = table.scan(table.newest()) if table.exists() else pl.LazyFrame(schema=QUARANTINE)
        return rows.filter(pl.col("rule") == rule) if rule else rows

    def release(self, ids: Collection[str], reason: str) -> Record[RowsReleased] | None:
        """Lets rows into the next version; `None` where all of them are let in already.

        A row stays released from the rule that took it until its content changes. Raises `NotFoundError` for an id
        that the quarantine does not have, and `InputError` for rows that cannot be in the table; then none is released.
        """
        reason = as_reason(reason)
        found = self.rows().filter(pl.col("id").is_in(list(ids))).select("id", "rule").unique()
        rules: dict[str, str] = dict(found.collect(engine="streaming").iter_rows())
        for one in ids:
            if one not in rules:
                raise NotFoundError("row in quarantine", one, remedy="list them: heptad data quarantine show RULE")
            if rules[one] in _NEVER:
                raise InputError(
                    f"The row {one} cannot be released: {_NEVER[rules[one]]}.", remedy="mend it in the source"
                )
        known = {row.row for one in releases(self._workspace, self._name) for row in one.body.rows}
        new = [ReleasedRow(row=one, rule=rules[one]) for one in sorted(rules) if one not in known]
        if not new:
            return None
        return graph.save(
            self._workspace,
            RowsReleased(name=self._name, reason=reason, rows=new),
            scope=self._name,
            attributes={"name": self._name},
            event="data.rows_released",
            event_body={"name": self._name, "rows": len(new), "reason": reason},
        )

    def released(self) -> list[Record[RowsReleased]]:
        """Every act of releasing rows, newest first."""
        return releases(self._workspace, self._name)


def releases(workspace: Workspace, name: str) -> list[Record[RowsReleased]]:
    return graph.find(workspace, RowsReleased, Query(kind=RowsReleased.kind, scopes=[name]), MOST)


def without_released(
    placed: pl.LazyFrame,
    label: pl.Expr,
    rules: Mapping[str, pl.Expr],
    rows: Sequence[ReleasedRow],
    beside: Collection[str] = (),
) -> dict[str, pl.Expr]:
    """The rules, but for rows that were released from them; `placed` has the place of each row in `PLACE`.

    `label` is the target as it is shown; one that was released before its label was known stays so when it is. The
    columns `beside` are no content. Rows are looked at once, and only where some were released from a rule.
    """
    freed = {name: [one.row for one in rows if one.rule == name] for name in rules}
    asked = [name for name, ids in freed.items() if ids]
    if not asked:
        return dict(rules)
    wanted = {name: rules[name].fill_null(value=False).alias(f"{_WANTED}{name}") for name in asked}
    content = row_content(placed.collect_schema().names(), beside)
    suspects = placed.with_columns(wanted.values()).filter(pl.any_horizontal(f"{_WANTED}{name}" for name in asked))
    unlabelled = pl.when(False).then(label).alias(label.meta.output_name())
    shown = [
        suspects.with_columns(target).select(
            pl.col(PLACE).cast(pl.Int64), content.alias("content"), *(f"{_WANTED}{name}" for name in asked)
        )
        for target in (label, unlabelled)
    ]
    found, spared = pl.concat(pl.collect_all(shown, engine="streaming")), dict(rules)
    for name in asked:
        named = found.filter(f"{_WANTED}{name}").select(PLACE, _id(pl.lit(name)))
        places = named.filter(pl.col("id").is_in(freed[name]))[PLACE].unique().sort()
        if len(places):
            spared[name] = rules[name] & ~at_places(places)
    return spared


def _id(rule: pl.Expr) -> pl.Expr:
    """The name of a row, of its rule and its content."""

    def digests(batch: pl.Series) -> pl.Series:
        return pl.Series(batch.name, [digest_of(one.encode())[:12] for one in batch], pl.String)

    said = pl.concat_str(rule, "content", separator="\n")
    return said.map_batches(digests, return_dtype=pl.String, is_elementwise=True).alias("id")
