"""A file is what its content says, as far as it says anything."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.data.manifests.conftest import encoded, picture

from heptad.core.errors import DataError
from heptad.data.manifests.entries import find_files, read_entry

Put = Callable[[str, bytes | str], Path]


def test_an_image_under_another_ending_is_told_by_content(put: Put, tmp_path: Path) -> None:
    """Of images; a text needs no ending at all."""
    put("a.jpg", encoded(picture(1), "PNG"))
    put("README", "words")
    assert read_entry(tmp_path / "files", "a.jpg", 10**8).media == "image/png"
    assert read_entry(tmp_path / "files", "README", 10**8).media == "text/plain"


def test_files_are_found_in_order(put: Put, tmp_path: Path) -> None:
    """Of their paths, in whatever order folders are listed."""
    for name in ("b/1", "a/2", "a.x", "a/b/3"):
        put(name, "x")
    assert list(find_files(tmp_path / "files")) == ["a.x", "a/2", "a/b/3", "b/1"]
    with pytest.raises(DataError, match="There is no folder"):
        list(find_files(tmp_path / "none"))


def test_names_that_are_not_utf8_are_told(put: Put, tmp_path: Path) -> None:
    """All of them at once, as they can be typed; the path is text, so no row can hold them."""
    for name in (b"a.txt", b"x\xffy.txt", b"k\xe4fer/1.txt"):
        put(os.fsdecode(name), "x")
    with pytest.raises(DataError, match=r"are not UTF-8: k\\xe4fer/1\.txt, x\\xffy\.txt\.") as error:
        list(find_files(tmp_path / "files"))
    assert "rename" in error.value.remedy
