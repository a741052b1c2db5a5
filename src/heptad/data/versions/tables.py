"""One Delta table whose versions are exactly as recorded, also after a crash or beside other writers."""

import random
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import msgspec
import polars as pl
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from heptad.core.errors import ConflictError, IntegrityError, UnavailableError
from heptad.core.faults import boundary
from heptad.core.files import sync_files, sync_folder

ATTEMPTS = 8
"""How often a commit is tried when other writers come first; the pauses between grow to about a second."""


class Table:
    """A Delta table in a folder. Frames given to it are in stored types (`column_types.STORED`).

    Every write says which version it builds on: what was committed after that, and so never recorded, is
    undone first. A write is one atomic commit and answers its version, which stays readable.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scan(self, version: int) -> pl.LazyFrame:
        """The rows of a version, in no particular order."""
        try:
            return pl.scan_delta(DeltaTable(self._folder, version=version))
        except (DeltaError, FileNotFoundError) as error:
            raise IntegrityError(
                f"Version {version} of the table {self._folder.name} cannot be read: {error}.",
                remedy="restore the workspace from a backup: heptad restore",
            ) from error

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(str(self._folder))

    def append(self, rows: pl.DataFrame, base: int) -> int:
        """The rows of `base`, and these."""
        return self._commit(base, lambda table: write_deltalake(table, rows, mode="append"))

    def replace_from(self, column: str, start: datetime | int, rows: pl.DataFrame, base: int) -> int:
        """The rows of `base` whose `column` is below `start`, and these."""
        value = f"'{start.isoformat()}'" if isinstance(start, datetime) else str(start)
        quoted = column.replace('"', '""')
        predicate = f'"{quoted}" >= {value}'
        return self._commit(base, lambda table: write_deltalake(table, rows, mode="overwrite", predicate=predicate))

    def overwrite(self, rows: pl.DataFrame, base: int | None = None) -> int:
        """These rows and no others, with their columns; `None` where it builds on nothing."""
        return self._commit(
            base, lambda table: write_deltalake(table, rows, mode="overwrite", schema_mode="overwrite"), rows.clear()
        )

    def _commit(self, base: int | None, write: Callable[[DeltaTable], None], empty: pl.DataFrame | None = None) -> int:
        for attempt in range(ATTEMPTS):
            try:
                return self._commit_once(base, write, empty)
            except (CommitFailedError, ConflictError) as error:
                if attempt == ATTEMPTS - 1:
                    raise UnavailableError(
                        f"Other writers of the table {self._folder.name} came first {ATTEMPTS} times.",
                        remedy="run it again when they are done",
                    ) from error
            time.sleep(random.uniform(0.5, 1.0) * 0.02 * 2**attempt)
        raise AssertionError("unreachable")

    def _commit_once(self, base: int | None, write: Callable[[DeltaTable], None], empty: pl.DataFrame | None) -> int:
        try:
            table = DeltaTable(self._folder)
        except TableNotFoundError:
            if empty is None:
                raise
            # Two first writers can break each other's commit; two creators cannot.
            write_deltalake(self._folder, empty, mode="ignore")
            table = DeltaTable(self._folder)
            sync_commit(self._folder, table.version())
        if base is not None and table.version() != base:
            table.restore(base)
        before = table.version()
        boundary("table.before_commit")
        write(table)
        table.update_incremental()
        boundary("table.after_commit")
        if table.version() != before + 1:
            raise ConflictError(f"Another writer of {self._folder.name} committed in between.")
        sync_commit(self._folder, before + 1)
        return before + 1


def sync_commit(folder: Path, version: int) -> None:
    """Make a commit of the Delta table in `folder` durable, which Delta leaves to the operating system."""
    log = folder / "_delta_log"
    commit = log / f"{version:020d}.json"
    actions = [msgspec.json.decode(line) for line in commit.read_bytes().splitlines()]
    files = [folder / unquote(action["add"]["path"]) for action in actions if "add" in action]
    sync_files(folder, [*files, commit])
    sync_folder(folder)
    sync_folder(log)
