"""Runs of event files as runs here: every point, parameters, texts, pictures, sounds and histograms."""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from heptad.core import graph
from heptad.core.errors import InputError
from heptad.core.records import Attribute, Change, Id, NewEvent, Record, Scalar, Segment
from heptad.core.store import at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.beginning import flat
from heptad.experiments.event_files.events import Ended, File, Histogram, Item, LeftOut, Params, Point, Text
from heptad.experiments.event_files.folders import EventRun, event_runs
from heptad.experiments.journal.journal import check_names
from heptad.experiments.naming import experiment_named
from heptad.experiments.records import Run

FOLDER: Final = "tensorboard"
"""Where the files of an imported run are among its artifacts."""
TEXTS, HISTOGRAMS, FILES = (f"{FOLDER}/{name}.parquet" for name in ("texts", "histograms", "files"))
_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    TEXTS: {"tag": pl.String, "step": pl.Int64, "time": pl.Float64, "text": pl.String},
    HISTOGRAMS: {
        "tag": pl.String,
        "step": pl.Int64,
        "time": pl.Float64,
        "lefts": pl.List(pl.Float64),
        "rights": pl.List(pl.Float64),
        "counts": pl.List(pl.Float64),
    },
    FILES: {"tag": pl.String, "step": pl.Int64, "time": pl.Float64, "number": pl.Int64, "path": pl.String},
}
_POINTS: Final = 200_000
_BYTES: Final = 32 << 20
"""Points, and bytes of files, that are held before they go to the store."""
_LATEST: Final = 253_402_300_800.0
"""The end of the year 9999: a time behind it, as damage may leave it, is none."""


class ImportedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one run."""

    run: Id
    """Empty where it was only counted."""
    name: str
    points: int
    series: int
    texts: int
    files: int
    histograms: int
    params: int
    left_out: dict[str, int]
    """What has no place in a run here, and how often it was met."""
    new_points: int
    """Those that were not here before."""


def import_event_files(
    workspace: Workspace, folder: Path, experiment: str = "", *, count_only: bool = False
) -> Iterator[ImportedRun]:
    """Take over every run in a folder and below it, one after the other, into an experiment (default: the project's).

    Done again, it adds what is new; interrupted anywhere, it goes on. With `count_only` nothing is written. Raises
    `InputError` where there are no event files, and where a series is not what was imported before; `IntegrityError`
    naming the place where a file is damaged.
    """
    runs = event_runs(folder)
    if not count_only:
        experiment = experiment or workspace.name
        scope = experiment_named(workspace, experiment).body.scope
    for found in runs:
        target = None if count_only else _begin(workspace, found, experiment, scope)
        yield _Import(workspace, target).take(found)


def _begin(workspace: Workspace, found: EventRun, experiment: str, scope: str) -> Record[Run]:
    began = found.began()
    if not 0 < began < _LATEST:
        began = at_seconds(workspace.clock.now())
    body = Run(name=found.name, experiment=experiment)
    return graph.save(
        workspace,
        body,
        scope=scope,
        # The same run wherever its folder lies now, and from whichever folder above it is imported.
        key=(FOLDER, found.folder.resolve().name, found.files[0].name, began),
        attributes={"status": "running", "name": found.name, "started": began, "tags.source": FOLDER},
        event="experiments.run_started",
        event_body={"name": found.name},
    )


class _Import:
    """Takes the items of one run to the store, in parts."""

    def __init__(self, workspace: Workspace, run: Record[Run] | None) -> None:
        self._workspace = workspace
        self._run = run
        self._columns: dict[str, tuple[list[int], list[float], list[float]]] = {}
        self._known: dict[str, Segment] = {}
        self._lengths: Counter[str] = Counter()
        self._held = self._bytes = self._new = 0
        self._latest: dict[str, float] = {}
        self._rows: dict[str, list[tuple[Any, ...]]] = {TEXTS: [], HISTOGRAMS: [], FILES: []}
        self._files: dict[str, bytes] = {}
        self._values: dict[str, Scalar] = {}
        self._artifacts: dict[str, str] = {}
        self._paths: set[str] = set()
        self._left: Counter[str] = Counter()
        self._ended: Ended | None = None
        self._last = 0.0

    def take(self, found: EventRun) -> ImportedRun:
        for item in found.items():
            _TAKEN[type(item)](self, item)
            if not isinstance(item, LeftOut) and item.time < _LATEST:
                self._last = max(self._last, item.time)
        self._append()
        self._put()
        if self._run is not None:
            self._finish(self._run)
        return ImportedRun(
            run=self._run.id if self._run else "",
            name=found.name,
            points=sum(self._lengths.values()),
            series=len(self._lengths),
            texts=len(self._rows[TEXTS]),
            files=len(self._rows[FILES]),
            histograms=len(self._rows[HISTOGRAMS]),
            params=sum(key.startswith("params.") for key in self._values),
            left_out=dict(sorted(self._left.items())),
            new_points=self._new,
        )

    def point(self, one: Point) -> None:
        if one.tag not in self._columns:
            try:
                check_names([one.tag])
            except InputError:
                self._left["metric without a usable name"] += 1
                return
            self._columns[one.tag] = ([], [], [])
        steps, values, times = self._columns[one.tag]
        steps.append(one.step)
        values.append(one.value)
        times.append(one.time)
        self._latest[one.tag] = one.value
        self._held += 1
        if self._held >= _POINTS:
            self._append()

    def row(self, one: Text | Histogram) -> None:
        self._rows[TEXTS if isinstance(one, Text) else HISTOGRAMS].append(tuple(one))

    def file(self, one: File) -> None:
        stem = re.sub(r"\W+", "-", one.tag).strip("-")[:100] or "file"
        again = f"-{one.number}" if one.number else ""
        path = f"{FOLDER}/{stem}-{one.step}{again}.{one.ending}"
        while path in self._paths:
            path = f"{path.removesuffix(f'.{one.ending}')}+.{one.ending}"
        self._paths.add(path)
        self._rows[FILES].append((one.tag, one.step, one.time, one.number, path))
        self._files[path] = one.content
        self._bytes += len(one.content)
        if self._bytes >= _BYTES:
            self._put()

    def params(self, one: Params) -> None:
        self._values |= flat("params", one.values) | {f"tags.{name}": value for name, value in one.tags.items()}

    def ended(self, one: Ended) -> None:
        self._ended = one

    def left_out(self, one: LeftOut) -> None:
        self._left[one.what] += 1

    def _append(self) -> None:
        """Take the points that are held to the store, behind those of each series that went before."""
        segments = []
        for tag, (steps, values, times) in self._columns.items():
            first = self._lengths[tag]
            self._lengths[tag] += len(steps)
            if self._run is None or not steps:
                continue
            if tag not in self._known:
                self._known[tag] = self._workspace.store.read(self._run.id, tag)
            one = Segment(record=self._run.id, key=tag, first=first, steps=steps, values=values, times=times)
            _refuse_other(one, self._known[tag])
            self._new += max(0, self._lengths[tag] - max(first, len(self._known[tag].steps)))
            segments.append(one)
        if segments:
            self._workspace.store.append(segments)
        self._columns = {tag: ([], [], []) for tag in self._columns}
        self._held = 0

    def _put(self) -> None:
        if self._run is not None and self._files:
            digests = self._workspace.blobs.put_many(self._files.values())
            self._artifacts |= {f"artifacts.{path}": digest for path, digest in zip(self._files, digests, strict=True)}
        self._files, self._bytes = {}, 0

    def _finish(self, run: Record[Run]) -> None:
        tables = {path: _parquet(rows, _SCHEMAS[path]) for path, rows in self._rows.items() if rows}
        self._files = tables
        self._put()
        ended = self._ended or Ended(self._last, "finished")
        wanted: Mapping[str, Scalar] = {
            **self._values,
            **{f"metrics.{tag}": value for tag, value in self._latest.items()},
            **self._artifacts,
            "status": ended.status,
            "ended": ended.time,
        }
        changed = {key: value for key, value in wanted.items() if not _same(run.attributes.get(key), value)}
        if changed:
            self._workspace.store.write(
                Change(
                    attributes=[Attribute(run.id, key, value) for key, value in changed.items()],
                    events=[NewEvent(kind="experiments.run_finished", subject=run.id, body={"status": ended.status})],
                    at=self._workspace.clock.now(),
                )
            )


_TAKEN: Final[dict[type[Item], Callable[[_Import, Any], None]]] = {
    Point: _Import.point,
    Text: _Import.row,
    Histogram: _Import.row,
    File: _Import.file,
    Params: _Import.params,
    Ended: _Import.ended,
    LeftOut: _Import.left_out,
}


def _refuse_other(one: Segment, known: Segment) -> None:
    """Points go by their index, so those that are here already have to be the ones that come again."""
    for was, now in ((known.steps, one.steps), (known.times, one.times), (known.values, one.values)):
        there = list(was)[one.first :]
        if not all(map(_same, there, now)):
            raise InputError(
                f"The series {one.key!r} of run {one.record} is not the one that was imported before.",
                remedy="Import the folder into another experiment; what was imported stays as it is.",
            )


def _same(was: Scalar, now: Scalar) -> bool:
    both_nan = was != was and now != now  # noqa: PLR0124 - NaN is not itself
    return both_nan or (was == now and type(was) is type(now))


def _parquet(rows: Sequence[tuple[Any, ...]], schema: Mapping[str, Any]) -> bytes:
    stream = io.BytesIO()
    pl.DataFrame(rows, schema=dict(schema), orient="row").write_parquet(stream)
    return stream.getvalue()
