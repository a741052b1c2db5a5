"""Compressed files are read by content, whole, and within limits."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data.sources import compression
from heptad.data.sources.compression import compression_of, decompress

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("kind", PACK)
def test_what_was_packed_comes_out(tmp_path: Path, kind: str) -> None:
    """Told by the first bytes, whatever the name; several streams one after the other are one file."""
    path, target = tmp_path / "t", tmp_path / "out"
    path.write_bytes(PACK[kind](b"one ") + PACK[kind](b"two" * 100_000))
    assert compression_of(path) == kind
    decompress(path, target, "t", 10**9)
    assert target.read_bytes() == b"one " + b"two" * 100_000


@given(data=st.binary(max_size=2_000), kind=st.sampled_from(sorted(PACK)), level=st.integers(1, 9))
def test_any_bytes_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str, level: int
) -> None:
    """Every codec, any content."""
    folder = tmp_path_factory.mktemp("any")
    (folder / "t").write_bytes(PACK[kind](data * level))
    decompress(folder / "t", folder / "out", "t", 10**9)
    assert (folder / "out").read_bytes() == data * level


@pytest.mark.parametrize("kind", PACK)
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, kind: str) -> None:
    """Half of it is not read as if it were all."""
    whole = PACK[kind](bytes(range(256)) * 2_000)
    (tmp_path / "t").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=f"t cannot be unpacked by {kind}"):
        decompress(tmp_path / "t", tmp_path / "out", "t", 10**9)


@pytest.mark.parametrize("kind", PACK)
def test_a_bomb_is_refused(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the ratio once it is large, and by the absolute limit; no more than a chunk beyond is written."""
    (tmp_path / "t").write_bytes(PACK[kind](bytes(20 << 20)))
    target = tmp_path / "out"
    with pytest.raises(DataError, match=r"holds more than 0\.005 GB"):
        decompress(tmp_path / "t", target, "t", 5_000_000)
    assert target.stat().st_size <= 5_000_000
    monkeypatch.setattr(compression, "UNJUDGED_BYTES", 1 << 20)
    with pytest.raises(DataError, match="made to fill a disk"):
        decompress(tmp_path / "t", target, "t", 10**9)


def test_plain_files_are_not_compressed(tmp_path: Path) -> None:
    """Nor are empty ones."""
    (tmp_path / "t").write_text("a,b\n")
    (tmp_path / "e").touch()
    assert (compression_of(tmp_path / "t"), compression_of(tmp_path / "e")) == ("", "")
