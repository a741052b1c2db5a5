"""Versioned folders against what they cannot avoid: hashing, copying, one sync; and what a small edit stores.

Each part runs in a process of its own; the commands are timed with their start.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from blake3 import blake3

from bench.figures import Figure
from heptad.core.files import sync_files
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.data import Folders, RemoteSettings

SMALL_FILES, SMALL_BYTES, LARGE_BYTES = 20_000, 10_000, 2 << 30
SMALL_RATIO, LARGE_RATIO, AGAIN_SECONDS, STORED_SHARE = 1.5, 1.3, 1.0, 0.002
CHUNK = 16 << 20
REPEATS = 3
MEMORY_MB = 250
ADD = """
import json, sys
from pathlib import Path
from heptad.core.memory import peak_rss_mb
from heptad.project import open_folders
from heptad.data.folders import chunks
before = peak_rss_mb()
open_folders(sys.argv[1]).add([Path(sys.argv[1], "large")])
print(json.dumps(peak_rss_mb() - before))
"""


def measure() -> list[Figure]:
    """20,000 files of 10 kB, the same again and after one change; a file of 2 GB, and after one change."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_small(folder / "small"), *_large(folder / "large")]


def _small(folder: Path) -> list[Figure]:
    source = folder / "files"
    source.mkdir(parents=True)
    paths = [source / f"{number:05}.jpg" for number in range(SMALL_FILES)]
    for path in paths:
        path.write_bytes(os.urandom(SMALL_BYTES))

    def bare(number: int) -> None:
        """Hash and copy each, one sync for all."""
        target = folder / f"copy-{number}"
        target.mkdir()
        for path in paths:
            blake3(path.read_bytes()).digest()
            shutil.copyfile(path, target / path.name)
        sync_files(target, [target, *target.iterdir()])

    value, limit = _pairs(folder, source, bare)
    figures = [_ratio("folders, add 20,000 files of 10 kB, against hash plus synced copy", value, limit, SMALL_RATIO)]
    (folder / ".git").mkdir()
    _command(folder, "data", "add", "files")
    walk = min(_timed(lambda: [one.stat() for one in os.scandir(source)]) for _ in range(REPEATS))
    name = "folders, heptad data status of 20,000 files, with its start, against a walk"
    figures.append(_seconds(name, min(_command(folder, "data", "status") for _ in range(REPEATS)), walk))
    again = []
    for number in range(REPEATS):
        paths[number].write_bytes(os.urandom(SMALL_BYTES))
        again.append(_command(folder, "data", "add", "files"))
    name = "folders, heptad data add of 20,000 files after one change, with its start, against a walk"
    return [*figures, _seconds(name, min(again), walk)]


def _large(folder: Path) -> list[Figure]:
    folder.mkdir()
    source = folder / "large"
    with source.open("wb") as file:
        for _ in range(LARGE_BYTES // CHUNK):
            file.write(os.urandom(CHUNK))

    def bare(number: int) -> None:
        """Hash it, copy it, make the copy durable."""
        blake3(max_threads=blake3.AUTO).update_mmap(source).hexdigest()
        copy = folder / f"copy-{number}"
        shutil.copyfile(source, copy)
        sync_files(folder, [copy])

    value, limit = _pairs(folder, source, bare)
    figures = [_ratio("folders, add a file of 2 GB, against hash plus synced copy", value, limit, LARGE_RATIO)]
    _clear(folder)
    (folder / ".git").mkdir()
    run = subprocess.run([sys.executable, "-c", ADD, str(folder)], check=True, capture_output=True, text=True)
    megabytes = json.loads(run.stdout.splitlines()[-1])
    figures.append(
        Figure(
            name="folders, memory that adding a file of 2 GB takes",
            value=megabytes,
            unit="MB",
            limit=MEMORY_MB,
            ratio=megabytes / MEMORY_MB,
            floor=f"at most {MEMORY_MB} MB, whatever the size",
            holds=megabytes <= MEMORY_MB,
        )
    )
    before = _stored(folder)
    with source.open("r+b") as edited:
        edited.seek(LARGE_BYTES // 2)
        edited.write(b"a small edit")
    _command(folder, "data", "add", "large")
    share = (_stored(folder) - before) / LARGE_BYTES
    figures.append(
        Figure(
            name="folders, what a small edit in a file of 2 GB stores, as a share of it",
            value=share,
            unit="",
            limit=STORED_SHARE,
            ratio=share / STORED_SHARE,
            floor=f"at most {STORED_SHARE:g}",
            holds=share <= STORED_SHARE,
        )
    )
    return figures


def _fresh(folder: Path, number: int) -> Folders:
    """Folders of a workspace that knows nothing; in the folder that holds the data."""
    _clear(folder)
    return Folders(open_workspace(folder, f"bench{number}", StoreSettings()), RemoteSettings())


def _clear(folder: Path) -> None:
    shutil.rmtree(folder / ".heptad", ignore_errors=True)
    for path in (*folder.glob("copy-*"), *folder.glob("*.heptad")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    os.sync()


def _stored(folder: Path) -> int:
    return sum(one.stat().st_size for one in (folder / ".heptad" / "artifacts").rglob("*") if one.is_file())


def _command(folder: Path, *words: str) -> float:
    """Seconds of a command, with the start of Python."""
    command = [sys.executable, "-m", "heptad", *words]
    return _timed(lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True))


def _timed(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _pairs(folder: Path, source: Path, bare: Callable[[int], Any]) -> tuple[float, float]:
    """Seconds of adding a source and of `bare`, each the best of several, in turn; the machine meets both alike."""
    ours, limits = [], []
    for number in range(REPEATS):
        folders = _fresh(folder, number)
        ours.append(_timed(partial(folders.add, [source])))
        os.sync()
        limits.append(_timed(partial(bare, number)))
    return min(ours), min(limits)


def _ratio(name: str, value: float, limit: float, most: float) -> Figure:
    ratio, floor = value / limit, f"within {most:g} times"
    return Figure(name=name, value=value, unit="s", limit=limit, ratio=ratio, floor=floor, holds=ratio <= most)


def _seconds(name: str, value: float, limit: float) -> Figure:
    floor = f"within {AGAIN_SECONDS:g} s"
    ratio = value / limit
    return Figure(name=name, value=value, unit="s", limit=limit, ratio=ratio, floor=floor, holds=value <= AGAIN_SECONDS)
