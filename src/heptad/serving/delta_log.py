"""A Delta table that only grows, and remembers with each growth how far its source had come."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError

from heptad.core.errors import UnavailableError
from heptad.core.faults import boundary
from heptad.core.files import make_folder, writing
from heptad.data import sync_commit

MANY_FILES = 100
"""A table of more files is compacted: a scan opens each of them."""


class DeltaLog:
    """Rows are added and never changed. One writer at a time: the caller holds a lock around `read` and `append`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(str(self.folder))

    def read(self, source: str = "") -> tuple[pl.LazyFrame | None, int]:
        """All rows, in no particular order, and how far `source` had come with them: 0 where nothing came from it.

        The rows are `None` where the table was never written.
        """
        if not self.exists():
            return None, 0
        table = DeltaTable(self.folder)
        return pl.scan_delta(table), table.transaction_version(source) or 0

    def append(self, rows: pl.DataFrame, source: str = "", position: int = 0) -> None:
        """Add rows and the position that `source` has reached with them, in one commit; synced when this returns.

        New columns are null in older rows. A column whose type differs from before becomes text, in old rows too:
        Delta would convert in silence, and what cannot be converted would be lost.
        """
        make_folder(self.folder)
        before, _ = self.read()
        if before is not None:
            rows = self._fitting(rows, before)
        reached = CommitProperties(app_transactions=[Transaction(app_id=source, version=position)] if source else None)
        with writing(self.folder), _as_our_errors(self.folder):
            boundary("table.before_commit")
            write_deltalake(self.folder, rows, mode="append", schema_mode="merge", commit_properties=reached)
            boundary("table.after_commit")
            table = DeltaTable(self.folder)
            sync_commit(self.folder, table.version())
            if len(table.file_uris()) > MANY_FILES:
                table.optimize.compact()
                table.vacuum(dry_run=False)  # files that nobody has needed for a week

    def _fitting(self, rows: pl.DataFrame, before: pl.LazyFrame) -> pl.DataFrame:
        """The rows in the table's columns and types; first the table changes where they do not fit into it."""
        present = before.collect_schema()
        rows = rows.rename(distinct_names(rows.columns, present.names()))
        changed = [name for name, kind in rows.schema.items() if name in present and present[name] != kind]
        still_typed = [name for name in changed if present[name] != pl.String]
        if still_typed:
            whole = before.with_columns(pl.col(still_typed).cast(pl.String)).collect()
            with writing(self.folder), _as_our_errors(self.folder):
                boundary("table.before_commit")
                write_deltalake(self.folder, whole, mode="overwrite", schema_mode="overwrite")
                boundary("table.after_commit")
        return rows.with_columns(pl.col(changed).cast(pl.String))


def distinct_names(names: Iterable[str], present: Iterable[str]) -> dict[str, str]:
    """Names of columns to what they are called in a table that takes `Age` and `age` for the same."""
    exact = set(present)
    taken = {name.lower() for name in exact}
    renamed = {}
    for name in names:
        if name not in exact and name.lower() in taken:
            renamed[name] = f"{name}~{_mark(name)}"
        taken.add(name.lower())
    return renamed


def original_name(column: str) -> str:
    """The name that `distinct_names` was given."""
    name, tilde, mark = column.rpartition("~")
    return name if tilde and mark == _mark(name) else column


def _mark(name: str) -> str:
    return f"{zlib.crc32(name.encode()):08x}"


@contextmanager
def _as_our_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except DeltaError as error:
        raise UnavailableError(f"The table {folder.name} cannot be written: {error}.", remedy="try again") from error
