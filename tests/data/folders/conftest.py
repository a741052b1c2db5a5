"""Folders to add, and what is in them."""

import os
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from heptad.core.workspace import Workspace
from heptad.data.folders.folders import Folders
from heptad.data.folders.settings import RemoteSettings

LARGE = random.Random(11).randbytes(3_000_000)
"""A file of many pieces."""
FILES: dict[str, bytes] = {
    "a.txt": b"a",
    "b/large.bin": LARGE,
    "b/copy.bin": LARGE,
    "b/c/Größe 'x'\n.csv": b"x,y\n1,2\n",
    "empty.txt": b"",
}


@pytest.fixture
def folders(workspace: Workspace) -> Folders:
    return Folders(workspace, RemoteSettings())


@pytest.fixture
def images(workspace: Workspace) -> Path:
    """A folder with large, small, empty and oddly named files, a link, an executable, and an empty folder."""
    return fill(workspace.root / "images")


def fill(place: Path, files: Mapping[str, bytes] = FILES) -> Path:
    for name, data in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if files is FILES:
        os.symlink("b/c", place / "link")
        (place / "run.sh").write_bytes(b"#!/bin/sh\n")
        (place / "run.sh").chmod(0o755)
        (place / "nothing" / "here").mkdir(parents=True)
        Path(os.fsdecode(os.fsencode(place) + b"/\xff\xfe")).write_bytes(b"no text")
    return place


def contents(place: Path) -> dict[bytes, object]:
    """Everything that a version keeps of a folder: bytes, whether they may be executed, links, empty folders."""
    found: dict[bytes, object] = {}
    top = os.fsencode(place)
    for folder, folders, files in os.walk(top):
        for name in [*files, *folders]:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, top)
            if os.path.islink(path):
                found[key] = ("link", os.readlink(path))
            elif os.path.isdir(path):
                if not os.listdir(path):
                    found[key] = "empty folder"
            else:
                with open(path, "rb") as file:
                    found[key] = (file.read(), bool(os.stat(path).st_mode & 0o100))
    return found
