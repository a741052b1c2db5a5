"""Everything a workspace holds, written in open formats: JSON lines, Parquet, ONNX, zip."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import polars as pl

from heptad.core import events, graph
from heptad.core.errors import InputError
from heptad.core.files import make_folder, write_atomically, writing
from heptad.core.query import Query
from heptad.core.records import RawRecord, digest_of
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion
from heptad.experiments import Run
from heptad.release import ModelVersion
from heptad.training import Candidate

Progress: TypeAlias = Callable[[str, float], None]
"""Told what is being written, and which share of all is done, 0 to 1."""

_PAGE = 1000
_METRICS, _ATTACHED = "metrics.", "artifacts."


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written; `files` maps each path inside the folder to its bytes and its BLAKE3 digest."""

    folder: str
    records: dict[str, int]
    links: int
    events: int
    points: int
    tables: dict[str, int]
    models: int
    files: dict[str, tuple[int, str]]


def export_workspace(workspace: Workspace, folder: Path, on_progress: Progress = lambda _what, _share: None) -> Exported:
    """Write all of a workspace into an empty folder; the workspace is only read.

    `records/KIND.jsonl` holds each record with its attributes and aliases, `links.jsonl`, `events.jsonl` (the chain,
    digests included), `metrics.parquet` every point of every series; `data/NAME-VERSION.parquet` the rows of each data
    version, `tables/NAME.parquet` the predictions, labels and quarantine; `models/` each candidate's ONNX graph with
    what belongs to it, `packages/` the signed packages, `attachments/` what runs attached. `manifest.json`, written
    last, names every file with its digest. Answers not yet collected from the servers' journals are not in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty.", remedy="export into a folder that does not exist yet")
    make_folder(folder)
    parts = [_Records, _Links, _Events, _Metrics, _Versions, _Tables, _Models]
    return Export(workspace, folder, on_progress).write()
