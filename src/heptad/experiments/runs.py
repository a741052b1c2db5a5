"""A run while it happens: what is logged goes to a local journal at once, and to the store in the background."""

import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import msgspec

from heptad.core import catalogue
from heptad.core.errors import InputError
from heptad.core.identity import current_actor
from heptad.core.records import Id, Scalar, canonical_json, digest_of
from heptad.core.sql_values import name as stored_name
from heptad.core.sql_values import to_columns
from heptad.core.store import at_seconds
from heptad.experiments.beginning import checked_params, flat
from heptad.experiments.journal.checking import check_seconds, check_text
from heptad.experiments.journal.entries import Update, series_key
from heptad.experiments.journal.journal import MAIN, Journal
from heptad.experiments.journal.memory import MemoryJournal
from heptad.experiments.journal.shipper import Live, ship_leftovers, shipper
from heptad.experiments.journal.target import RunTarget
from heptad.experiments.logged import FileNames, artifact_key, figure_bytes, image_bytes, number, whole_step
from heptad.experiments.records import Status
from heptad.experiments.scrubbing import scrub, scrub_values
from heptad.experiments.signatures import ModelSignature, WrittenModel, signature_files
from heptad.experiments.tables import table_bytes

_log = logging.getLogger("heptad")


class ActiveRun:
    """A run that is going on: log to it, then finish it, or use it as a context manager.

    What a call logged survives `kill -9` of the process when the call returns, and a power cut a tenth of a second
    later. A thread ships it to the store twice a second; a store that is away or slow delays nothing but that, and
    what could not be shipped while the process lived is shipped by the next run here, or by `heptad experiments ship`.
    On a full disk the training goes on: what is lost is counted, said on standard error, and recorded as `lost`.

    Leaving the context through an exception finishes the run as `failed` with the reason, through `KeyboardInterrupt`
    as `killed`. Safe to use from many threads; a forked process logs to the same run under a mark of its own.

    With `again`, whoever is cut off begins the run from its start: what it logs is in memory until it is shipped.
    """

    def __init__(
        self,
        run: Id,
        root: Path,
        target: Callable[[], RunTarget],
        now: Callable[[], float],
        *,
        writer: str = MAIN,
        again: bool = False,
        starts: Mapping[str, int] | None = None,
        start_child: "Callable[..., ActiveRun] | None" = None,
    ) -> None:
        self.id = run
        self.ending: list[Callable[[], None]] = []
        """Called when the run is about to end and can still be logged to: hooks keep their models then."""
        self.closing: list[Callable[[], None]] = []
        """Called after `ending`, to stop what watches the process for the run."""
        self.journal: Journal | MemoryJournal = (
            MemoryJournal(run, target) if again else Journal.create(root, run, writer, starts)
        )
        self.live = Live(self.journal, target, now)
        self.root, self._target, self._now, self._start_child = root, target, now, start_child
        self._names = FileNames()
        self._finished = False
        self.forked = False
        """In a child that was forked off the process that began the run, until it logs something itself."""
        self.has_forked = False
        self._is_child = False
        self._guard = threading.Lock()
        shipper().add(self.live)
        _runs.add(self)

    def log(
        self,
        values: Mapping[str, float] | int | None = None,
        /,
        step: int | None = None,
        *,
        time: float | datetime | None = None,
        context: Mapping[str, Scalar] | None = None,
        **metrics: float,
    ) -> None:
        """Add a point to each metric's series; without `step` each series counts its own points from 0.

        `run.log(loss=0.5)`, `run.log(3, loss=0.5)`, or `run.log({"val/loss": 0.5}, step=3)`. With a `context` the
        points go to the series `NAME[KEY=VALUE]`. `time` is when it was measured, if not now.
        """
        if values is not None:
            if isinstance(values, Mapping):
                metrics = {**values, **metrics}
            else:
                step = values
        if context is not None:
            metrics = {series_key(name, context): value for name, value in metrics.items()}
        for value in metrics.values():
            if type(value) is not float:
                metrics = {name: number(name, one) for name, one in metrics.items()}
                break
        if step is not None:
            step = whole_step(step)
        if self._finished or self.forked:
            self._require_open()
        journal = self.journal
        journal.check(metrics)
        if metrics:
            journal.add_points(metrics, step, self._now() if time is None else _seconds(time))

    def set_params(self, /, **params: Any) -> None:
        """Parameters that became known after the start; nested ones are joined by dots, secrets are `***`."""
        self._change(flat("params", scrub_values(params)))

    def tag(self, /, **tags: Scalar) -> None:
        """Words and numbers beside the run; the latest value of a tag wins."""
        self._change({f"tags.{name}": value for name, value in tags.items()})

    def note(self, text: str) -> None:
        """What there is to say about the run, as Markdown; the latest note wins."""
        self._change({"note": text})

    def attach(self, path: str, content: bytes | Path) -> str:
        """Keep bytes, a file or a folder of files with the run, found as attributes `artifacts.PATH`.

        A path may be attached again, and the latest content counts; one that is a folder cannot be a file, too.
        The file may be changed or removed as soon as this returns. Answers the digest of the content; of a folder,
        that of its paths and digests.
        """
        self._require_open()
        if isinstance(content, bytes):
            found: dict[str, bytes | Path] = {path: content}
        elif not isinstance(content, Path):
            raise InputError(
                f"The content of {path!r} is a {type(content).__name__}.",
                allowed="bytes, or the Path of a file or folder",
                remedy="a file by its name: Path(name); a text: text.encode()",
            )
        elif content.is_dir():
            names = sorted(one.relative_to(content).as_posix() for one in content.rglob("*") if one.is_file())
            found = {f"{path}/{name}": content / name for name in names}
            if not found:
                raise InputError(f"The folder {content} holds no file.")
        elif content.is_file():
            found = {path: content}
        else:
            raise InputError(f"There is no file {content}.")
        keys = [artifact_key(one) for one in found]
        self._names.add(keys)
        files = dict(zip(keys, map(self._stage, found.values()), strict=True))
        kept = {name: digest for name, digest in files.items() if digest}
        if kept:
            self._add(Update(at=self._now(), files=kept, event="experiments.run_changed"))
        return files[keys[0]] if keys == [path] else digest_of(canonical_json(files))

    def figure(self, path: str, figure: Any) -> str:
        """Keep a figure of matplotlib, Altair or Plotly; `path` ends in png, svg, pdf, html or json, or in nothing."""
        return self.attach(*figure_bytes(path, figure))

    def table(self, path: str, table: Any) -> str:
        """Keep a table (Polars, pandas, columns by name or rows) as Parquet, or as CSV where `path` ends in .csv."""
        return self.attach(*table_bytes(path, table))

    def image(self, path: str, image: Any) -> str:
        """Keep an image as PNG: an array (height, width[, 1, 3 or 4]), bytes or numbers from 0 to 1; or Pillow's."""
        return self.attach(*image_bytes(path, image))

    def model(self, path: str, model: Any, signature: ModelSignature | None = None) -> None:
        """Keep a fitted model in the format of its library, in the folder `path` of the run, with its signature.

        The signature is what the model itself tells; `heptad.experiments.signature_of(inputs, outputs)` tells more.

        Raises `InputError` for a library that Heptad cannot write models of.
        """
        known = catalogue.known("model_writer")
        library = next(
            (root for kind in type(model).__mro__ if (root := kind.__module__.split(".", 1)[0]) in known), None
        )
        if library is None:
            raise InputError(
                f"A {type(model).__module__}.{type(model).__qualname__} is no model that can be kept.",
                allowed=", ".join(sorted(known)),
                remedy="write it to a file yourself and attach that",
            )
        written: WrittenModel = catalogue.find("model_writer", library)(model)
        signature = signature or written.signature
        described = signature_files(signature, self.id, path, self._now())
        for name, content in {**written.files, **described}.items():
            self.attach(f"{path}/{name}", content)
        words = {f"tags.signature.{path}": str(signature)} if described else {}
        self._change({f"tags.model.{path}": library, **words})

    def watch(self, library: str, *subjects: Any, **options: Any) -> Any:
        """Follow a training of `library`: answers what that library takes as a callback, or follows `subjects`.

        `lightgbm.train(..., callbacks=[run.watch("lightgbm")])`; the docs list every library.
        """
        self._require_open()
        return catalogue.find("tracker", library)(self, *subjects, **options)

    def child(self, name: str, params: Mapping[str, Any] | None = None, **options: Any) -> "ActiveRun":
        """Begin a run inside of this one, linked to it as its `parent`."""
        self._require_open()
        if self._start_child is None:
            raise InputError(f"Run {self.id} began while the store was away, so runs inside of it cannot begin yet.")
        return self._start_child(name, params=scrub_values(checked_params(params)), parent=self.id, **options)

    def finish(self, status: Status = "finished", reason: str = "", *, must_arrive: bool = False) -> None:
        """End the run and wait until all of it is in the store; a second call changes nothing.

        Where nothing arrives for ten seconds this says so and returns: what is missing is in the journal, and is
        shipped later. With `must_arrive` it raises `UnavailableError` instead. Any other error of the store is raised
        in either case, and the call may be repeated. `InputError` for what is no status.
        """
        if status not in get_args(Status):
            raise InputError(f"A run cannot end as {status!r}.", allowed=", ".join(get_args(Status)))
        if self.forked or self._is_child:
            return
        with self._guard:
            if not self._finished:
                self._close(status, reason)
        live = self.live
        if not live.shipment.ended:
            if must_arrive:
                live.last = True
                live.ship()
            else:
                shipper().settle(live)
        if live.shipment.ended:
            shipper().remove(live)
            if self.has_forked:
                ship_leftovers(self.root, self._target, self.id)
        elif live.error is not None and not live.may_recover:
            raise live.error
        else:
            live.tell("end", f"run {self.id} has ended; what has not reached the store yet is in {live.place}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self.finish(*outcome_of(error))
        return False

    def _close(self, status: Status, reason: str) -> None:
        for act in self.ending:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - what a hook wanted to add must not cost the run
                _log.warning("heptad: run %s: a hook failed at the end: %s: %s", self.id, type(error).__name__, error)
        for act in self.closing:
            act()
        ended: dict[str, Scalar] = {"status": status, "ended": self._now()}
        if reason:
            ended["reason"] = reason
        if self.journal.lost:
            ended["lost"] = self.journal.lost
        self._add(Update(at=self._now(), attributes=ended, event="experiments.run_finished", ends=True))
        self._finished = True

    def _change(self, attributes: Mapping[str, Scalar]) -> None:
        self._require_open()
        for key, value in attributes.items():
            if value is not None:
                check_text(key, value)
                to_columns(stored_name(key, "attribute key"), value)
        self._add(Update(at=self._now(), attributes=dict(attributes), event="experiments.run_changed"))

    def _add(self, update: Update) -> None:
        self.journal.add(msgspec.structs.replace(update, actor=current_actor()))

    def _stage(self, content: bytes | Path) -> str:
        if isinstance(content, bytes):
            return self.journal.stage(content)
        with content.open("rb") as file:
            return self.journal.stage(file)

    def _require_open(self) -> None:
        if self._finished:
            raise InputError(f"Run {self.id} is finished.", remedy="Start another run; a finished one stays as it is.")
        if self.forked:
            with self._guard:
                if self.forked:
                    writer = f"{os.getpid()}-{os.urandom(2).hex()}"
                    self.journal = Journal.create(self.root, self.id, writer)
                    shipper().keep_synced(self.journal)
                    self._is_child, self.forked = True, False


def outcome_of(error: BaseException | None) -> tuple[Status, str]:
    """How a run ends that is left by `error`, and why."""
    if error is None:
        return "finished", ""
    if isinstance(error, SystemExit) and not error.code:
        return "finished", ""
    if isinstance(error, Exception | SystemExit):
        return "failed", scrub(f"{type(error).__name__}: {error}".strip())
    return "killed", type(error).__name__


def _seconds(time: float | datetime) -> float:
    return check_seconds(at_seconds(time) if isinstance(time, datetime) else float(time))


_runs: "weakref.WeakSet[ActiveRun]" = weakref.WeakSet()


def _after_fork() -> None:
    """A forked child goes on under a mark of its own: two writers of one journal would count alike."""
    for run in list(_runs):
        run.forked = True


def _after_fork_in_parent() -> None:
    for run in list(_runs):
        run.has_forked = True


os.register_at_fork(after_in_child=_after_fork, after_in_parent=_after_fork_in_parent)
