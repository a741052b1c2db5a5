"""One Delta table whose versions are exactly as recorded, also after a crash or beside other writers."""

import math
import random
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote

import msgspec
import polars as pl
import polars.selectors as cs
from deltalake import DeltaTable, Field, PostCommitHookProperties, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from heptad.core.errors import ConflictError, IntegrityError, UnavailableError
from heptad.core.faults import boundary
from heptad.core.files import make_folder, sync_files, sync_folder, writing
from heptad.data.progress import note_done

ATTEMPTS = 8
"""How often a commit is tried when other writers come first; the pauses between grow to about a second."""
FILE_BYTES = 32 << 20
"""About what the rows of one file take in memory: little is rewritten where its last rows change, and a file that is
mapped into memory stays small."""
GROUPS = 8
"""Groups of rows in a whole file."""
AT_ONCE = 20_000
"""Rows that are made at once, and then gathered until they are worth a file."""
_STATISTICS = 32
"""Columns whose limits are told of each file, as Delta has it."""
_SHOWN = 32
"""The longest text that is told as a limit, whole."""
_TYPES: dict[pl.DataType, str] = {
    pl.Float64(): "double",
    pl.Int64(): "long",
    pl.Boolean(): "boolean",
    pl.String(): "string",
    pl.Datetime("us", "UTC"): "timestamp",
}
CLUSTER = "heptad.cluster"
"""Property of a Delta table: the columns that its rows are clustered by, as a JSON list."""
_FOREVER = {"delta.enableExpiredLogCleanup": "false"}
_KEEPING = PostCommitHookProperties(cleanup_expired_logs=False)
"""Delta forgets versions after a month, as soon as there are two checkpoints; these are kept until they are pruned."""
_NAME = re.compile(r"rows-(\d{15})-[0-9a-f]{12}(-part)?\.parquet")
"""With the number of its first row; a part is less than a file may hold."""


Values: TypeAlias = Mapping[str, str | None]
"""Column to the text of its value in a partition."""
_WIDENED = pl.ScanCastOptions(integer_cast="upcast", float_cast="upcast")
"""Files of a table may have been written before a column became wider."""


class StoredFile(msgspec.Struct, frozen=True):
    """A file of this program's: its rows are those of the table from `start`, in order."""

    path: str
    start: int
    rows: int
    size: int
    is_part: bool = False

    @property
    def end(self) -> int:
        """The row after its last."""
        return self.start + self.rows


