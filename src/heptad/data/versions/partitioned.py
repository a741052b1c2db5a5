"""A Delta table whose rows lie by the values of some columns, so that whoever wants one value reads few others."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, unquote

import msgspec
import polars as pl
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction
from polars.io.plugins import register_io_source

from heptad.core.errors import DataError, IntegrityError, NotFoundError
from heptad.core.files import make_folder, writing
from heptad.data.columns.schema import named_columns
from heptad.data.versions import tables
from heptad.data.versions.clustering import CLUSTERED_GROUPS, RUN, check_cluster, in_clusters
from heptad.data.versions.tables import (
    CLUSTER,
    GROUPS,
    Table,
    bytes_of,
    delta_schema,
    in_files,
    linked_file,
    new_file,
    new_name,
    removal,
    scan_table,
)

POSITION = "heptad_position"
"""Column of the files, and of no version: where the row is in its order, since its neighbours are in other files."""
MOST = 500
"""Different values, or combinations of values, that a table may be partitioned by."""
LONGEST = 100
"""Characters of such a value, which is a part of a path."""
HELD = 8
"""Files' worth of rows that are held at once while they are dealt into partitions."""
_NULL = "__HIVE_DEFAULT_PARTITION__"
_MAY_PARTITION = (pl.String, pl.Int64, pl.Boolean)
_PLAIN = str.maketrans("", "", "/=%\0")

Values: TypeAlias = tuple[str | None, ...]
"""One partition: the texts of its values, in the order of the columns."""


class PartFile(msgspec.Struct, frozen=True):
    """A file of one partition: its rows, and the positions of the first and the last of them."""

    path: str
    values: Values
    rows: int
    size: int
    first: int
    last: int
    is_part: bool


