"""Everything a workspace holds, written in open formats: JSON lines, Parquet, ONNX, zip."""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec
import polars as pl
from blake3 import blake3

from heptad.core import events
from heptad.core.errors import InputError
from heptad.core.files import make_folder, write_atomically, writing
from heptad.core.graph import typed
from heptad.core.query import Query
from heptad.core.records import Body, RawRecord
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion, as_it_is, collecting, rows_of, scan_table, with_rows
from heptad.experiments import LoggedModel, Run
from heptad.release import ModelVersion
from heptad.serving import Serving
from heptad.training import Candidate

Progress: TypeAlias = Callable[[str, float], None]
"""Told what is being written, and which share of all is done, 0 to 1."""

PAGE = 1000
POINTS_OF_A_FILE = 1_000_000
MANIFEST = "manifest.json"
_METRICS, _ATTACHED = "metrics.", "artifacts."
_POINT = {"run": pl.String, "metric": pl.String, "step": pl.Int64, "value": pl.Float64, "time": pl.Float64}


class File(msgspec.Struct, frozen=True):
    """One exported file."""

    bytes: int
    blake3: str


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: how many of each, and every file with its digest. `manifest.json` holds the same."""

    records: dict[str, int]
    links: int
    events: int
    points: int
    data_versions: int
    models: int
    packages: int
    files: dict[str, File]


def export_workspace(
    workspace: Workspace, serving: Serving | None, folder: Path, on_progress: Progress = lambda _what, _share: None
) -> Exported:
    """Write everything into a new folder; the workspace is only read. `serving` is `None` where nothing is served.

    `records/KIND.jsonl`: each record with its attributes and aliases; `links.jsonl`; `events.jsonl`: the chain with
    its digests; `metrics/*.parquet`: every point of every series. `data/NAME-VERSION.parquet`: the rows of each data
    version; `tables/NAME.parquet`: predictions, labels, quarantine. `models/CANDIDATE/`: the ONNX graph and what
    belongs to it; `packages/`: the signed packages; `attachments/RUN/`: what runs attached. `manifest.json` is
    written last, so a folder without it is not complete. Raises `InputError` where the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already.", remedy="export into a folder that does not exist yet")
    # What is pruned or erased meanwhile could not be written; collections go on.
    with writing(folder), collecting(workspace):
        return _Export(workspace, serving, folder, on_progress).write()