class Table:
    """A Delta table in a folder. Rows given to it are in stored types (`column_types.STORED`), and keep their order.

    Every write says which version it builds on: what was committed after that, and so never recorded, is
    undone first. A write is one atomic commit and answers its version, which stays readable.
    """

    partition: tuple[str, ...] = ()
    """Columns whose values have files of their own; see `PartitionedTable`."""
    cluster: tuple[str, ...] = ()
    """Columns by which rows lie together in their files, of a `PartitionedTable` as well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, file: str) -> Path:
        """Where a file of the table is."""
        return self._folder / file

    def scan(self, version: int, order: Sequence[str] = ()) -> pl.LazyFrame:
        """The rows of a version in the order in which they were written.

        They are sorted by `order` only where another program has rewritten its files, since their order is lost then.
        """
        table = self.at(version)
        files = files_in_order(table)
        if files:
            return pl.scan_parquet([self._folder / file.path for file in files], glob=False)
        rows = scan_table(self._folder, version)
        return rows.sort(order, maintain_order=True) if order else rows

    def files(self, version: int) -> list[str]:
        """The files that a version names, by their paths in the table's folder."""
        return [unquote(path) for path in self.at(version).get_add_actions().column("path").to_pylist()]

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(str(self._folder))

    def newest(self) -> int:
        """The number of the last commit."""
        return DeltaTable(self._folder).version()

    def kept(self, version: int, same: int, rows: int) -> int:
        """How many of the first `same` rows of a version stay in their files where it is followed by one of `rows`.

        Files stay that hold no other rows, but for parts at the end that have no more rows than come after them:
        merged with those, they leave few files however often little is appended, and a row is written only as often
        as what came after it has doubled.
        """
        files = [file for file in files_in_order(self.at(version)) or () if file.end <= same]
        while files and files[-1].is_part and files[-1].rows <= rows - files[-1].end:
            files.pop()
        return files[-1].end if files else 0

    def write(self, rows: pl.LazyFrame, base: int | None = None, after: int = 0) -> int:
        """The first `after` rows of the version `base`, and these; without any to keep, with these columns.

        `after` is what `kept` answered; a `base` of `None` builds on nothing. Rows are written while they are made.
        """
        schema = rows.collect_schema()
        added = self._write_files(rows, after)
        files = files_in_order(self.at(base)) if base is not None and after else ()
        stale = [removal(file.path, file.size) for file in files or () if file.start >= after]
        return self.commit_over(base, delta_schema(schema), added, stale if after else None)

    def commit_over(
        self, base: int | None, schema: Schema, added: Sequence[AddAction], removed: Sequence[RemoveAction] | None
    ) -> int:
        """`commit`, tried again where other writers come first; raises `UnavailableError` where they always do."""
        for attempt in range(ATTEMPTS):
            try:
                return self.commit(base, schema, added, removed)
            except (CommitFailedError, ConflictError) as error:
                if attempt == ATTEMPTS - 1:
                    raise UnavailableError(
                        f"Other writers of the table {self._folder.name} came first {ATTEMPTS} times.",
                        remedy="run it again when they are done",
                    ) from error
            time.sleep(random.uniform(0.5, 1.0) * 0.02 * 2**attempt)
        raise AssertionError("unreachable")

    def at(self, version: int) -> DeltaTable:
        """The table as it was at a version; raises `IntegrityError` where that cannot be read."""
        try:
            return DeltaTable(self._folder, version=version)
        except (DeltaError, FileNotFoundError):
            # Whoever prunes may have shortened the log between the look at it and the reading of it.
            time.sleep(0.05)
        try:
            return DeltaTable(self._folder, version=version)
        except (DeltaError, FileNotFoundError) as error:
            raise IntegrityError(
                f"Version {version} of the table {self._folder.name} cannot be read: {error}.",
                remedy="restore the workspace from a backup: heptad restore",
            ) from error

    def _write_files(self, rows: pl.LazyFrame, start: int) -> list[AddAction]:
        """Files that no version knows yet; none of them stays where one cannot be written."""
        added: list[AddAction] = []
        with writing(self._folder):
            make_folder(self._folder)
            try:
                for batch in in_files(rows):
                    added.append(self.add_file(start, batch))
                    start += len(batch)
            except BaseException:
                for file in added:
                    (self._folder / file.path).unlink(missing_ok=True)
                raise
        return added

    def add_file(self, start: int, rows: pl.DataFrame) -> AddAction:
        """Write rows as a file that begins at the row `start` of a version to be committed."""
        return new_file(self._folder, new_name(start, rows), rows)

    def link_file(self, start: int, file: Path, rows: pl.DataFrame) -> AddAction:
        """The same of a file that is there, in this folder or another; `rows` are what it holds."""
        return linked_file(self._folder, new_name(start, rows), file, rows)

    def commit(
        self, base: int | None, schema: Schema, added: Sequence[AddAction], removed: Sequence[RemoveAction] | None
    ) -> int:
        """Puts files in the place of those removed, or of all; `ConflictError` where another writer came between.

        `base` is the version that the commit builds on, and the answer the version that it makes.
        """
        try:
            table = DeltaTable(self._folder)
        except TableNotFoundError:
            # Two first writers can break each other's commit; two creators cannot.
            table = DeltaTable.create(
                self._folder,
                schema,
                mode="ignore",
                partition_by=[*self.partition],
                configuration=_FOREVER
                | ({CLUSTER: msgspec.json.encode(self.cluster).decode()} if self.cluster else {}),
                raise_if_key_not_exists=False,
            )
            sync_commit(self._folder, 0)
        if base is not None and table.version() != base:
            table.restore(base, post_commithook_properties=_KEEPING)
        before = table.version()
        boundary("table.before_commit")
        table.create_write_transaction(
            [*added, *(removed or ())],
            mode="overwrite" if removed is None else "append",
            schema=schema,
            partition_by=[*self.partition],
            post_commithook_properties=_KEEPING,
        )
        table.update_incremental()
        boundary("table.after_commit")
        if table.version() != before + 1:
            raise ConflictError(f"Another writer of {self._folder.name} committed in between.")
        sync_commit(self._folder, before + 1)
        return before + 1


