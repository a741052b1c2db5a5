"""Rows that do not fit into memory, parted on disk by their keys, so that each part does."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from heptad.core.files import writing
from heptad.core.memory import spill_folder

BATCH = 131_072
"""Rows that are read at once."""
PARTS = 64
"""How many parts; each has to fit into memory, with what is computed of it."""
_PART = "\0part"


class Parts:
    """Rows in `PARTS` parts: rows of equal keys are in one part, in the order in which they were added."""

    def __init__(self, folder: Path, keys: Sequence[str], buffer: int) -> None:
        """`buffer`: bytes that are collected before they are written."""
        self._folder, self._keys, self._buffer = folder, list(keys), buffer
        self._held: list[pl.DataFrame] = []
        self._bytes = 0.0
        self._files = 0

    def add(self, rows: pl.DataFrame) -> None:
        self._held.append(rows)
        self._bytes += rows.estimated_size()
        if self._bytes >= self._buffer:
            self._write()

    def part(self, number: int) -> pl.DataFrame | None:
        """The rows of one part; `None` where it has none."""
        if self._held:
            self._write()
        files = [self._file(number, place) for place in range(self._files)]
        found = [pl.read_ipc(file) for file in files if file.exists()]
        return pl.concat(found) if found else None

    def _write(self) -> None:
        number = (pl.struct(self._keys).hash() % PARTS).cast(pl.UInt8).alias(_PART)
        rows = pl.concat(self._held).with_columns(number).sort(_PART, maintain_order=True)
        starts = np.searchsorted(rows[_PART].to_numpy(), np.arange(PARTS + 1))
        rows = rows.drop(_PART)
        with writing(self._folder):
            for part in range(PARTS):
                if starts[part] < starts[part + 1]:
                    rows[starts[part] : starts[part + 1]].write_ipc(self._file(part, self._files))
        self._held, self._bytes, self._files = [], 0.0, self._files + 1

    def _file(self, part: int, place: int) -> Path:
        return self._folder / f"{part}-{place}.arrow"


class Scratch:
    """A folder that is made when it is first needed, and removed at the end of the block."""

    def __init__(self) -> None:
        self._root: Path | None = None
        self._made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    def folder(self) -> Path:
        """A new empty folder."""
        if self._root is None:
            place = spill_folder()
            if place is not None:
                place.mkdir(parents=True, exist_ok=True)
            self._root = Path(tempfile.mkdtemp(prefix="heptad-", dir=place))
        self._made += 1
        made = self._root / str(self._made)
        made.mkdir()
        return made


def gather(rows: pl.LazyFrame, keys: Sequence[str], memory: int, scratch: Scratch) -> "pl.DataFrame | Parts":
    """The rows of a query in their order: held where they need at most `memory` bytes, else parted on disk.

    Without keys there is nothing to part by, and they are held however many they are.
    """
    held: list[pl.DataFrame] = [pl.DataFrame(schema=rows.collect_schema())]
    size = 0.0
    batches = rows.collect_batches(chunk_size=BATCH, maintain_order=True, engine="streaming")
    for one in batches:
        held.append(one)
        size += one.estimated_size()
        if size > memory and keys:
            parts = Parts(scratch.folder(), keys, memory // 4)
            for more in chain(held, batches):
                parts.add(more)
            return parts
    return pl.concat(held).rechunk()


def gather_pairs(
    first: pl.LazyFrame, second: pl.LazyFrame, keys: Sequence[str], memory: int, scratch: Scratch
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The rows of two queries, in pairs that have all rows of their keys; one pair, where all need less than `memory`.

    Types of the keys are alike.
    """
    found = [gather(rows, keys, memory // 2, scratch) for rows in (first, second)]
    held = [one for one in found if isinstance(one, pl.DataFrame)]
    if len(held) == len(found):
        yield held[0], held[1]
        return
    parted: list[Parts] = []
    for one in found:
        parts = one if isinstance(one, Parts) else Parts(scratch.folder(), keys, memory // 4)
        if isinstance(one, pl.DataFrame):
            parts.add(one)
        parted.append(parts)
    for number in range(PARTS):
        pair = [parts.part(number) for parts in parted]
        if pair[0] is not None and pair[1] is not None:
            yield pair[0], pair[1]