class _Export:
    """One export under way."""

    def __init__(self, workspace: Workspace, serving: Serving | None, folder: Path, tell: Progress) -> None:
        self._workspace = workspace
        self._serving = serving
        self._folder = folder
        self._tell = tell

    def write(self) -> Exported:
        self._tell("records", 0.0)
        records, links = self._records()
        self._tell("events", 0.2)
        count = self._lines("events.jsonl", events.walk(self._workspace.store))
        self._tell("metrics", 0.25)
        points = self._metrics()
        self._tell("data", 0.35)
        versions = self._data()
        self._tables({version.table for version in versions})
        self._tell("models", 0.8)
        models, packages = self._models(), self._packages()
        self._attachments()
        self._tell("digests", 0.95)
        exported = Exported(
            records=dict(sorted(records.items())),
            links=links,
            events=count,
            points=points,
            data_versions=len(versions),
            models=models,
            packages=packages,
            files=self._files(),
        )
        write_atomically(self._folder / MANIFEST, msgspec.json.format(msgspec.json.encode(exported), indent=2))
        self._tell("done", 1.0)
        return exported

    def _records(self) -> tuple[Counter[str], int]:
        """Records by kind, and the links of all of them; answers how many of each."""
        counts: Counter[str] = Counter()
        links = 0
        with ExitStack() as stack:
            files: dict[str, BinaryIO] = {}
            linked = stack.enter_context(self._new("links.jsonl").open("wb"))
            for page in self._pages(""):
                for record in page:
                    if record.kind not in files:
                        files[record.kind] = stack.enter_context(self._new(f"records/{record.kind}.jsonl").open("wb"))
                    files[record.kind].write(_line(record))
                    counts[record.kind] += 1
                found = self._workspace.store.trace([record.id for record in page], "out")
                linked.writelines(map(_line, found))
                links += len(found)
        return counts, links

    def _metrics(self) -> int:
        """Every series in files of about a million points; answers the number of points."""
        total = 0
        for number, frame in enumerate(_grouped(self._series(), POINTS_OF_A_FILE)):
            frame.write_parquet(self._new(f"metrics/{number:05d}.parquet"))
            total += frame.height
        return total

    def _series(self) -> Iterator[pl.DataFrame]:
        # A run that was cut off has no latest values, which would name its series: those that others have are tried.
        names = {name for run in self._each(Run) for name in _series_of(run)}
        for run in self._each(Run):
            for name in sorted(_series_of(run) if "ended" in run.attributes else names):
                segment = self._workspace.store.read(run.id, name)
                columns = [[run.id] * len(segment.values), [name] * len(segment.values)]
                yield pl.DataFrame(
                    [*columns, list(segment.steps), list(segment.values), list(segment.times)], schema=_POINT
                )

    def _data(self) -> list[DatasetVersion]:
        """The rows of every data version that has them, as they are in its Delta table."""
        recorded = with_rows(typed(record, DatasetVersion) for record in self._each(DatasetVersion))
        versions = [as_it_is(self._workspace, one) for one in recorded]
        for place, body in enumerate(versions):
            self._tell(f"data {body.name}@{body.version}", 0.35 + 0.3 * place / len(versions))
            rows = rows_of(self._workspace, body)
            rows.sink_parquet(self._new(f"data/{body.name}-{body.version}.parquet"))
        return versions

    def _tables(self, of_versions: set[str]) -> None:
        """The tables that are no data versions; predictions also from journals that were not collected yet."""
        logs = sorted(path.parent for path in self._workspace.tables.glob("*/_delta_log"))
        for table in logs:
            if table.name not in {*of_versions, "predictions"}:
                self._tell(table.name, 0.65)
                scan_table(table).sink_parquet(self._new(f"tables/{table.name}.parquet"))
        if self._serving is not None and self._serving.current() is not None:
            self._tell("predictions", 0.7)
            self._serving.predictions().sink_parquet(self._new("tables/predictions.parquet"))

    def _models(self) -> int:
        count = 0
        for record in self._each(Candidate):
            body = typed(record, Candidate).body
            place = f"models/{record.id}"
            self._artifact(body.model, f"{place}/model.onnx")
            self._artifact(body.profile, f"{place}/profile.json")
            self._artifact(body.environment, f"{place}/environment.json")
            self._new(f"{place}/signature.json").write_bytes(msgspec.json.encode(body.signature))
            for name, digest in (("background", body.background), ("scores", body.scores)):
                frame = pl.read_ipc(io.BytesIO(self._workspace.blobs.get(digest)))
                frame.write_parquet(self._new(f"{place}/{name}.parquet"))
            count += 1
        return count

    def _packages(self) -> int:
        versions = [typed(record, ModelVersion).body for record in self._each(ModelVersion)]
        versions = [body for body in versions if body.origin == "heptad"]
        for body in versions:
            self._artifact(body.package, f"packages/{body.name}-{body.version}.zip")
        return len(versions)

    def _attachments(self) -> None:
        """Numbered, since a script may call an attachment what cannot be a file's name; the run's record names both."""
        for run in (*self._each(Run), *self._each(LoggedModel)):
            attached = sorted((key, value) for key, value in run.attributes.items() if key.startswith(_ATTACHED))
            for number, (_, digest) in enumerate(attached):
                self._artifact(str(digest), f"attachments/{run.id}/{number:03d}")

    def _each(self, kind: type[Body]) -> Iterator[RawRecord]:
        return (record for page in self._pages(kind.kind) for record in page)

    def _pages(self, kind: str) -> Iterator[list[RawRecord]]:
        after = None
        while True:
            page = self._workspace.store.find(Query(kind=kind), after, PAGE)
            yield list(page.items)
            after = page.after
            if after is None:
                return

    def _artifact(self, digest: str, name: str) -> None:
        with self._workspace.blobs.open(digest) as source, self._new(name).open("wb") as target:
            while part := source.read(1 << 20):
                target.write(part)

    def _lines(self, name: str, values: Iterable[Any]) -> int:
        count = 0
        with self._new(name).open("wb") as file:
            for value in values:
                file.write(_line(value))
                count += 1
        return count

    def _new(self, name: str) -> Path:
        path = self._folder / name
        make_folder(path.parent)
        return path

    def _files(self) -> dict[str, File]:
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file())
        return {
            path.relative_to(self._folder).as_posix(): File(path.stat().st_size, blake3().update_mmap(path).hexdigest())
            for path in paths
        }


def _series_of(run: RawRecord) -> set[str]:
    return {name.removeprefix(_METRICS) for name in run.attributes if name.startswith(_METRICS)}


def _grouped(frames: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The frames joined into such of about so many rows."""
    waiting: list[pl.DataFrame] = []
    held = 0
    for frame in frames:
        waiting.append(frame)
        held += frame.height
        if held >= rows:
            yield pl.concat(waiting)
            waiting, held = [], 0
    if waiting:
        yield pl.concat(waiting)


def _line(value: Any) -> bytes:
    return msgspec.json.encode(value) + b"\n"
