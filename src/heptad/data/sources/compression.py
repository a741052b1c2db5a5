"""Plain files out of compressed ones, told by their first bytes, in bounded memory and within limits of size."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from heptad.core.errors import DataError, WorkspaceError
from heptad.core.files import writing

RATIO = 200
"""No table shrinks that far; what grows by more is made to fill a disk."""
UNJUDGED_BYTES = 1 << 30
"""Up to here the ratio does not count: a small table of one value shrinks further."""
CHUNK = 1 << 20
SUFFIXES = (".gz", ".bz2", ".xz", ".zst")


def _streamed(
    opened: Callable[[Path], io.BufferedIOBase],
) -> Callable[[Path], Iterator[bytes]]:
    def chunks(path: Path) -> Iterator[bytes]:
        with opened(path) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    return chunks


def _zstd(path: Path) -> Iterator[bytes]:
    try:
        from backports import zstd  # noqa: PLC0415 - an extra, which only such files need
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            f"{path.name} is compressed by zstd, which needs the package 'backports.zstd'.",
            remedy="pip install 'heptad[zst]'",
        ) from error
    try:
        yield from _streamed(zstd.ZstdFile)(path)
    except zstd.ZstdError as error:
        raise OSError(str(error)) from error


_WAYS: dict[bytes, tuple[str, Callable[[Path], Iterator[bytes]]]] = {
    b"\x1f\x8b\x08": ("gzip", _streamed(gzip.GzipFile)),
    b"BZh": ("bzip2", _streamed(bz2.BZ2File)),
    b"\xfd7zXZ\x00": ("xz", _streamed(lzma.LZMAFile)),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
}


def compression_of(path: Path) -> str:
    """How a file is compressed: gzip, bzip2, xz, zstd; empty where it is not."""
    return _way(path)[0]


def decompress(path: Path, target: Path, name: str, limit: int) -> None:
    """Write what a compressed file holds to `target`; `limit` is in bytes.

    Raises `DataError` for a file that is cut short or damaged, and for one that grows beyond the limits.
    """
    kind, chunks = _way(path)
    write_within(_whole(chunks(path), name, kind), target, name, packed=path.stat().st_size, limit=limit)


def _way(path: Path) -> tuple[str, Callable[[Path], Iterator[bytes]]]:
    with path.open("rb") as file:
        head = file.read(16)
    return next((way for magic, way in _WAYS.items() if head.startswith(magic)), ("", lambda _: iter(())))


def _whole(chunks: Iterator[bytes], name: str, kind: str) -> Iterator[bytes]:
    try:
        yield from chunks
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"{name} cannot be unpacked by {kind}: {str(error).rstrip('.')}.",
            allowed="a whole file",
            remedy="copy or write it again; it may be cut short",
        ) from error


def write_within(chunks: Iterator[bytes], target: Path, name: str, *, packed: int, limit: int) -> None:
    """Write chunks to a file, until they are too many for something that takes `packed` bytes."""
    total = 0
    with writing(target.parent), target.open("wb") as file:
        for chunk in chunks:
            total += len(chunk)
            refuse_growth(total, name, packed=packed, limit=limit)
            file.write(chunk)


def refuse_growth(total: int, name: str, *, packed: int, limit: int) -> None:
    """Raises `DataError` where `packed` bytes become `total`, which is beyond the limits."""
    if total > limit:
        raise DataError(
            f"{name} holds more than {limit / 1e9:g} GB.",
            allowed=f"up to {limit / 1e9:g} GB unpacked",
            remedy="raise [sources.NAME] unpacked_gb if the disk has the room, or unpack it yourself",
        )
    if total > UNJUDGED_BYTES and total > RATIO * packed:
        raise DataError(
            f"{name} unpacks to more than {RATIO} times its size, as files do that are made to fill a disk.",
            allowed=f"a ratio up to {RATIO}",
            remedy="unpack it yourself if you trust who made it",
        )
