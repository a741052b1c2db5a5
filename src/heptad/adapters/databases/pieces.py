"""What was read of a database, kept in the workspace: Parquet pieces, and one file that says which ones count.

That file holds the position of the cursor too and is replaced whole, so rows and position change in one commit: after
an accident the pieces that it does not name are removed and nothing is there twice or missing.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
from blake3 import blake3

from heptad.core.faults import boundary
from heptad.core.files import locked, make_folder, sync_files, sync_folder, write_atomically, writing
from heptad.data import ForgetKept, Repair, Subjects, rows_digest

PIECE_BYTES = 48 << 20
"""About what the rows of one piece take in memory."""
_MANIFEST, _LOCK = "pieces.json", "lock"
_TYPES: dict[str, pl.DataType] = {
    "null": pl.Null(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "text": pl.String(),
    "datetime": pl.Datetime("us", "UTC"),
}
_NAMES = {kind: name for name, kind in _TYPES.items()}
_POSITIONS: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
}
"""What a cursor may hold: the name of its Python type, and how it is read back from text."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet file. `tail`: all its rows are at the position of the cursor, and are read again."""

    file: str
    rows: int
    digest: str
    types: dict[str, str]
    texts: dict[str, int] = {}
    """How many values its columns of text have."""
    tail: bool = False


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Everything read so far of one table or query."""

    pieces: list[Piece]
    position: tuple[str, str] | None = None
    """The cursor's greatest value: its Python type and its text."""
    stamp: str = ""
    read_at: float = 0.0
    """Unix seconds."""
    understood: dict[str, str] = {}
    as_text: list[str] = []
    """Columns whose values were turned into text."""
    previous: list[str] = []
    """Files that the commit before named: somebody may still be reading them."""

    @property
    def names(self) -> list[str]:
        return list(self.pieces[0].types) if self.pieces else []

    @property
    def types(self) -> dict[str, str]:
        """Of each column over all pieces."""
        return merged([piece.types for piece in self.pieces])

    def dtypes(self) -> dict[str, pl.DataType]:
        """The types as Polars has them."""
        return {name: _TYPES[kind] for name, kind in self.types.items()}

    @property
    def past(self) -> Any:
        """The position as the value that the database gave."""
        return None if self.position is None else _POSITIONS[self.position[0]](self.position[1])

    def repairs(self) -> list[Repair]:
        """How many cells were turned into text."""
        cells = {name: sum(piece.texts.get(name, 0) for piece in self.pieces) for name in self.as_text}
        return [Repair(rule="as_text", column=name, cells=count) for name, count in cells.items() if count]

    def digest(self) -> str:
        total = blake3()
        for piece in self.pieces:
            total.update(piece.digest.encode())
        return total.hexdigest()


def position_of(value: Any) -> tuple[str, str] | None:
    """A value of the cursor as it is kept; `None` for a type that cannot be one."""
    name = type(value).__name__
    if name not in _POSITIONS:
        return None
    return name, value.isoformat() if isinstance(value, date) else repr(value) if name == "float" else str(value)


def merged(types: Sequence[dict[str, str]]) -> dict[str, str]:
    """The types that hold the values of all pieces: a number holds integers, a text anything."""
    found: dict[str, str] = {}
    for one in types:
        for name, kind in one.items():
            found[name] = _wider(found.get(name, "null"), kind)
    return found


def _wider(one: str, other: str) -> str:
    kinds = {one, other} - {"null"}
    if len(kinds) <= 1:
        return next(iter(kinds), "null")
    return "number" if kinds == {"integer", "number"} else "text"


