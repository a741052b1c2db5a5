"""The serve folder: all that a server needs to answer, published whole, so that it never asks the store."""

import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from heptad.core.errors import IntegrityError, UnavailableError
from heptad.core.files import locked, make_folder, write_atomically
from heptad.core.records import digest_of
from heptad.core.workspace import Workspace
from heptad.serving.locks import clear, hold, is_held
from heptad.serving.records import Route

FOLDER = "serving"
KEPT_GENERATIONS = 2
"""The newest, and the one to fall back to where it cannot be opened."""
_POLL_SECONDS = 0.005
_GENERATION = re.compile(r"\d{10}\.json")


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """One generation of an endpoint as a server reads it."""

    endpoint: str
    generation: int
    routes: list[Route]
    trusted: list[str]
    """Public keys, in hexadecimal, whose packages may be opened."""


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker says of itself. `refused` says why it does not serve `refused_generation`."""

    pid: int
    server: int
    """Process that started it."""
    generation: int = 0
    refused_generation: int = 0
    refused: str = ""


def serve_folder(workspace: Workspace) -> "ServeFolder":
    """The folder of the one endpoint of a project, which is called like it."""
    return ServeFolder(workspace.folder / FOLDER / workspace.name)


class ServeFolder:
    """A folder that one publisher writes and any number of workers watch.

    `generations/NUMBER.json` is written after the packages that it names, and whole, so a worker that sees a
    generation finds all of it. `workers/NAME.json` is what each worker answers; its lock file tells whether it lives.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path / "journal.db"
        self._generations = path / "generations"
        self._packages = path / "packages"
        self._workers = path / "workers"

    def publish(self, published: Published, package: Callable[[str], bytes]) -> None:
        """Make a generation visible. Repeating it completes what was cut off and heals a damaged package."""
        target, data = self._path_of(published.generation), msgspec.json.format(msgspec.json.encode(published))
        packages = {route.package for route in published.routes}
        if self._is_there(target, data) and all(map(self._is_whole, packages)):
            return
        # One at a time: else the packages of a generation that is not named yet would be forgotten as not needed.
        make_folder(self.path)
        with locked(self.path / "publish.lock"):
            for digest in packages:
                if not self._is_whole(digest):
                    write_atomically(self._packages / digest, package(digest))
            if not self._is_there(target, data):
                write_atomically(target, data)
            self._forget_old()

    def _is_there(self, target: Path, data: bytes) -> bool:
        return target.exists() and target.read_bytes() == data

    def _is_whole(self, digest: str) -> bool:
        path = self._packages / digest
        return path.exists() and digest_of(path.read_bytes()) == digest

    def generations(self) -> list[int]:
        """The numbers that are there, newest first."""
        try:
            names = os.listdir(self._generations)  # noqa: PTH208 - asked twenty times a second by each worker
        except FileNotFoundError:
            return []
        return sorted((int(name[:10]) for name in names if _GENERATION.fullmatch(name)), reverse=True)

    def read(self, generation: int) -> Published:
        """Raises `IntegrityError` for a file that is not what `publish` writes, `UnavailableError` as `package`."""
        path = self._path_of(generation)
        try:
            return msgspec.json.decode(_bytes(path, f"Generation {generation}"), type=Published)
        except msgspec.DecodeError as error:
            raise IntegrityError(f"Generation {generation} cannot be read from {path}: {error}.") from error

    def package(self, digest: str) -> bytes:
        """The bytes of a package; raises `IntegrityError` where they are not the ones that were published.

        Raises `UnavailableError` where they cannot be read now, for example for want of file descriptors.
        """
        path = self._packages / digest
        data = _bytes(path, f"The package {digest[:12]}")
        if digest_of(data) != digest:
            raise IntegrityError(
                f"The package {digest[:12]} in {path} is damaged: its digest is {digest_of(data)[:12]}.",
                remedy="deploy again, which writes it anew",
            )
        return data

    def enlist(self) -> str:
        """Begin to be a worker, until this process ends; answers the name under which to report."""
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        hold(self._workers / f"{name}.lock")
        return name

    def report(self, name: str, worker: Worker) -> None:
        """Say, as a worker, what it serves now."""
        write_atomically(self._workers / f"{name}.json", msgspec.json.encode(worker))

    def workers(self) -> list[Worker]:
        """The workers that live; what dead ones left behind is removed."""
        found = []
        for lock in sorted(self._workers.glob("*.lock")):
            said = lock.with_suffix(".json")
            if clear(lock):
                said.unlink(missing_ok=True)
                continue
            try:
                found.append(msgspec.json.decode(said.read_bytes(), type=Worker))
            except FileNotFoundError:
                # It lives and has not said anything yet: it serves nothing.
                found.append(Worker(pid=int(lock.stem.partition("-")[0]), server=0))
        return found

    def pids(self) -> list[int]:
        """The processes of the workers that live; nothing is written, so that anybody who may read may ask."""
        return [int(lock.stem.partition("-")[0]) for lock in self._workers.glob("*.lock") if is_held(lock)]

    def wait_live(self, generation: int, timeout: float) -> int:
        """How many workers serve this generation or a newer one, once that is all of them; 0 where none runs.

        Raises `IntegrityError` where a worker refused it, `UnavailableError` where one takes longer than `timeout`
        seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            workers = self.workers()
            behind = [worker for worker in workers if worker.generation < generation]
            if not behind:
                return len(workers)
            refused = next((one for one in behind if one.refused_generation >= generation), None)
            if refused is not None:
                raise IntegrityError(
                    f"Generation {generation} is not served, {refused.generation} stays: {refused.refused}",
                    remedy="deploy again, which writes the packages anew",
                )
            if time.monotonic() > deadline:
                pids = ", ".join(str(worker.pid) for worker in behind)
                raise UnavailableError(f"Processes {pids} do not serve generation {generation} after {timeout:g} s.")
            time.sleep(_POLL_SECONDS)

    def _path_of(self, generation: int) -> Path:
        return self._generations / f"{generation:010d}.json"

    def _forget_old(self) -> None:
        """Remove generations that no worker may need any more, and the packages that only they name."""
        kept = self.generations()[:KEPT_GENERATIONS]
        for generation in self.generations()[KEPT_GENERATIONS:]:
            self._path_of(generation).unlink(missing_ok=True)
        try:
            needed = {route.package for generation in kept for route in self.read(generation).routes}
        except (IntegrityError, UnavailableError):
            return  # what a damaged generation needs is not known, so nothing is thrown away
        for path in self._packages.iterdir():
            if path.name not in needed and not path.name.startswith("."):
                path.unlink(missing_ok=True)


def _bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise IntegrityError(f"{what} cannot be read: {path} is not there.") from error
    except OSError as error:
        raise UnavailableError(f"{what} cannot be read from {path}: {error}.") from error
