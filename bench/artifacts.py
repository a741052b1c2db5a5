"""Artifacts against what they cannot avoid: hashing and copying, and one sync."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blake3 import blake3

from bench.figures import Figure
from heptad.core.files import sync_files, sync_folder
from heptad.core.local_blobs import open_blobs

LARGE_BYTES, SMALL_FILES = 2 << 30, 20_000
LARGE_RATIO, SMALL_RATIO = 1.3, 2.0
CHUNK = 16 << 20
REPEATS = 3


def measure() -> list[Figure]:
    """A file of 2 GB, and 20,000 files of one to nine kilobytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [_large(folder), _small(folder)]


def _large(folder: Path) -> Figure:
    source = folder / "large"
    with source.open("wb") as file:
        for _ in range(LARGE_BYTES // CHUNK):
            file.write(os.urandom(CHUNK))
    sync_folder(source)

    def bare(number: int) -> None:
        """Hash it, copy it, make the copy durable."""
        blake3(max_threads=blake3.AUTO).update_mmap(source).hexdigest()
        copy = folder / f"made-{number}"
        shutil.copyfile(source, copy)
        sync_files(folder, [copy])

    value, limit = _pairs(folder, lambda number: open_blobs(f"file://{folder}/made-{number}").put(source), bare)
    source.unlink()
    return _figure("artifacts, a 2 GB file, against hash plus synced copy", value, limit, LARGE_RATIO)


def _small(folder: Path) -> Figure:
    sources = folder / "sources"
    sources.mkdir()
    paths = [sources / str(number) for number in range(SMALL_FILES)]
    for number, path in enumerate(paths):
        path.write_bytes(os.urandom(1000 + number * 7919 % 8000))
    sync_files(folder, paths)

    def bare(number: int) -> None:
        """Copy them into one folder, one sync for all."""
        target = folder / f"made-{number}"
        target.mkdir()
        for path in paths:
            shutil.copyfile(path, target / path.name)
        sync_files(folder, paths)

    value, limit = _pairs(folder, lambda number: open_blobs(f"file://{folder}/made-{number}").put_many(paths), bare)
    return _figure("artifacts, 20,000 small files, against copying with one sync", value, limit, SMALL_RATIO)


def _pairs(folder: Path, ours: Callable[[int], Any], bare: Callable[[int], Any]) -> tuple[float, float]:
    """Seconds of both, each the best of several, in turn: what else the machine does meets both alike.

    What was made is removed at once: a virtual machine is three times as slow where it fills memory that it never had.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(REPEATS):
        for act, taken in zip((ours, bare), times, strict=True):
            os.sync()
            began = time.perf_counter()
            act(number)
            taken.append(time.perf_counter() - began)
            made = folder / f"made-{number}"
            shutil.rmtree(made) if made.is_dir() else made.unlink()
    return min(times[0]), min(times[1])


def _figure(name: str, value: float, limit: float, most: float) -> Figure:
    ratio = value / limit
    floor = f"within {most:g} times"
    return Figure(name=name, value=value, unit="s", limit=limit, ratio=ratio, floor=floor, holds=ratio <= most)