class Pieces:
    """The folder of one table or query."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held by who brings the pieces up to date; others wait, and then find them so."""
        with writing(self._folder):
            make_folder(self._folder)
        with locked(self._folder / _LOCK):
            yield

    def load(self) -> Held | None:
        """What was committed; nothing where a piece is gone, or another version of the program wrote it."""
        try:
            held = msgspec.json.decode((self._folder / _MANIFEST).read_bytes(), type=Held)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return held if all((self._folder / one.file).is_file() for one in held.pieces) else None

    def commit(self, held: Held, before: Held | None) -> Held:
        """Make these pieces the ones that count, and remove what neither they nor those before them name."""
        previous = [one.file for one in before.pieces] if before else []
        held = msgspec.structs.replace(held, previous=previous)
        with writing(self._folder):
            sync_files(self._folder, [self._folder / one.file for one in held.pieces if one.file not in previous])
            sync_folder(self._folder)
        boundary("source.before_commit")
        write_atomically(self._folder / _MANIFEST, msgspec.json.encode(held))
        boundary("source.after_commit")
        self.clear(held)
        return held

    def clear(self, held: Held | None) -> None:
        """Remove pieces that were not committed, as an accident leaves them."""
        kept = {one.file for one in held.pieces} | set(held.previous) if held else set()
        for path in self._folder.glob("*.parquet"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def scan(self, held: Held) -> pl.LazyFrame:
        """All rows in their order, lazily."""
        types = held.types
        alike = all(piece.types == types for piece in held.pieces)
        if alike:
            return pl.scan_parquet([self._folder / piece.file for piece in held.pieces], glob=False)
        parts = [pl.scan_parquet(self._folder / piece.file, glob=False) for piece in held.pieces]
        return pl.concat([part.cast({name: _TYPES[kind] for name, kind in types.items()}) for part in parts])

    def write(self, rows: pl.DataFrame, *, tail: bool = False) -> Piece:
        """Write one piece, which counts once it is committed."""
        name = f"{secrets.token_hex(8)}.parquet"
        with writing(self._folder):
            rows.write_parquet(self._folder / name, compression="lz4")
        boundary("source.after_write")
        types = {column: _NAMES[kind] for column, kind in rows.schema.items()}
        texts = {column.name: len(column) - column.null_count() for column in rows if column.dtype == pl.String}
        digest = rows_digest(rows.lazy())
        return Piece(file=name, rows=len(rows), digest=digest, types=types, texts=texts, tail=tail)

    def without(self, pieces: Sequence[Piece], keys: pl.DataFrame) -> list[Piece]:
        """The pieces without the rows whose keys are among these."""
        others = keys.lazy()
        return self.keep(pieces, lambda rows: rows.join(others, on=keys.columns, how="anti", maintain_order="left"))

    def keep(self, pieces: Sequence[Piece], wanted: Callable[[pl.LazyFrame], pl.LazyFrame]) -> list[Piece]:
        """The pieces with the rows that are wanted, written anew where that is not all of them."""
        kept = []
        for piece in pieces:
            left = wanted(pl.scan_parquet(self._folder / piece.file, glob=False)).collect()
            if len(left) == piece.rows:
                kept.append(piece)
            elif len(left):
                kept.append(self.write(left, tail=piece.tail))
        return kept


def forget_pieces(folder: Path, subjects: Subjects, entities: Sequence[Subjects] = (), *, dry_run: bool = False) -> int:
    """Take people out of what was read of any table or query, declared still or not; see `ForgetKept`.

    The databases are not asked, and keep them.
    """
    act = _counted if dry_run else _removed
    return sum(act(Pieces(lock.parent), subjects, entities) for lock in sorted((folder / "sources").glob(f"*/{_LOCK}")))


def _counted(pieces: Pieces, subjects: Subjects, entities: Sequence[Subjects]) -> int:
    held = pieces.load()
    if held is None or not held.pieces:
        return 0
    rows = pieces.scan(held)
    theirs = subjects.condition_or(entities, rows.collect_schema())
    return int(rows.select(theirs.sum()).collect(engine="streaming").item() or 0)


def _removed(pieces: Pieces, subjects: Subjects, entities: Sequence[Subjects]) -> int:
    with pieces.locked():
        held = pieces.load()
        if held is None:
            pieces.clear(None)
            return 0
        kept = pieces.keep(
            held.pieces, lambda rows: rows.filter(~subjects.condition_or(entities, rows.collect_schema()))
        )
        made = pieces.commit(msgspec.structs.replace(held, pieces=kept), held)
        # Once more: files that the first commit leaves to those who are reading go with the second.
        pieces.commit(made, made)
    return sum(piece.rows for piece in held.pieces) - sum(piece.rows for piece in kept)


class PieceWriter:
    """Gathers rows that come in order until they are worth a piece; with a cursor, its last value apart."""

    def __init__(self, pieces: Pieces, cursor: str = "") -> None:
        self._pieces = pieces
        self._cursor = cursor
        self._written: list[Piece] = []
        self._held: list[pl.DataFrame] = []
        self._tail: list[pl.DataFrame] = []
        self._last: Any = None
        self.first_of_tail: Any = None
        """The cursor's value in the first row of the tail, as the database gave it."""
        self.rows = 0

    def add(self, rows: pl.DataFrame, cursor_values: Sequence[Any] | pl.Series = ()) -> None:
        """Take rows; `cursor_values` are the cursor's, as the database gave them."""
        self.rows += len(rows)
        if not self._cursor:
            self._hold(rows)
            return
        values = rows[self._cursor]
        last = values[-1]
        start = int((values == last).arg_max() or 0)
        if start or last != self._last:
            for one in self._tail:
                self._hold(one)
            self._tail.clear()
            self._hold(rows.head(start))
            self._last, self.first_of_tail = last, cursor_values[start]
        self._tail.append(rows.tail(len(rows) - start))

    def close(self) -> list[Piece]:
        """All pieces."""
        self._flush()
        if self._tail:
            self._written.append(self._pieces.write(_stacked(self._tail), tail=True))
        return self._written

    def _hold(self, rows: pl.DataFrame) -> None:
        if len(rows):
            self._held.append(rows)
        if sum(one.estimated_size() for one in self._held) >= PIECE_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._written.append(self._pieces.write(_stacked(self._held)))
            self._held.clear()


def _stacked(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    types = merged([{name: _NAMES[kind] for name, kind in one.schema.items()} for one in frames])
    return pl.concat([one.cast({name: _TYPES[kind] for name, kind in types.items()}) for one in frames])


if TYPE_CHECKING:
    _: ForgetKept = forget_pieces
