"""What a worker holds in memory: the models of one generation, swapped for the next while requests go on."""

import logging
import os
import threading
from dataclasses import dataclass

import msgspec

from heptad.core.errors import HeptadError, UnavailableError
from heptad.data import RowCleaner
from heptad.release import open_package
from heptad.serving.codecs import reply_head
from heptad.serving.messages import RouteInfo
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
    cleaner: RowCleaner | None
    rules: bytes
    """What the cleaner does; equal for versions that clean alike."""
    names: frozenset[str]
    """What a row may hold: the inputs, and columns that only rules look at."""
    inputs: msgspec.Raw
    """(name, type) of each input, as the journal stores them."""


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
    reply_head: bytes
    """How every reply of this generation begins."""
    trusted: frozenset[str]
    """Keys, in hexadecimal, one of which signed each package."""

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
        self._warned = ""
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
            except UnavailableError as error:
                self._warn(f"generation {generation} cannot be opened now: {error.problem}")
                continue  # it is tried again in a moment
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, what is served must stay served
                self._refused[generation] = error.problem if isinstance(error, HeptadError) else repr(error)
                _log.error("generation %d is refused: %s", generation, error)
                continue
            served = generation
            _log.info("generation %d is served", generation)
            break
        self._report(served)

    def watch(self, stop: threading.Event) -> None:
        """Refresh until `stop` is set. What cannot be read or reported now, as on a full disk, is tried again."""
        while not stop.wait(WATCH_SECONDS):
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001 - if this thread ended, no deployment would reach the worker
                problem = error.problem if isinstance(error, HeptadError) else repr(error)
                self._warn(f"the serve folder could not be looked at: {problem}")

    def _warn(self, problem: str) -> None:
        """Log what is wrong, once and not at every look."""
        if problem != self._warned:
            _log.warning("%s", problem)
        self._warned = problem

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
    trusted = frozenset(published.trusted)
    keys = [bytes.fromhex(key) for key in published.trusted]
    # What a key signed that is trusted no more has to be verified again, and will be refused.
    kept = before.versions if before and before.trusted == trusted else {}
    versions = {}
    for route in published.routes:
        known = kept.get(route.version)
        versions[route.version] = known or _open(folder, route.label, route.package, keys)
    inputs = [version.names for version in versions.values()]
    return Snapshot(
        endpoint=published.endpoint,
        generation=published.generation,
        routing=Routing(published.routes),
        versions=versions,
        columns=frozenset().union(*inputs),
        is_uniform=all(names == inputs[0] for names in inputs),
        reply_head=reply_head(published.endpoint, published.generation),
        trusted=trusted,
    )


def _open(folder: ServeFolder, label: str, digest: str, trusted: list[bytes]) -> Loaded:
    package = open_package(folder.package(digest), trusted)
    inputs = package.signature.inputs
    cleaner = package.cleaner
    return Loaded(
        label=label,
        model=package.model,
        signature=package.signature,
        cleaner=cleaner,
        rules=msgspec.json.encode(cleaner.rules) if cleaner else b"",
        names=frozenset(one.name for one in inputs) | (cleaner.names if cleaner else frozenset()),
        inputs=msgspec.Raw(msgspec.msgpack.encode([(one.name, one.type) for one in inputs])),
    )
