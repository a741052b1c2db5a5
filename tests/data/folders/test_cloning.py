"""Files share their blocks with packs where the file system can, and are never damaged through each other."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.data.folders.cloning import BLOCK, Cloner, padding
from heptad.data.folders.folders import Folders
from heptad.data.folders.settings import RemoteSettings

SIZES = {"small.bin": 10_000, "middle.bin": 300_001, "large.bin": 40_000_000}


def folders(root: Path) -> Folders:
    return Folders(open_workspace(root, "test", StoreSettings()), RemoteSettings())


def fill(place: Path) -> dict[str, bytes]:
    place.mkdir()
    contents = {name: Random(size).randbytes(size) for name, size in SIZES.items()}
    for name, data in contents.items():
        (place / name).write_bytes(data)
    return contents


def read(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


def shares_blocks(folder: Path) -> bool:
    (folder / "one").write_bytes(bytes(BLOCK))
    with (folder / "one").open("rb") as one, (folder / "two").open("wb") as two:
        try:
            fcntl.ioctl(two.fileno(), 0x40049409, one.fileno())
        except OSError:
            return False
    return True


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system that shares blocks: this one, or one in a file, where this user may mount it."""
    if shares_blocks(tmp_path):
        yield tmp_path
        return
    if not shutil.which("mkfs.btrfs"):
        pytest.skip("no file system here shares blocks, and there is no mkfs.btrfs")
    image, place = tmp_path / "image", tmp_path / "mounted"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(400_000_000)
    subprocess.run(["mkfs.btrfs", "-q", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=False, capture_output=True).returncode:
        pytest.skip("no file system here shares blocks, and this user may mount none")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_large_files_share_their_blocks_with_the_workspace(sharing: Path) -> None:
    """All but the ends of their pieces; whoever edits one damages neither the workspace nor the next checkout."""
    root = sharing / "project"
    root.mkdir()
    contents = fill(root / "data")
    opened = folders(root)
    opened.add([root / "data"])
    shutil.rmtree(root / "data")
    (placed,) = opened.checkout([root / "data"])
    assert read(root / "data") == contents
    assert placed.bytes == sum(SIZES.values())
    assert placed.shared > 0.9 * SIZES["large.bin"]
    assert placed.copied_because == ""
    for name in SIZES:
        with (root / "data" / name).open("r+b") as file:
            file.write(b"spoiled" * 1000)
            file.seek(-5000, os.SEEK_END)
            file.write(b"spoiled" * 700)
    version = opened.log("data")[0]
    got = opened.get(version, sharing / "again")
    assert got.shared == placed.shared
    assert read(sharing / "again") == contents


def test_an_edit_in_the_middle_still_shares_the_rest(sharing: Path) -> None:
    """What comes behind an insertion lies elsewhere in its file than in its pack, and is copied; all is right."""
    root = sharing / "project"
    root.mkdir()
    contents = fill(root / "data")
    opened = folders(root)
    opened.add([root / "data"])
    large = contents["large.bin"]
    edited = {**contents, "large.bin": large[:20_000_000] + b"inserted" + large[20_000_000:]}
    (root / "data" / "large.bin").write_bytes(edited["large.bin"])
    (added,) = opened.add([root / "data"])
    assert added.new_bytes < 3_000_000
    got = opened.get(added.version, sharing / "again")
    assert read(sharing / "again") == edited
    assert 0.4 * len(large) < got.shared < 0.6 * len(large)


def test_where_nothing_can_be_shared_it_is_said(tmp_path: Path) -> None:
    """The files are copied, whole."""
    if shares_blocks(tmp_path):
        pytest.skip("this file system shares blocks")
    root = tmp_path / "project"
    root.mkdir()
    contents = fill(root / "data")
    opened = folders(root)
    opened.add([root / "data"])
    shutil.rmtree(root / "data")
    (placed,) = opened.checkout([root / "data"])
    assert read(root / "data") == contents
    assert placed.shared == 0
    assert "shares no blocks" in placed.copied_because


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_a_piece_lies_in_its_pack_as_in_its_file(filled: int, offset: int) -> None:
    """Modulo a block, with less than a block left out."""
    gap = padding(filled, offset)
    assert 0 <= gap < BLOCK
    assert (filled + gap - offset) % BLOCK == 0


def test_pieces_that_lie_otherwise_are_left_to_be_copied() -> None:
    """As in packs that were written before, and small ones."""
    cloner = Cloner()
    assert not cloner.may_share(10, 0, 1 << 20)
    assert not cloner.may_share(BLOCK, 0, BLOCK - 1)
    assert cloner.may_share(3 * BLOCK + 5, 5, BLOCK)
    assert cloner.refused == ""