class PartitionedTable(Table):
    """Like `Table`: its rows come in their order, whatever partition they are in, and the same calls write it.

    In a file rows are in order; reading merges the partitions. Positions may have gaps where rows were erased.
    A filter by the columns, pushed down by Polars, leaves out the files of other partitions altogether.

    A table that is clustered, with or without partitions, has runs of files in order instead, whose rows lie by the
    columns of the cluster; reading sorts one run after the other, and a filter leaves out files and groups of rows.
    """

    def __init__(self, folder: Path, partition: Sequence[str], cluster: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self.partition, self.cluster = tuple(partition), tuple(cluster)

    def scan(self, version: int, order: Sequence[str] = ()) -> pl.LazyFrame:
        table = self.at(version)
        schema = pl.Schema(table.schema())
        names = [name for name in schema if name != POSITION]
        try:
            files = part_files(table, self.partition)
        except IntegrityError:
            # Another program has written some.
            rows = scan_table(self.path(""), version).select(names)
            return rows.sort(order, maintain_order=True) if order else rows
        if not files:
            return pl.LazyFrame(schema={name: schema[name] for name in names})
        return _merged([self._partition(part, schema) for part in _by_partition(files)]).select(names)

    def kept(self, version: int, same: int, rows: int) -> int:
        """All rows that are the same stay, as a file that others end in can be cut; none where rows were erased."""
        del rows
        files = self._files(version)
        return same if sum(one.rows for one in files) == max((one.last for one in files), default=-1) + 1 else 0

    def write(self, rows: pl.LazyFrame, base: int | None = None, after: int = 0) -> int:
        schema = rows.collect_schema()
        check_partition(schema, self.partition)
        check_cluster(schema, self.cluster, self.partition)
        files = self._files(base) if base is not None and after else []
        dealing = _Dealing(self, files, after)
        with writing(self.path("")):
            make_folder(self.path(""))
            added = dealing.deal(rows)
        stored = pl.Schema({**schema, POSITION: pl.Int64()})
        return self.commit_over(base, delta_schema(stored), added, dealing.removed if after else None)

    def read(self, file: PartFile) -> pl.DataFrame:
        """The rows of one file as they are stored: with their positions, and without the columns of the partition."""
        return pl.read_parquet(self.path(file.path), glob=False, hive_partitioning=False)

    def read_whole(self, file: PartFile) -> pl.DataFrame:
        """The rows of one file with the columns of the partition."""
        types = {name: kind for name, kind in self._types().items() if name in self.partition}
        return self.read(file).with_columns(_literals(types, file.values))

    def add_part(self, values: Values, rows: pl.DataFrame) -> AddAction:
        """Write rows, with their positions, as a file of a partition."""
        folder = self._folder_of(values)
        make_folder(self.path(folder))
        name = str(Path(folder, new_name(int(rows.select(pl.col(POSITION).min()).item()), rows)))
        groups = CLUSTERED_GROUPS if self.cluster else GROUPS
        return new_file(self.path(""), name, rows, dict(zip(self.partition, values, strict=True)), groups)

    def link_part(self, file: PartFile, source: Path) -> AddAction:
        """A file of another table as one of this one's."""
        make_folder(self.path(file.path).parent)
        values = dict(zip(self.partition, file.values, strict=True))
        rows = pl.read_parquet(source, glob=False, hive_partitioning=False)
        return linked_file(self.path(""), file.path, source, rows, values)

    def _files(self, version: int) -> list[PartFile]:
        return part_files(self.at(version), self.partition)

    def _partition(self, files: Sequence[PartFile], schema: pl.Schema) -> pl.LazyFrame:
        """The rows of one partition in order."""
        if not self.cluster:
            return self._as_stored(files, schema)
        runs = runs_of(files)
        reading = _Runs([self._as_stored(run, schema) for run in runs], [sum(one.rows for one in run) for run in runs])
        return register_io_source(reading.batches, schema=schema, is_pure=True, explain_name="clusters")

    def _as_stored(self, files: Sequence[PartFile], schema: pl.Schema) -> pl.LazyFrame:
        """The rows of files of one partition as they lie in them."""
        paths, columns = [self.path(one.path) for one in files], {name: schema[name] for name in self.partition}
        stored = pl.Schema(
            {POSITION: pl.Int64(), **{name: kind for name, kind in schema.items() if name not in columns}}
        )
        if columns and _is_plain(self.path(""), self.partition):
            return pl.scan_parquet(paths, glob=False, schema=stored, hive_partitioning=True, hive_schema=columns)
        # Polars takes every "=" in a path for a partition; so all files are read, and then left out.
        rows = pl.scan_parquet(paths, glob=False, schema=stored, hive_partitioning=False)
        return rows.with_columns(_literals(columns, files[0].values))

    def _types(self) -> pl.Schema:
        return pl.Schema(DeltaTable(self.path("")).schema())

    def _folder_of(self, values: Values) -> str:
        parts = [_NULL if value is None else quote(value, safe=" ") for value in values]
        return "/".join(f"{name.translate(_PLAIN)}={part}" for name, part in zip(self.partition, parts, strict=True))


def open_table(folder: Path, partition: Sequence[str] = (), cluster: Sequence[str] = ()) -> Table:
    """The table in a folder as it is there; one that is not there yet will be laid out by these columns."""
    if DeltaTable.is_deltatable(str(folder)):
        table = DeltaTable(folder)
        known, said = [field.name for field in table.schema().fields], table.metadata()
        partition = said.partition_columns if POSITION in known else ()
        cluster = msgspec.json.decode(said.configuration.get(CLUSTER, "[]"), type=list[str])
    return PartitionedTable(folder, partition, cluster) if partition or cluster else Table(folder)


def check_partition(schema: pl.Schema, columns: Sequence[str]) -> None:
    """Raises `DataError` where a table cannot be partitioned by these columns."""
    for name in columns:
        if name not in schema:
            raise NotFoundError("column", name, named_columns(schema), remedy="Change [data] partition in heptad.toml.")
        if schema[name] not in _MAY_PARTITION:
            raise DataError(
                f"[data] partition: {name!r} is a column of {_kind(schema[name])}.",
                allowed="columns of categories, texts, whole numbers or booleans, with few different values",
                remedy="of a time, make a column such as its month in [data] function",
            )


def part_files(table: DeltaTable, columns: Sequence[str]) -> list[PartFile]:
    """The files of a version; raises `IntegrityError` where another program wrote some."""
    actions = table.get_add_actions(flatten=True)
    wanted = ["path", "num_records", "size_bytes", f"min.{POSITION}", f"max.{POSITION}"]
    wanted += [f"partition.{name}" for name in columns]
    if not len(actions.column("path").to_pylist()):
        return []
    try:
        found = list(zip(*(actions.column(name).to_pylist() for name in wanted), strict=True))
    except KeyError as error:
        raise _foreign(table) from error
    files: list[PartFile] = []
    for path, rows, size, first, last, *values in found:
        if first is None or last is None:
            raise _foreign(table)
        is_part = path.endswith("-part.parquet")
        files.append(PartFile(unquote(path), tuple(map(_text, values)), rows, size, first, last, is_part))
    return sorted(files, key=lambda one: one.first)


class _Dealing:
    """Deals rows into partitions behind those that stay, and merges small files at the end of each with what comes."""

    def __init__(self, table: PartitionedTable, files: Sequence[PartFile], after: int) -> None:
        self._table, self._after = table, after
        staying = _by_partition([one for one in files if one.first < after])
        self._tails = {part[0].values: runs_of(part) for part in staying}
        """Partition to the files that stay, in runs, the last of which may have to be cut."""
        self.removed = [self._removal(one) for one in files if one.first >= after]
        self._held: dict[Values, list[pl.DataFrame]] = {}
        self._sizes: dict[Values, int] = {}
        self._seen: set[Values] = set(self._tails)
        self._added: list[AddAction] = []

    def deal(self, rows: pl.LazyFrame) -> list[AddAction]:
        """The files that were written; none of them stays where one cannot be."""
        try:
            numbered = rows.with_row_index(POSITION).with_columns(pl.col(POSITION).cast(pl.Int64) + self._after)
            for batch in in_files(numbered):
                self._take(batch)
            for values in list(self._held):
                self._flush(values)
            for values, tails in self._tails.items():
                if tails and self._is_cut(tails[-1]):
                    self._flush(values)
        except BaseException:
            for one in self._added:
                self._table.path(one.path).unlink(missing_ok=True)
            raise
        return self._added

    def _take(self, batch: pl.DataFrame) -> None:
        columns = list(self._table.partition)
        _refuse_long(batch, columns)
        full = tables.FILE_BYTES * (RUN if self._table.cluster else 1)
        for key, part in _parts(batch, columns).items():
            values = tuple(map(_text, key))
            self._seen.add(values)
            if len(self._seen) > MOST:
                raise DataError(
                    f"[data] partition: {', '.join(columns)} has more than {MOST} different values.",
                    allowed=f"at most {MOST}, since each of them has files of its own",
                    remedy="choose a column with fewer, or none: files are in order of time and key anyway",
                )
            self._held.setdefault(values, []).append(part)
            self._sizes[values] = self._sizes.get(values, 0) + bytes_of(part)
            if self._sizes[values] >= full:
                self._flush(values)
        while sum(self._sizes.values()) > HELD * tables.FILE_BYTES:
            self._flush(max(self._sizes, key=lambda one: self._sizes[one]))

    def _flush(self, values: Values) -> None:
        held = self._held.pop(values, [])
        self._sizes.pop(values, None)
        count, tails = sum(map(len, held)), self._tails.get(values, [])
        while tails and (self._is_cut(tails[-1]) or _is_small(tails[-1], count)):
            run = tails.pop()
            rows = [self._table.read(one).filter(pl.col(POSITION) < self._after) for one in run]
            held, count = [*rows, *held], count + sum(map(len, rows))
            self.removed += map(self._removal, run)
        whole, cluster = pl.concat(held), self._table.cluster
        for part in in_clusters(whole, cluster, POSITION) if cluster else [whole]:
            self._added.append(self._table.add_part(values, part))

    def _is_cut(self, run: Sequence[PartFile]) -> bool:
        return max(one.last for one in run) >= self._after

    def _removal(self, file: PartFile) -> RemoveAction:
        return removal(file.path, file.size, dict(zip(self._table.partition, file.values, strict=True)))


class _Runs:
    """The runs of one partition, each sorted by the positions of its rows once it is asked for; one is in memory."""

    def __init__(self, runs: Sequence[pl.LazyFrame], rows: Sequence[int]) -> None:
        self._runs, self._rows = runs, rows

    def batches(
        self, columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        """The rows in order, as polars asks a source for them; the files are asked for what is wanted alone."""
        left = most
        for run, count in zip(self._runs, self._rows, strict=True):
            if left is None:
                found = (run if predicate is None else run.filter(predicate)).sort(POSITION)
            else:
                found = run.sort(POSITION).head(left)
                found, left = found if predicate is None else found.filter(predicate), max(0, left - count)
            yield (found if columns is None else found.select(columns)).collect(engine="streaming")
            if left == 0:
                return


def runs_of(files: Sequence[PartFile]) -> list[list[PartFile]]:
    """Files of one partition, by their first positions, as runs: those whose spans of positions overlap."""
    runs: list[list[PartFile]] = []
    last = -1
    for one in files:
        if one.first > last:
            runs.append([])
        runs[-1].append(one)
        last = max(last, one.last)
    return runs


def _is_small(run: Sequence[PartFile], count: int) -> bool:
    """Whether it is written anew with as many rows as come after it."""
    return all(one.is_part for one in run) and sum(one.rows for one in run) <= count


def _parts(batch: pl.DataFrame, columns: Sequence[str]) -> dict[tuple[object, ...], pl.DataFrame]:
    """Partition to its rows, without the columns that they are dealt by."""
    if not columns:
        return {(): batch}
    return batch.partition_by(columns, as_dict=True, maintain_order=True, include_key=False)


def _by_partition(files: Sequence[PartFile]) -> Iterator[list[PartFile]]:
    found: dict[Values, list[PartFile]] = {}
    for one in files:
        found.setdefault(one.values, []).append(one)
    yield from found.values()


def _merged(parts: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Frames that are each in order as one in order, merged two and two."""
    while len(parts) > 1:
        pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)]
        parts = [reduce(lambda one, other: one.merge_sorted(other, POSITION), pair) for pair in pairs]
    return parts[0]


def _refuse_long(batch: pl.DataFrame, columns: Sequence[str]) -> None:
    for name in columns:
        if batch.schema[name] != pl.String:
            continue
        texts = batch[name].unique().drop_nulls()
        bad = [text for text in texts if not text or len(text) > LONGEST or text == _NULL]
        if bad:
            what = f"a text of {len(bad[0])} characters" if bad[0] else "an empty text, which Delta takes for missing"
            raise DataError(
                f"[data] partition: {name!r} holds {what}.",
                allowed=f"1 to {LONGEST} characters, or missing",
                remedy="mend it in [clean], or choose another column",
            )


def _literals(types: Mapping[str, pl.DataType], values: Values) -> list[pl.Expr]:
    """The columns of a partition, whose values Delta writes as texts."""
    found: list[pl.Expr] = []
    for (name, kind), value in zip(types.items(), values, strict=True):
        meant = value if value is None or kind == pl.String else value == "true" if kind == pl.Boolean else int(value)
        found.append(pl.lit(meant, kind).alias(name))
    return found


def _is_plain(folder: Path, columns: Sequence[str]) -> bool:
    return "=" not in str(folder) and all(name.translate(_PLAIN) == name for name in columns)


def _text(value: object) -> str | None:
    """As Delta writes the value of a partition."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(kind: pl.DataType) -> str:
    return "numbers with fractions" if kind.is_float() else "times" if kind.is_temporal() else str(kind)


def _foreign(table: DeltaTable) -> IntegrityError:
    return IntegrityError(f"Another program has written files of the table {Path(unquote(table.table_uri)).name}.")