def in_files(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows in order, made as they are taken, a file's worth at a time."""
    held: list[pl.DataFrame] = []
    size = 0
    for batch in rows.collect_batches(chunk_size=AT_ONCE, engine="streaming"):
        # Texts of a slice keep all the memory that they were cut out of, until they are copied.
        held.append(batch.with_columns(cs.string() + ""))
        size += bytes_of(batch)
        note_done(len(batch), "rows")
        if size >= FILE_BYTES:
            yield pl.concat(held)
            held, size = [], 0
    if sum(map(len, held)):
        yield pl.concat(held)


def write_file(path: Path, rows: pl.DataFrame, compression: Literal["snappy", "lz4"], groups: int = GROUPS) -> None:
    """Write a file of rows that can be read a few rows at a time: several groups are read ahead."""
    rows.write_parquet(path, compression=compression, row_group_size=max(1, -(-len(rows) // groups)))


def new_file(
    folder: Path, name: str, rows: pl.DataFrame, values: Values | None = None, groups: int = GROUPS
) -> AddAction:
    """Write rows into a file of the table in `folder`, which counts once this is committed."""
    write_file(folder / name, rows, "snappy", groups)
    return _added(folder, name, rows, values or {})


def linked_file(folder: Path, name: str, file: Path, rows: pl.DataFrame, values: Values | None = None) -> AddAction:
    """The same of a file that is there, in this folder or another; `rows` are what it holds."""
    try:
        (folder / name).hardlink_to(file)
    except OSError:
        # Not every file system gives a file two names.
        shutil.copyfile(file, folder / name)
    return _added(folder, name, rows, values or {})


def removal(path: str, size: int, values: Values | None = None) -> RemoveAction:
    """Takes a file out of the next version; `values` are those of its partition."""
    return RemoveAction(path, True, _now(), size=size, partition_values=dict(values or {}))


def _added(folder: Path, name: str, rows: pl.DataFrame, values: Values) -> AddAction:
    return AddAction(
        path=name,
        size=(folder / name).stat().st_size,
        partition_values=dict(values),
        modification_time=_now(),
        data_change=True,
        stats=msgspec.json.encode(_statistics(rows)).decode(),
    )


def bytes_of(rows: pl.DataFrame) -> int:
    """About what rows in stored types take, a slice of them too; texts by their length."""
    texts = [values.str.len_bytes().sum() for values in rows if values.dtype == pl.String]
    return 8 * len(rows) * rows.width + sum(map(int, texts))


def files_in_order(table: DeltaTable) -> list[StoredFile] | None:
    """The files of a version from its first row to its last; `None` where other programs wrote some."""
    actions = table.get_add_actions(flatten=True)
    columns = (actions.column(name).to_pylist() for name in ("path", "num_records", "size_bytes"))
    files, expected = [], 0
    for path, rows, size in sorted(zip(*columns, strict=True)):
        name = _NAME.fullmatch(path)
        if not name or int(name[1]) != expected:
            return None
        files.append(StoredFile(path, expected, rows, size, is_part=name[2] is not None))
        expected += rows
    return files


def scan_table(folder: Path, version: int | None = None) -> pl.LazyFrame:
    """All rows of a version (default: the last) of the Delta table in `folder`, in no particular order.

    `pl.scan_delta` takes the addresses that Delta gives for names of files: it finds none where a folder above the
    table has a space in its name. It is asked where another program has made the table what only it can read.
    """
    table = DeltaTable(folder, version=version)
    if table.metadata().partition_columns or table.protocol().min_reader_version > 1:
        return pl.scan_delta(table)
    schema, files = pl.Schema(table.schema()), [unquote(file) for file in table.file_uris()]
    if not files:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(files, glob=False, schema=schema, missing_columns="insert", cast_options=_WIDENED)


def delta_schema(schema: pl.Schema) -> Schema:
    """The schema of a table with these columns in stored types."""
    return Schema([Field(name, PrimitiveType(_TYPES[kind]), nullable=True) for name, kind in schema.items()])


def _statistics(rows: pl.DataFrame) -> dict[str, Any]:
    """What Delta tells of a file, so that readers can leave it out: rows, limits and nulls of the first columns."""
    told = rows.select(rows.columns[:_STATISTICS]).select(~cs.binary())
    least, most = told.select(pl.all().min()).row(0, named=True), told.select(pl.all().max()).row(0, named=True)
    return {
        "numRecords": len(rows),
        "minValues": {name: shown for name, value in least.items() if (shown := _limit(value)) is not None},
        "maxValues": {name: shown for name, value in most.items() if (shown := _limit(value)) is not None},
        "nullCount": told.null_count().row(0, named=True),
    }


def _limit(value: object) -> object:
    """A limit as Delta writes it in JSON, times in milliseconds; `None` where it cannot be told whole."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
    if isinstance(value, str):
        return value if len(value) <= _SHOWN else None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def new_name(start: int, rows: pl.DataFrame) -> str:
    """A name for a file of rows that begin at `start`."""
    part = "-part" if bytes_of(rows) < FILE_BYTES else ""
    return f"rows-{start:015d}-{secrets.token_hex(6)}{part}.parquet"


def _now() -> int:
    return int(time.time() * 1000)


def sync_commit(folder: Path, version: int) -> None:
    """Make a commit of the Delta table in `folder` durable, which Delta leaves to the operating system."""
    log = folder / "_delta_log"
    commit = log / f"{version:020d}.json"
    actions = [msgspec.json.decode(line) for line in commit.read_bytes().splitlines()]
    files = [folder / unquote(action["add"]["path"]) for action in actions if "add" in action]
    # A hundredth commit is followed by a checkpoint, which is read instead of the log: half of one hides the table.
    checkpoint = [log / f"{version:020d}.checkpoint.parquet", log / "_last_checkpoint"]
    sync_files(folder, [*files, commit, *(path for path in checkpoint if path.exists())])
    sync_folder(folder)
    sync_folder(log)
