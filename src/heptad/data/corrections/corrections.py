"""The corrections of a project's data set: made from a file, kept in a table, applied by every collection."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.errors import ConflictError, UnavailableError
from heptad.core.identity import current_actor
from heptad.core.query import Query
from heptad.core.records import AliasMove, Record
from heptad.core.workspace import Workspace
from heptad.data.corrections.reading import CELLS, ReadCells, read_corrections
from heptad.data.corrections.records import Correction
from heptad.data.erasing.redacting import rewrite_records
from heptad.data.records import DatasetVersion
from heptad.data.versions.purging import forget_past
from heptad.data.versions.tables import Table
from heptad.data.versions.turns import collecting
from heptad.data.versions.versions import LATEST, folder_name

ATTEMPTS = 5
NEWEST = -1
"""Stands for the number of the table's newest version while an erasure is at work."""
_KEPT = pl.Schema({**CELLS, "actor": pl.String(), "at": pl.Datetime("us", "UTC")})
_REASONS = 10


class Corrections:
    """Corrections of one data set. The record that the alias points at says which version of the table is in force.

    So a process that dies in between leaves rows that no record names, and nothing happened.
    """

    def __init__(self, workspace: Workspace, name: str, scan: Callable[[Record[DatasetVersion]], pl.LazyFrame]) -> None:
        self._workspace, self._name, self._scan = workspace, name, scan
        self._table = corrections_table(workspace, name)

    def in_force(self) -> Record[Correction] | None:
        """The newest act of correcting; what it leaves in force is what `cells` gives."""
        return graph.find_alias(self._workspace, self._scope, LATEST, Correction)

    def cells(self, correction: Record[Correction] | None = None) -> pl.DataFrame:
        """Every correction in force: `id`, `column`, `was`, `value`, `reason`, `actor`, `at`."""
        correction = correction or self.in_force()
        if correction is None:
            return pl.DataFrame(schema=_KEPT)
        return _cells(self._table, correction)

    def correct(
        self, version: Record[DatasetVersion], path: Path, *, reason: str = "", new_classes: bool = False
    ) -> tuple[ReadCells, Record[Correction] | None]:
        """Keep the corrections of a file as corrections of a version; none where it corrects nothing.

        They are applied when a version is collected next. Raises `DataError` for what cannot be used; then nothing
        is kept.
        """
        for _ in range(ATTEMPTS):
            # Rows of somebody who is being erased must not be named again meanwhile.
            with collecting(self._workspace):
                rows = self._scan(version)
                read = read_corrections(path, version.body, rows, self.cells(), reason=reason, new_classes=new_classes)
                if read.cells.is_empty():
                    return read, None
                try:
                    return read, self._keep(version, read.cells)
                except ConflictError:
                    continue
        raise UnavailableError(
            f"Other processes kept correcting {self._name} first.", remedy="run it again when they are done"
        )

    def _keep(self, version: Record[DatasetVersion], cells: pl.DataFrame) -> Record[Correction]:
        before = self.in_force()
        kept = _joined(self.cells(before) if before else pl.DataFrame(schema=_KEPT), self._signed(cells))
        # Over the newest commit, whoever wrote it: what counts is the one that a record names.
        delta_version = self._table.write(kept.lazy())
        counted = cells["column"].value_counts(sort=True)
        return graph.save(
            self._workspace,
            Correction(
                name=self._name,
                version=version.body.version,
                cells=len(cells),
                columns=dict(counted.iter_rows()),
                reasons=cells["reason"].unique(maintain_order=True).head(_REASONS).to_list(),
                in_force=len(kept),
                delta_version=delta_version,
            ),
            scope=self._name,
            made_from=[("corrects", version.id), *([("previous", before.id)] if before else [])],
            aliases=[
                AliasMove(scope=self._scope, name=LATEST, target="@", expected=before.aliases[LATEST] if before else 0)
            ],
            event="data.cells_corrected",
            event_body={"name": self._name, "version": version.body.version, "cells": len(cells)},
        )

    def _signed(self, cells: pl.DataFrame) -> pl.DataFrame:
        now = pl.lit(self._workspace.clock.now(), pl.Datetime("us", "UTC"))
        return cells.with_columns(pl.lit(current_actor()).alias("actor"), now.alias("at"))

    @property
    def _scope(self) -> str:
        return f"corrections:{self._name}"


def corrections_table(workspace: Workspace, name: str) -> Table:
    """Where the corrections of a data set are."""
    return Table(workspace.tables / f"{folder_name(name)}-corrections")


def forget_corrections(workspace: Workspace, names: Iterable[str], ids: Sequence[str]) -> int:
    """Take the corrections of these rows out of the table and out of its past; answers how many there were.

    Records then name the table as it is now. Interrupted and done again, it finishes.
    """
    gone = 0
    for name in sorted(set(names)):
        table = corrections_table(workspace, name)
        records = graph.find(workspace, Correction, Query(kind=Correction.kind, scopes=[name]))
        if not records or not table.exists():
            continue
        cells = _cells(table, records[0])
        kept = cells.filter(~pl.col("id").is_in(list(ids)))
        gone += len(cells) - len(kept)
        table.write(kept.lazy())
        # Forgetting the past makes commits of its own: until it is done, whatever is newest is in force.
        _point_at(workspace, records, NEWEST)
        forget_past(table.path(""))
        _point_at(workspace, records, table.newest())
    return gone


def _point_at(workspace: Workspace, records: Sequence[Record[Correction]], number: int) -> None:
    bodies = {one.id: msgspec.structs.replace(one.body, delta_version=number, reasons=[]) for one in records}
    rewrite_records(workspace, bodies)


def _cells(table: Table, correction: Record[Correction]) -> pl.DataFrame:
    number = correction.body.delta_version
    return table.scan(table.newest() if number == NEWEST else number).collect()


def _joined(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Both, where what was corrected to something wrong is corrected once more, and one that was taken back is gone."""
    again = now.select("id", "column", pl.col("was").alias("value"), pl.col("value").alias("right"), found=pl.lit(1))
    passed_on = before.join(again, on=["id", "column", "value"], how="left", nulls_equal=True, maintain_order="left")
    passed_on = passed_on.with_columns(
        pl.when(pl.col("found").is_null()).then("value").otherwise("right").alias("value")
    )
    both = pl.concat([passed_on.select(_KEPT.names()), now.select(_KEPT.names())])
    kept = both.unique(["id", "column", "was"], keep="last", maintain_order=True)
    return kept.filter(pl.col("was").ne_missing(pl.col("value")))
