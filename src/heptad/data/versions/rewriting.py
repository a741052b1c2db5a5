"""Makes a table anew with fewer rows in every version, so that the old folder can be deleted as a whole."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
from deltalake.transaction import AddAction

from heptad.core.errors import IntegrityError
from heptad.core.files import make_folder
from heptad.data.versions.partitioned import PartFile, PartitionedTable, part_files
from heptad.data.versions.tables import StoredFile, Table, files_in_order, removal

Keep = Callable[[pl.LazyFrame], pl.LazyFrame]
"""Which rows stay, in their order."""


class _Kept(NamedTuple):
    """What stays of one file: how many rows, and a file that holds exactly those (`None`: no rows)."""

    rows: int
    file: Path | None


def rewrite(old: Table, new: Table, versions: Iterable[int], keep: Keep, order: Sequence[str]) -> dict[int, int]:
    """Give `new`, which is empty, the rows that `keep` leaves of these versions of `old`; answers their new numbers.

    Delta keeps limits of the values of each file in its log, and old files beside new ones: only a table of its own
    holds nothing of the rows that go. Files that lose no row get a second name instead of a copy; a file is read once,
    however many versions share it, and one is in memory at a time. `order` sorts versions that other programs wrote.
    """
    make_folder(new.path(""))
    if isinstance(old, PartitionedTable) and isinstance(new, PartitionedTable):
        making: _Making | _MakingPartitions = _MakingPartitions(old, new, keep, order)
    else:
        making = _Making(old, new, keep, order)
    return {version: making.make(version) for version in sorted(set(versions))}


class _Making:
    def __init__(self, old: Table, new: Table, keep: Keep, order: Sequence[str]) -> None:
        self._old, self._new, self._keep, self._order = old, new, keep, order
        self._kept: dict[str, _Kept] = {}
        self._added: dict[tuple[str, int], AddAction] = {}
        self._last: dict[str, AddAction] = {}
        """The files of the version made last."""
        self._base: int | None = None

    def make(self, version: int) -> int:
        """The number of the new version with what stays of this one."""
        table = self._old.at(version)
        files = files_in_order(table)
        if files is None:
            rows = self._keep(self._old.scan(version, self._order))
            self._base = self._new.write(rows, self._base)
            self._last = {}
            return self._base
        wanted = {added.path: added for added in self._files(files)}
        if self._base is not None and self._last and wanted.keys() == self._last.keys():
            return self._base
        added = [one for path, one in wanted.items() if path not in self._last]
        stale = [removal(path, one.size) for path, one in self._last.items() if path not in wanted]
        shares = self._base is not None and len(stale) < len(self._last)
        self._base = self._new.commit(self._base, table.schema(), added, stale if shares else None)
        self._last = wanted
        return self._base

    def _files(self, files: Sequence[StoredFile]) -> list[AddAction]:
        """What stays of the files of one version, one behind the other."""
        start, wanted = 0, []
        for file in files:
            if (file.path, start) not in self._added:
                added = self._make_file(file.path, start)
                if added is None:
                    continue
                self._added[file.path, start] = added
            wanted.append(self._added[file.path, start])
            start += self._kept[file.path].rows
        return wanted

    def _make_file(self, path: str, start: int) -> AddAction | None:
        if path in self._kept:
            file = self._kept[path].file
            return None if file is None else self._new.link_file(start, file, pl.read_parquet(file, glob=False))
        whole = pl.read_parquet(self._old.path(path), glob=False)
        rows = self._keep(whole.lazy()).collect()
        if rows.height == whole.height:
            added = self._new.link_file(start, self._old.path(path), whole)
        elif rows.height:
            added = self._new.add_file(start, rows)
        else:
            self._kept[path] = _Kept(0, None)
            return None
        self._kept[path] = _Kept(rows.height, self._new.path(added.path))
        return added


class _MakingPartitions:
    """The same of a table in partitions: a file stays in its own, and its rows keep their positions, gaps and all."""

    def __init__(self, old: PartitionedTable, new: PartitionedTable, keep: Keep, order: Sequence[str]) -> None:
        self._old, self._new, self._keep, self._order = old, new, keep, order
        self._made: dict[str, AddAction | None] = {}
        """Path of an old file to what stays of it; `None`: no row."""
        self._last: dict[str, AddAction] = {}
        self._base: int | None = None

    def make(self, version: int) -> int:
        """The number of the new version with what stays of this one."""
        table = self._old.at(version)
        try:
            files = part_files(table, self._old.partition)
        except IntegrityError:
            self._base = self._new.write(self._keep(self._old.scan(version, self._order)), self._base)
            self._last = {}
            return self._base
        for file in files:
            if file.path not in self._made:
                self._made[file.path] = self._stays(file)
        kept = [one for file in files if (one := self._made[file.path]) is not None]
        wanted = {one.path: one for one in kept}
        if self._base is not None and self._last and wanted.keys() == self._last.keys():
            return self._base
        added = [one for path, one in wanted.items() if path not in self._last]
        stale = [
            removal(path, one.size, one.partition_values) for path, one in self._last.items() if path not in wanted
        ]
        shares = self._base is not None and len(stale) < len(self._last)
        self._base = self._new.commit(self._base, table.schema(), added, stale if shares else None)
        self._last = wanted
        return self._base

    def _stays(self, file: PartFile) -> AddAction | None:
        rows = self._old.read_whole(file)
        kept = self._keep(rows.lazy()).collect()
        if kept.height == rows.height:
            return self._new.link_part(file, self._old.path(file.path))
        return self._new.add_part(file.values, kept.drop(self._old.partition)) if kept.height else None
