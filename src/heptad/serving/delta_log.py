"""A Delta table that only grows, and remembers with each growth how far its source had come."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError

from heptad.core.errors import UnavailableError
from heptad.core.faults import boundary
from heptad.core.files import make_folder, writing
from heptad.data import forget_past, scan_table, sync_commit
from heptad.serving.column_names import distinct_names

MANY_FILES = 100
"""A table of more files is compacted: a scan opens each of them."""
COMMITS_AT_ONCE = 5
"""The most that one `append` makes: a type that widens, the rows, files put together, and two of tidying up."""


class DeltaLog:
    """Rows are added and never changed; only `erase` takes some out.

    One writer at a time: the caller holds a lock around `read` and `append`, and around `erase`.
    """

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
        return scan_table(self.folder, table.version()), table.transaction_version(source) or 0

    def append(self, rows: pl.DataFrame, source: str = "", position: int = 0) -> None:
        """Add rows and the position that `source` has reached with them, in one commit; synced when this returns.

        New columns are null in older rows. A column whose type differs from before becomes text, in old rows too:
        Delta would convert in silence, and what cannot be converted would be lost.
        """
        make_folder(self.folder)
        since = DeltaTable(self.folder).version() + 1 if self.exists() else 0
        before, _ = self.read()
        if before is not None:
            rows = self._fitting(rows, before)
        reached = CommitProperties(app_transactions=[Transaction(app_id=source, version=position)] if source else None)
        with writing(self.folder), _as_our_errors(self.folder):
            boundary("table.before_commit")
            write_deltalake(self.folder, rows, mode="append", schema_mode="merge", commit_properties=reached)
            boundary("table.after_commit")
            table = DeltaTable(self.folder)
            if len(table.file_uris()) > MANY_FILES:
                table.optimize.compact()
                table.vacuum(dry_run=False)  # files that nobody has needed for a week
        self.sync(since)

    def erase(self, ids: Collection[str]) -> None:
        """Take the rows with these ids out of the table and of its past, which is gone altogether when this returns.

        How far sources had come with it stays known.
        """
        if not self.exists():
            return
        # Ids go in as hexadecimal digits, so that nothing in one can be taken for more than an id.
        digits = ", ".join(f"'{one.encode().hex()}'" for one in sorted(ids))
        with writing(self.folder), _as_our_errors(self.folder):
            if digits:
                boundary("table.before_commit")
                DeltaTable(self.folder).delete(f"encode(id, 'hex') IN ({digits})")
                boundary("table.after_commit")
            forget_past(self.folder)

    def sync(self, since: int = 0) -> None:
        """Every commit from the version `since` on is on the disk when this returns, and some before it.

        Whoever made those may have died before he could sync them; one that is lost would hide all that follow.
        """
        with writing(self.folder), _as_our_errors(self.folder):
            last = DeltaTable(self.folder).version()
            for version in range(max(0, min(since, last + 1) - COMMITS_AT_ONCE), last + 1):
                with suppress(FileNotFoundError):  # the log of what is old is tidied up
                    sync_commit(self.folder, version)

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


@contextmanager
def _as_our_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except DeltaError as error:
        raise UnavailableError(f"The table {folder.name} cannot be written: {error}.", remedy="try again") from error
