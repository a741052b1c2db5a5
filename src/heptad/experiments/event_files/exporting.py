"""Runs as event files, so that TensorBoard shows them: each in a folder of its own."""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from heptad.core.errors import InputError
from heptad.core.files import replacing
from heptad.core.records import Record, Scalar
from heptad.core.store import at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.event_files import encoding
from heptad.experiments.event_files.events import Ended, File, Histogram, Params, Point, Text
from heptad.experiments.event_files.folders import MARK
from heptad.experiments.event_files.framing import framed
from heptad.experiments.event_files.importing import FILES, FOLDER, HISTOGRAMS, TEXTS
from heptad.experiments.files import ATTACHED, files_of
from heptad.experiments.records import Run, Status

_AT_ONCE: Final = 50_000
"""Points of a series that are held at a time."""


def export_event_files(workspace: Workspace, runs: Sequence[Record[Run]], folder: Path) -> list[Path]:
    """Write each run as an event file below `folder`, in place of what was written of it before; answers the files.

    Every point comes with its step, its time and its value, of which other programs read 32 bits, as is usual there,
    and `import_event_files` all 64. Parameters, tags, status, note, PNG files and, of a run that was imported, its
    texts, pictures, sounds and histograms are written too. Raises `InputError` without a run.
    """
    if not runs:
        raise InputError("There is no run to write.", remedy="heptad experiments list, with the same --where")
    return [_write(workspace, run, folder) for run in runs]


def _write(workspace: Workspace, run: Record[Run], folder: Path) -> Path:
    name = re.sub(r"[^\w.=+-]+", "-", str(run.attributes.get("name") or run.body.name)).strip("-.")[:100]
    began = _number(run.attributes.get("started"), at_seconds(run.at))
    path = folder / f"{name or 'run'}-{run.id[-6:]}" / f"events.out.{MARK}.{max(int(began), 0):010}.heptad.{run.id}"
    with replacing(path) as temporary, temporary.open("wb") as file:
        for record in _records(workspace, run, began):
            file.write(framed(record))
    return path


def _records(workspace: Workspace, run: Record[Run], began: float) -> Iterator[bytes]:
    attributes = run.attributes
    yield encoding.opening(began)
    params, tags = (
        {key.removeprefix(kind): value for key, value in attributes.items() if key.startswith(kind)}
        for kind in ("params.", "tags.")
    )
    if params or tags:
        yield encoding.params(Params(began, params, tags))
    if note := attributes.get("note"):
        yield encoding.text(Text("note", 0, began, str(note)))
    for key in sorted(attributes):
        if key.startswith("metrics."):
            yield from _series(workspace, run, key.removeprefix("metrics."))
    yield from _kept(workspace, run, began)
    status = attributes.get("status")
    if status in _STATUS:
        yield encoding.ended(Ended(_number(attributes.get("ended"), began), _STATUS[status]))


_STATUS: Final[dict[Scalar, Status]] = {"finished": "finished", "failed": "failed", "killed": "killed"}


def _series(workspace: Workspace, run: Record[Run], key: str) -> Iterator[bytes]:
    start = 0
    while (one := workspace.store.read(run.id, key, start, start + _AT_ONCE)).steps:
        for step, time, value in zip(one.steps, one.times, one.values, strict=True):
            yield encoding.point(Point(key, step, time, value))
        start += len(one.steps)


def _kept(workspace: Workspace, run: Record[Run], began: float) -> Iterator[bytes]:
    """Texts, histograms, pictures and sounds: those that tables say the tag and the step of, then other pictures."""
    files = files_of(run)

    def rows(path: str) -> Iterator[dict[str, object]]:
        if path in files:
            yield from pl.read_parquet(io.BytesIO(workspace.blobs.get(files[path]))).iter_rows(named=True)

    yield from (encoding.text(Text(**row)) for row in rows(TEXTS))  # type: ignore[arg-type] # columns as written
    yield from (encoding.histogram(Histogram(**row)) for row in rows(HISTOGRAMS))  # type: ignore[arg-type]
    for row in rows(FILES):
        path = str(row.pop("path"))
        if path in files:
            content, ending = workspace.blobs.get(files[path]), path.rpartition(".")[2]
            yield encoding.file(File(content=content, ending=ending, **row))  # type: ignore[arg-type]
    for path, digest in files.items():
        if path.endswith(".png") and not path.startswith(f"{FOLDER}/"):
            tag = path.removeprefix(ATTACHED).removesuffix(".png")
            yield encoding.file(File(tag, 0, began, workspace.blobs.get(digest), "png"))


def _number(value: Scalar, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
