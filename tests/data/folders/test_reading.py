"""Files are read whole, or it is told why not."""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from blake3 import blake3

from heptad.core.errors import InputError, UnavailableError
from heptad.core.memory import peak_rss_mb
from heptad.data.folders.chunks import cut
from heptad.data.folders.reading import ATTEMPTS, Reader
from heptad.data.folders.sizes import PARTS, PIECES
from heptad.data.folders.walking import Found
from heptad.data.hash_cache import Stamp


def found(path: Path) -> Found:
    return Found(os.fsencode(path.name), "f", Stamp.of(path.stat()))


HUGE = random.Random(11).randbytes(2 * PARTS.largest)


@pytest.mark.parametrize("size", [0, 1, PIECES.largest, PARTS.smallest, PARTS.smallest + 1, len(HUGE)])
def test_the_parts_make_up_the_file(tmp_path: Path, size: int) -> None:
    """A file of one part comes with its digest, and the digest of the file is the BLAKE3 of its bytes."""
    (tmp_path / "a").write_bytes(HUGE[:size])
    parts: list[bytes] = []

    def take(blocks: Sequence[bytes | memoryview], digest: bytes) -> int:
        parts.append(b"".join(blocks))
        assert digest == (blake3(parts[-1]).digest() if size <= PARTS.smallest else b"")
        return len(parts[-1])

    seen = Reader(tmp_path).read(found(tmp_path / "a"), lambda: take)
    assert parts == cut(HUGE[:size], PARTS)
    assert seen.digest == blake3(HUGE[:size]).digest()
    assert seen.stamp == Stamp.of((tmp_path / "a").stat())
    assert Reader(tmp_path).digest(found(tmp_path / "a")) == seen


@pytest.mark.parametrize("size", [10, len(HUGE)])
def test_a_file_that_is_written_to_while_it_is_read_is_read_again(tmp_path: Path, size: int) -> None:
    """Until nobody does; after some attempts it is told."""
    path = tmp_path / "a"
    path.write_bytes(HUGE[:size])
    attempts: list[int] = []

    def begin_writing(times: int) -> object:
        def begin() -> object:
            attempts.append(1)
            if len(attempts) <= times:
                with path.open("ab") as file:
                    file.write(b"more")
            return lambda part, _digest: sum(map(len, part))

        return begin

    seen = Reader(tmp_path).read(found(path), begin_writing(1))  # type: ignore[arg-type]
    assert seen.digest == blake3(path.read_bytes()).digest()
    assert len(attempts) == 2
    attempts.clear()
    with pytest.raises(UnavailableError, match="was written to each time it was read"):
        Reader(tmp_path).read(found(path), begin_writing(99))  # type: ignore[arg-type]
    assert len(attempts) == ATTEMPTS


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Removed meanwhile, or become a link, which is not followed."""
    with pytest.raises(UnavailableError, match="a was removed while it was read"):
        Reader(tmp_path).digest(Found(b"a", "f", Stamp(0, 0, 0, 0)))
    (tmp_path / "b").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="b cannot be read: Too many levels of symbolic links"):
        Reader(tmp_path).digest(Found(b"b", "f", Stamp(0, 0, 0, 0)))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Half a gigabyte goes through one buffer."""
    with (tmp_path / "a").open("wb") as file:
        file.truncate(512 << 20)
    reader = Reader(tmp_path)
    before = peak_rss_mb()
    reader.digest(found(tmp_path / "a"))
    assert peak_rss_mb() - before < 64
