"""A run while it happens: what is logged is buffered and written in bulk, so that logging never waits."""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from heptad.core.errors import InputError, UnavailableError
from heptad.core.records import Attribute, Change, Id, NewEvent, Scalar
from heptad.core.store import Segment, at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.records import Status

_FLUSH_SECONDS = 0.5
_FLUSH_POINTS = 10_000


class ActiveRun:
    """A run that is going on: log to it, then finish it, or use it as a context manager.

    `log` keeps points in memory and returns; a thread of the run's own writes them as segments every half a second.
    When `finish` has returned, everything is durable. Leaving the context through an exception finishes the run as
    `failed` with the reason, through `KeyboardInterrupt` as `killed`. Safe to use from many threads.
    """

    def __init__(self, workspace: Workspace, run: Id) -> None:
        self.id = run
        self._workspace = workspace
        self._series = _SeriesBuffer(workspace, run)
        self._attributes: dict[str, Scalar] = {}
        self._finished = False

    def log(self, step: int | None = None, **metrics: float) -> None:
        """Add a point to each metric's series; without `step` each series counts its own points from 0."""
        self._require_open()
        numbers = {name: _number(name, value) for name, value in metrics.items()}
        self._series.add(step, numbers, at_seconds(self._workspace.clock.now()))

    def set_params(self, **params: Any) -> None:
        """Parameters that became known after the start; nested ones are joined by dots."""
        self._require_open()
        self._write(flat("params", params))

    def tag(self, **tags: Scalar) -> None:
        """Notes beside the run; the latest value of a tag wins."""
        self._require_open()
        self._write({f"tags.{name}": value for name, value in tags.items()})

    def attach(self, name: str, content: bytes | Path) -> str:
        """Store bytes or a file as an artifact of the run, found as attribute `artifacts.NAME`; answers the digest."""
        self._require_open()
        digest = self._workspace.blobs.put(content)
        self._write({f"artifacts.{name}": digest})
        return digest

    def finish(self, status: Status = "finished", reason: str = "") -> None:
        """Write what is left, the latest value of each metric and the status; a second call changes nothing.

        Raises what writing raised; the run then still goes on, and can be finished again.
        """
        if self._finished:
            return
        latest = self._series.close()
        closing: dict[str, Scalar] = {f"metrics.{name}": value for name, value in latest.items()}
        closing |= {"status": status, "ended": at_seconds(self._workspace.clock.now())}
        if reason:
            closing["reason"] = reason
        self._workspace.store.write(
            Change(
                attributes=[Attribute(self.id, key, value) for key, value in closing.items()],
                events=[NewEvent(kind="experiments.run_finished", subject=self.id, body={"status": status})],
                at=self._workspace.clock.now(),
            )
        )
        self._finished = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if error is None:
            self.finish()
        elif isinstance(error, Exception):
            self.finish("failed", f"{type(error).__name__}: {error}")
        else:
            self.finish("killed", type(error).__name__)
        return False

    def _write(self, values: Mapping[str, Scalar]) -> None:
        self._workspace.store.write(
            Change(
                attributes=[Attribute(self.id, key, value) for key, value in values.items()],
                events=[NewEvent(kind="experiments.run_changed", subject=self.id, body=dict(values))],
                at=self._workspace.clock.now(),
            )
        )

    def _require_open(self) -> None:
        if self._finished:
            raise InputError(f"Run {self.id} is finished.", remedy="Start another run; a finished one stays as it is.")


class _SeriesBuffer:
    """Points waiting to be written, and the thread that writes them. Each point is written once, in order."""

    def __init__(self, workspace: Workspace, run: Id) -> None:
        self._store = workspace.store
        self._run = run
        self._lock = threading.Lock()
        self._waiting: dict[str, list[tuple[int, float, float]]] = {}
        self._written: dict[str, int] = {}
        self._latest: dict[str, float] = {}
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def add(self, step: int | None, metrics: Mapping[str, float], at: float) -> None:
        with self._lock:
            for name, value in metrics.items():
                points = self._waiting.setdefault(name, [])
                index = self._written.get(name, 0) + len(points)
                points.append((index if step is None else step, value, at))
                self._latest[name] = value
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_on, name=f"series of {self._run}", daemon=True)
                self._thread.start()
            if sum(map(len, self._waiting.values())) >= _FLUSH_POINTS:
                self._wake.set()

    def close(self) -> dict[str, float]:
        """Write everything, stop the thread, answer the latest values; raises what writing raised."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        self._flush()
        return self._latest

    def _write_on(self) -> None:
        while not self._closing:
            self._wake.wait(_FLUSH_SECONDS)
            self._wake.clear()
            try:
                self._flush()
            except UnavailableError:
                continue
            except Exception as error:  # noqa: BLE001 - finish() raises it in the thread of the caller
                self._error = error
                return

    def _flush(self) -> None:
        with self._lock:
            taken = {name: list(points) for name, points in self._waiting.items() if points}
        if not taken:
            return
        self._store.append([self._segment(name, points) for name, points in taken.items()])
        with self._lock:
            for name, points in taken.items():
                del self._waiting[name][: len(points)]
                self._written[name] = self._written.get(name, 0) + len(points)

    def _segment(self, name: str, points: Sequence[tuple[int, float, float]]) -> Segment:
        steps, values, times = zip(*points, strict=True)
        return Segment(
            record=self._run, key=name, first=self._written.get(name, 0), steps=steps, values=values, times=times
        )


def flat(prefix: str, values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Nested values as attributes: names joined by dots, lists as JSON, missing values left out.

    >>> flat("params", {"model": {"depth": 3}, "sizes": [8, 4], "note": None})
    {'params.model.depth': 3, 'params.sizes': '[8, 4]'}
    """
    attributes: dict[str, Scalar] = {}
    for name, value in values.items():
        key = f"{prefix}.{name}"
        if isinstance(value, Mapping):
            attributes |= flat(key, value)
        elif isinstance(value, str | int | float):
            attributes[key] = value
        elif value is not None:
            attributes[key] = json.dumps(value, default=str)
    return attributes


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"The metric {name} is {value!r}.", allowed="a number; text belongs in a tag") from None
