"""A Delta table that a stream lands in: each commit holds rows and how far each partition had come with them."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import msgspec
import polars as pl
from blake3 import blake3
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from heptad.core.errors import UnavailableError
from heptad.core.faults import boundary
from heptad.core.files import make_folder, writing
from heptad.data.streams.fields import POLARS, FieldPath, Kind, column_of
from heptad.data.versions.purging import forget_past
from heptad.data.versions.tables import in_files, new_file, scan_table, sync_commit

MESSAGE = pl.Schema(
    {
        "stream_commit": pl.Int64(),
        "stream_partition": pl.Int64(),
        "stream_position": pl.Int64(),
        "stream_time": pl.Datetime("us", "UTC"),
        "stream_key": pl.String(),
        "stream_mark": pl.String(),
    }
)
"""Columns that tell of the message itself; the first three give the order in which rows landed."""
ORDER = ["stream_commit", "stream_partition", "stream_position"]
SMALL_BYTES = 16 << 20
MANY_FILES = 100
"""So many files that are small are put together: each commit makes one, and a scan opens each of them."""
_PARTITIONS = "heptad.stream.partitions"
_POSITION = "heptad.stream.{}"
_RELEASES = "heptad.stream.releases"
_PRIMITIVE: dict[pl.DataType, str] = {
    pl.Int64(): "long",
    pl.Float64(): "double",
    pl.Boolean(): "boolean",
    pl.String(): "string",
    pl.Binary(): "binary",
    pl.Datetime("us", "UTC"): "timestamp",
}
_UNSYNCED = 3
"""The most commits that one batch makes of a table: whoever was killed may have left so many unsynced."""


class LandedTable:
    """Rows and positions of one stream. One writer at a time, who holds a lock; readers need none.

    A position is that of the last message that is settled, landed or not, in its partition. It is kept as a
    transaction of the Delta log, in the commit of the rows: both are there, or neither.
    """

    def __init__(self, folder: Path, columns: pl.Schema) -> None:
        """`columns` are those that the table has from the beginning."""
        self.folder = folder
        self._columns = columns
        self._table: DeltaTable | None = None
        self._small = 0

    def open(self) -> None:
        """Look at what is there now, or make the table; what the last writer committed is durable afterwards."""
        with _told(self.folder):
            try:
                self._table = DeltaTable(self.folder)
            except TableNotFoundError:
                make_folder(self.folder)
                fields = [_field(name, kind) for name, kind in self._columns.items()]
                self._table = DeltaTable.create(self.folder, Schema(fields), mode="ignore")
            sizes = pl.DataFrame(self._table.get_add_actions(flatten=True))["size_bytes"]
            self._small = int((sizes < SMALL_BYTES).sum())
            last = self.version
            for version in range(max(0, last - _UNSYNCED), last + 1):
                with suppress(FileNotFoundError):  # the log of what is old is tidied up
                    sync_commit(self.folder, version)

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(str(self.folder))

    def height(self) -> int:
        """How many rows there are; none before there is a table."""
        return int(self.scan().select(pl.len()).collect(engine="streaming").item()) if self.exists() else 0

    @property
    def table(self) -> DeltaTable:
        if self._table is None:
            with _told(self.folder):
                self._table = DeltaTable(self.folder)
        return self._table

    @property
    def version(self) -> int:
        return self.table.version()

    @property
    def id(self) -> str:
        """What tells this table from every other, also from one that was made in its place."""
        return f"{self.table.metadata().id}"

    def positions(self) -> dict[int, int]:
        """Of each partition, the position that has come last; none before the first commit."""
        count = self.table.transaction_version(_PARTITIONS) or 0
        found = ((one, self.table.transaction_version(_POSITION.format(one))) for one in range(count))
        return {partition: position for partition, position in found if position is not None}

    def digest(self) -> str:
        """Changes whenever rows land."""
        released = f" {releases}" if (releases := releases_of(self)) else ""
        return blake3(f"{self.id} {sorted(self.positions().items())}{released}".encode()).hexdigest()

    def fields(self) -> dict[FieldPath, Kind]:
        """The columns that come from messages."""
        return {
            tuple(msgspec.json.decode(one.metadata["heptad.path"])): one.metadata["heptad.kind"]
            for one in self.table.schema().fields
            if "heptad.path" in one.metadata
        }

    def alter(self, fields: Mapping[FieldPath, Kind]) -> None:
        """Add the columns that are new, and widen the others to what these fields say."""
        before = self.fields()
        wider = [column_of(path) for path, kind in before.items() if fields[path] != kind]
        added = [_message_field(path, kind) for path, kind in fields.items() if path not in before]
        with _told(self.folder):
            if wider:
                self._widen(wider, fields)
            if added:
                boundary("table.before_commit")
                self.table.alter.add_columns(added)
                boundary("table.after_commit")
                sync_commit(self.folder, self.version)

    def _widen(self, names: list[str], fields: Mapping[FieldPath, Kind]) -> None:
        changed = {column_of(path): _message_field(path, fields[path]) for path in self.fields()}
        kinds = {column_of(path): POLARS[kind] for path, kind in fields.items()}
        rows = self.scan().with_columns(pl.col(name).cast(kinds[name]) for name in names)
        _overwrite(self, rows, Schema([changed.get(one.name, one) for one in self.table.schema().fields]))

    def commit(
        self, rows: pl.DataFrame, positions: Mapping[int, int], release: int = 0, marks: Mapping[str, int] | None = None
    ) -> None:
        """Rows and positions in one commit, on the disk when this returns. There may be no rows.

        `release`: the number of the release that they are of, where they are of one; `marks`: what tells the topic.
        """
        partitions = max([*positions, *self.positions()], default=-1) + 1
        reached = [Transaction(_POSITION.format(one), position) for one, position in sorted(positions.items())]
        reached += [Transaction(_RELEASES, release)] if release else []
        reached += [Transaction(name, number) for name, number in (marks or {}).items()]
        properties = CommitProperties(app_transactions=[*reached, Transaction(_PARTITIONS, partitions)])
        with writing(self.folder), _told(self.folder):
            files = [new_file(self.folder, f"{token_hex(8)}.parquet", rows)] if len(rows) else []
            boundary("table.before_commit")
            self.table.create_write_transaction(
                [*files], mode="append", schema=self.table.schema(), commit_properties=properties
            )
            boundary("table.after_commit")
            self.table.update_incremental()
            sync_commit(self.folder, self.version)
            self._small += sum(file.size < SMALL_BYTES for file in files)
            if self._small > MANY_FILES:
                self._compact()

    def _compact(self) -> None:
        since = self.version + 1
        self.table.optimize.compact()
        self.table.vacuum(dry_run=False)  # files that nobody has needed for a week
        self.table.update_incremental()
        for version in range(since, self.version + 1):
            sync_commit(self.folder, version)
        self._small = 0

    def scan(self, version: int | None = None) -> pl.LazyFrame:
        """The rows of a version (default: the newest), in no particular order."""
        return scan_table(self.folder, self.version if version is None else version)


def releases_of(table: LandedTable) -> int:
    """How often messages of the quarantine were made rows; of the quarantine: how often it has let go of them."""
    return table.table.transaction_version(_RELEASES) or 0


def overwrite(table: LandedTable, rows: pl.LazyFrame, release: int) -> None:
    """These rows instead of those that are there, in one commit with the number of the release that left them."""
    with writing(table.folder), _told(table.folder):
        _overwrite(table, rows, table.table.schema(), [Transaction(_RELEASES, release)])


def _overwrite(
    table: LandedTable, rows: pl.LazyFrame, schema: Schema, reached: list[Transaction] | None = None
) -> None:
    files: list[AddAction | RemoveAction] = []
    files += [new_file(table.folder, f"{token_hex(8)}.parquet", batch) for batch in in_files(rows)]
    properties = CommitProperties(app_transactions=reached)
    boundary("table.before_commit")
    table.table.create_write_transaction(files, mode="overwrite", schema=schema, commit_properties=properties)
    boundary("table.after_commit")
    table.table.update_incremental()
    sync_commit(table.folder, table.version)


def keep_rows(table: LandedTable, kept: Callable[[pl.LazyFrame], pl.LazyFrame]) -> int:
    """Let go of all other rows, of their files and of the log that tells of them; answers how many went.

    Positions stay, so that none of them lands again. The caller holds the lock, and opens the table anew afterwards.
    Interrupted and done again, it finishes.
    """
    table.open()
    before, after = table.height(), 0
    files: list[AddAction | RemoveAction] = []
    with writing(table.folder), _told(table.folder):
        for batch in in_files(kept(table.scan())):
            files.append(new_file(table.folder, f"{token_hex(8)}.parquet", batch))
            after += len(batch)
        if after < before:
            boundary("table.before_commit")
            table.table.create_write_transaction(files, mode="overwrite", schema=table.table.schema())
            boundary("table.after_commit")
            table.table.update_incremental()
            sync_commit(table.folder, table.version)
        forget_past(table.folder)
    return before - after


def _message_field(path: FieldPath, kind: Kind) -> Field:
    about = {"heptad.path": msgspec.json.encode(path).decode(), "heptad.kind": kind}
    return _field(column_of(path), POLARS[kind], about)


def _field(name: str, kind: pl.DataType, about: dict[str, str] | None = None) -> Field:
    return Field(name, PrimitiveType(_PRIMITIVE[kind]), nullable=True, metadata=about or {})


@contextmanager
def _told(folder: Path) -> Generator[None]:
    try:
        yield
    except DeltaError as error:
        raise UnavailableError(
            f"The table {folder.name} cannot be written: {str(error).splitlines()[0]}.",
            remedy="try again, when nothing else writes to it",
        ) from error
