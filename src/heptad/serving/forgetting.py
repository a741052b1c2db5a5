"""Erasure in step 5: people's predictions leave the journal, the prediction log and the labels."""

from collections.abc import Collection
from contextlib import closing

import polars as pl

from heptad.core.files import locked, make_folder
from heptad.core.workspace import Workspace
from heptad.data import Subjects
from heptad.serving.column_names import original_name
from heptad.serving.delta_log import DeltaLog
from heptad.serving.journal import Journal
from heptad.serving.log import PredictionLog
from heptad.serving.log_rows import INPUT, TABLE
from heptad.serving.snapshot import serve_folder


class ForgetPredictions:
    """What the one endpoint of a project keeps of people. A prediction is theirs by its inputs, or by its id."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = serve_folder(workspace)
        self._table = DeltaLog(workspace.tables / TABLE)
        self._labels = DeltaLog(workspace.tables / "labels")
        self._log = PredictionLog(workspace.name, self._folder.journal, workspace.tables / TABLE)

    def find(self, subjects: Subjects, rows: Collection[str] = ()) -> list[str]:
        """Ids of their predictions: where the inputs have the columns that name them, and those called like a row.

        `rows` are keys of rows as text. What servers answered until now is moved into the table first.
        """
        self._log.collect()
        log, _ = self._table.read()
        if log is None:
            return []
        columns = {original_name(column): column for column in log.collect_schema().names()}
        types = log.collect_schema()
        theirs = subjects.condition(types, lambda name: columns.get(INPUT + name, ""))
        if rows:
            theirs |= pl.col("id").is_in(pl.Series(sorted(rows), dtype=pl.String).implode())
        return log.filter(theirs).select(pl.col("id").unique().sort()).collect(engine="streaming")["id"].to_list()

    def count_labels(self, ids: Collection[str]) -> int:
        """How many labels these predictions have, corrected ones included."""
        labels, _ = self._labels.read()
        if labels is None or not ids:
            return 0
        wanted = pl.col("id").is_in(pl.Series(sorted(ids), dtype=pl.String).implode())
        return int(labels.select(wanted.sum()).collect(engine="streaming").item() or 0)

    def forget(self, ids: Collection[str]) -> None:
        """Remove predictions and their labels; nothing of them stays in any file. Done again, it finishes."""
        make_folder(self._folder.path)
        with locked(self._folder.path / "labels.lock"):
            self._labels.erase(ids)
        if self._folder.journal.exists():
            self._log.collect()
            with closing(Journal(self._folder.journal)) as journal:
                journal.erase(ids)
        with locked(self._folder.journal.with_name("collect.lock")):
            self._table.erase(ids)
