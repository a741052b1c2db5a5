"""A text in blocks of whole records, so that one larger than memory can be read; and how long a line may be."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import polars as pl
from polars.io.plugins import register_io_source

from heptad.core.errors import DataError
from heptad.core.memory import budget
from heptad.data.sources.encodings import Chunks

Keep: TypeAlias = Callable[[str, Callable[[Path], None]], Path]
"""A file that is made once of a text; `how` it is made is a part of its name."""
CHUNK = 1 << 20
"""Bytes that are read of a file at a time."""
BLOCK = 16 << 20
"""Bytes of text that are made into rows at a time."""
LINE_BYTES = 64 << 20
"""The longest line, and the longest record, a text may have. Without this limit one line would take all memory."""
WHOLE = 0.125
"""A text of at most this share of what one operation may hold is read at once, which is the quickest."""


def whole_bytes() -> int:
    """How large texts may be that are held in memory with the cells that they become."""
    return int(WHOLE * budget())


def chunks_of(path: Path, *, whole: bool) -> Chunks:
    """The bytes of a file in pieces, which are the same whether the whole is held in memory or not."""
    if whole:
        data = memoryview(path.read_bytes())
        return lambda: (bytes(data[start : start + CHUNK]) for start in range(0, len(data), CHUNK))
    return lambda: _read(path)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def check_lines(path: Path, name: str) -> None:
    """Raises `DataError` for a line that is too long to hold, before anything tries to."""
    if path.stat().st_size <= LINE_BYTES:
        return
    length, number = 0, 1
    for chunk in _read(path):
        first = re.search(rb"[\r\n]", chunk)
        length = len(chunk) - max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) - 1 if first else length + len(chunk)
        if length > LINE_BYTES:
            raise DataError(
                f"Line {number:,} of {name} is longer than {LINE_BYTES >> 20} MiB.",
                allowed=f"lines up to {LINE_BYTES >> 20} MiB",
                remedy="look whether its lines end at all, and whether it is a table",
            )
        number += chunk.count(b"\n")


def without_leading_lines(chunks: Chunks) -> Chunks:
    """The text without blank lines at its beginning, and with ends of lines that are those of Unix or Windows."""

    def ended() -> Iterator[bytes]:
        begun = False
        for chunk in chunks():
            text = chunk if begun else chunk.lstrip(b"\r\n")
            begun = begun or bool(text)
            if text:
                yield text

    if not any(b"\r" in chunk for chunk in chunks()) or any(b"\n" in chunk for chunk in ended()):
        return ended
    return lambda: (chunk.replace(b"\r", b"\n") for chunk in ended())


def record_blocks(chunks: Chunks, name: str, *, quote: str = "", skip: int = 0) -> Iterator[tuple[int, bytes]]:
    """The text after its first `skip` lines in blocks of about `BLOCK` bytes, each with the number of its first line.

    A block ends with a record: at an end of line with an even number of quotes before it, and before a line that is
    not blank. Lines are counted from 1. Raises `DataError` for a record that does not end.
    """
    rest, parts, size, line, mark = b"", list[bytes](), 0, 1, quote.encode()
    for chunk in chain(chunks(), [b""]):
        parts.append(chunk)
        size += len(chunk)
        if size < BLOCK and chunk:
            continue
        rest, parts, size = b"".join([rest, *parts]), [], 0
        while skip and (end := rest.find(b"\n") + 1):
            rest, line, skip = rest[end:], line + 1, skip - 1
        end = 0 if skip else len(rest) if not chunk else _last_end(rest, mark)
        if end:
            yield line, rest[:end]
            line += rest.count(b"\n", 0, end)
            rest = rest[end:]
        elif len(rest) > max(LINE_BYTES, 2 * BLOCK):
            raise DataError(
                f"{name} has a quote from line {line:,} on that does not close within {LINE_BYTES >> 20} MiB.",
                allowed=f"quotes that close, records up to {LINE_BYTES >> 20} MiB",
                remedy='mend the file, or say what quotes fields: [sources.NAME] quote = "", or another character',
            )


def _last_end(text: bytes, quote: bytes) -> int:
    """The place after the last record that surely ends in a text; 0 where there is none."""
    before, end = text.count(quote) if quote else 0, len(text)
    while True:
        place = text.rfind(b"\n", 0, end)
        if place < 0:
            return 0
        before -= text.count(quote, place + 1, end) if quote else 0
        if before % 2 == 0 and text[place + 1 : place + 2] not in {b"", b"\n", b"\r"}:
            return place + 1
        end = place


def sink_frames(frames: Callable[[], Iterator[pl.DataFrame]], schema: pl.Schema, target: Path) -> None:
    """Write frames of one schema as a Parquet file, one after the other, in groups of rows as large as the first is."""
    iterator = frames()
    first = next(iterator, pl.DataFrame(schema=schema))

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, _most: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in chain([first], iterator):
            kept = frame if predicate is None else frame.filter(predicate)
            yield kept if columns is None else kept.select(columns)

    rows = register_io_source(batches, schema=schema)
    rows.sink_parquet(target, compression="lz4", row_group_size=max(1, first.height))
