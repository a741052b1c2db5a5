"""Where files of MLflow are on this machine: below the folders that the import was given, and nowhere else."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from heptad.experiments.mlflow_import.source import SourceFile

_PROXY = "mlflow-artifacts"
_KEPT = ("", "mlartifacts", "mlruns")
"""Folders in which MLflow's own server and client keep files, beside their database."""
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


class Places:
    """Finds files by the addresses that MLflow wrote, also where the folders have been moved since."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = [root.resolve() for root in roots]

    def files(self, address: str) -> Iterator[SourceFile] | None:
        """The files below an address; `None` where it is not on this machine, or not below the folders given."""
        folder = self._folder(address)
        return None if folder is None else _below(folder)

    def _folder(self, address: str) -> Path | None:
        parts = urlsplit(address)
        if parts.scheme not in {"", "file", _PROXY} and not _DRIVE.match(address):
            return None
        path = unquote(parts.path) if parts.scheme in {"file", _PROXY} else address
        candidates = [] if parts.scheme == _PROXY else [Path(path)]
        names = [one for one in path.split("/") if one]
        # The folder may have been moved: the end of the address still says where in it the files are.
        ends = ["/".join(names[-count:]) for count in range(min(len(names), 6), 1, -1)]
        candidates += [root / kept / end for end in ends for root in self._roots for kept in _KEPT]
        for one in candidates:
            found = one.resolve()
            if found.is_dir() and any(found.is_relative_to(root) for root in self._roots):
                return found
        # A run without files has no folder.
        return None


def _below(folder: Path) -> Iterator[SourceFile]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.resolve().is_relative_to(folder):
            yield SourceFile(path.relative_to(folder).as_posix(), path.stat().st_size, partial(_open, path))


def _open(path: Path) -> BinaryIO:
    return path.open("rb")
