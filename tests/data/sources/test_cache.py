"""Files made of sources are kept whole, once for each version."""

import os
import time
from pathlib import Path

import pytest

from heptad.core.errors import WorkspaceError
from heptad.data.sources.cache import KEPT_DAYS, SourceCache


def test_a_file_is_made_once_for_each_version(tmp_path: Path) -> None:
    """The second time it is there; another version is another file."""
    cache, made = SourceCache(tmp_path / "cache"), []

    def make(target: Path) -> None:
        made.append(1)
        target.write_text(f"{len(made)}")

    first = cache.keep("a", "1", make)
    assert cache.keep("a", "1", make) == first
    assert cache.keep("a", "2", make).read_text() == "2"
    assert first.read_text() == "1"


def test_what_could_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    """Neither half of it nor a temporary file."""

    def fail(target: Path) -> None:
        target.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        SourceCache(tmp_path).keep("a", "1", fail)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_a_written_file_is_another_version(tmp_path: Path) -> None:
    """What is made of a local file follows the file."""
    file, cache = tmp_path / "f", SourceCache(tmp_path / "cache")
    file.write_text("one")
    first = cache.made_of(file, "copy", lambda target: target.write_bytes(file.read_bytes()) and None)
    file.write_text("three")
    second = cache.made_of(file, "copy", lambda target: target.write_bytes(file.read_bytes()) and None)
    assert (first.read_text(), second.read_text()) == ("one", "three")


def test_old_versions_go_when_nobody_has_asked_for_them(tmp_path: Path) -> None:
    """A new version removes those that were last used more than a week ago, and keeps the others."""
    cache = SourceCache(tmp_path)
    old, recent = (cache.keep("a", version, lambda target: target.touch()) for version in "12")
    long_ago = time.time() - (KEPT_DAYS + 1) * 86_400
    os.utime(old, (long_ago, long_ago))
    cache.keep("a", "3", lambda target: target.touch())
    assert (old.exists(), recent.exists()) == (False, True)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "cache").touch()
    with pytest.raises(WorkspaceError, match="cannot be written"):
        SourceCache(tmp_path / "cache").keep("a", "1", lambda target: target.touch())


def test_a_folder_is_made_once_too(tmp_path: Path) -> None:
    """Whole or not at all, again for a file that was written, and not for one that lies in the cache itself."""
    file, cache, made = tmp_path / "f", SourceCache(tmp_path / "cache"), []

    def make(folder: Path) -> None:
        made.append(1)
        (folder / "part").write_text(file.read_text())

    file.write_text("one")
    first = cache.folder_made_of(file, "parts", make)
    assert cache.folder_made_of(file, "parts", make) == first
    assert (first / "part").read_text() == "one"
    file.write_text("three")
    assert cache.folder_made_of(file, "parts", make) != first
    inside = cache.keep("unpacked", "1", lambda target: target.write_text("x") and None)
    again = cache.folder_made_of(inside, "parts", make)
    cache.keep("unpacked", "1", lambda _: None)
    assert cache.folder_made_of(inside, "parts", make) == again
    assert len(made) == 3

    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cache.folder_made_of(file, "others", fail)
    assert not list(tmp_path.rglob("half"))


def test_old_folders_go_with_old_files(tmp_path: Path) -> None:
    """When a newer version comes."""
    file, cache = tmp_path / "f", SourceCache(tmp_path / "cache")
    file.write_text("one")
    first = cache.folder_made_of(file, "parts", lambda folder: (folder / "a").write_text("") and None)
    old = time.time() - (KEPT_DAYS + 1) * 86_400
    os.utime(first, (old, old))
    file.write_text("three")
    cache.folder_made_of(file, "parts", lambda folder: (folder / "a").write_text("") and None)
    assert not first.exists()
