"""What a worker holds in memory: the models of one generation, swapped for the next while requests go on."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgspec

from heptad.core.errors import HeptadError, UnavailableError, WorkspaceError
from heptad.release import open_package
from heptad.serving.messages import RouteInfo, Row
from heptad.serving.routing import Routing
from heptad.serving.snapshot import Published, ServeFolder, Worker
from heptad.training import OnnxModel, Signature

WATCH_SECONDS = 0.05
"""How often a worker looks for a newer generation."""

_log = logging.getLogger("heptad.serving")


@dataclass(frozen=True)
class Loaded:
    """One version in memory, with what a request would otherwise work out again each time."""

    label: str
    model: OnnxModel
    signature: Signature
    names: frozenset[str]
    inputs: msgspec.Raw
    """(name, type) of each input, as the journal stores them."""
    values_of: Callable[[Row], tuple[Any, ...]]
    """The cells of a row in the order of the inputs."""


@dataclass(frozen=True)
class Snapshot:
    """All that is needed to answer with one generation; never changed, so a request that began with it ends with it."""

    endpoint: str
    generation: int
    routing: Routing
    versions: dict[str, Loaded]
    """By the id of the model version."""
    columns: frozenset[str]
    """What a row may hold: the inputs of any of the versions."""
    is_uniform: bool
    """Whether all versions take the same inputs."""

    def live(self) -> Loaded:
        return next(self.versions[one.version] for one in self.routing.answering if one.role == "live")

    def describe(self) -> list[RouteInfo]:
        routes = [*self.routing.answering, *self.routing.shadows]
        return [RouteInfo(version=one.label, role=one.role, share=one.share) for one in routes]


class Runtime:
    """Keeps the newest generation that opens ready to answer. `refresh` and `watch` belong to one thread."""

    def __init__(self, folder: ServeFolder) -> None:
        self._folder = folder
        self._name = folder.enlist()
        self._snapshot: Snapshot | None = None
        self._refused: dict[int, str] = {}
        self._reported: Worker | None = None
        self.state = Worker(pid=os.getpid(), server=os.getppid())

    def snapshot(self) -> Snapshot:
        """The generation in force; raises `UnavailableError` where none could be opened yet."""
        if self._snapshot is None:
            raise UnavailableError(
                self.state.refused or "Nothing is deployed here yet.",
                remedy="deploy a version, for example by `heptad release promote`",
            )
        return self._snapshot

    def refresh(self) -> None:
        """Serve the newest generation that opens, and report it; one that was refused is not tried again."""
        served = self.state.generation
        newer = [one for one in self._folder.generations() if one > served and one not in self._refused]
        for generation in newer:
            try:
                self._snapshot = load(self._folder, self._folder.read(generation), self._snapshot)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, what is served must stay served
                self._refused[generation] = error.problem if isinstance(error, HeptadError) else repr(error)
                _log.error("generation %d is refused: %s", generation, error)
                continue
            served = generation
            _log.info("generation %d is served", generation)
            break
        self._report(served)

    def watch(self, stop: threading.Event) -> None:
        """Refresh until `stop` is set; what cannot be reported, as on a full disk, is reported when it can."""
        while not stop.wait(WATCH_SECONDS):
            try:
                self.refresh()
            except WorkspaceError as error:
                _log.warning("what is served could not be reported: %s", error.problem)

    def _report(self, served: int) -> None:
        refused = max((one for one in self._refused if one > served), default=0)
        self.state = msgspec.structs.replace(
            self.state, generation=served, refused_generation=refused, refused=self._refused.get(refused, "")
        )
        if self._reported != self.state:
            self._folder.report(self._name, self.state)
            self._reported = self.state


def load(folder: ServeFolder, published: Published, before: Snapshot | None) -> Snapshot:
    """Open every package of a generation; what the one before has open is taken over.

    Opening replays a package's golden rows, so its model is warm. Raises `IntegrityError`.
    """
    trusted = [bytes.fromhex(key) for key in published.trusted]
    kept = before.versions if before else {}
    versions = {}
    for route in published.routes:
        known = kept.get(route.version)
        versions[route.version] = known or _open(folder, route.label, route.package, trusted)
    inputs = [version.names for version in versions.values()]
    return Snapshot(
        endpoint=published.endpoint,
        generation=published.generation,
        routing=Routing(published.routes),
        versions=versions,
        columns=frozenset().union(*inputs),
        is_uniform=all(names == inputs[0] for names in inputs),
    )


def _open(folder: ServeFolder, label: str, digest: str, trusted: list[bytes]) -> Loaded:
    package = open_package(folder.package(digest), trusted)
    inputs = package.signature.inputs
    names = [one.name for one in inputs]
    # `itemgetter` of one name answers the bare cell.
    values_of: Callable[[Row], tuple[Any, ...]] = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)
    return Loaded(
        label=label,
        model=package.model,
        signature=package.signature,
        names=frozenset(names),
        inputs=msgspec.Raw(msgspec.msgpack.encode([(one.name, one.type) for one in inputs])),
        values_of=values_of,
    )
