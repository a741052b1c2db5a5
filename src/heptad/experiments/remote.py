"""Runs that are kept by a server: they begin in a journal of this machine, which is shipped there by HTTP."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from heptad.core.errors import InputError, RefusedError
from heptad.core.records import Id, Scalar
from heptad.core.workspace import FOLDER as WORKSPACE
from heptad.experiments.journal.entries import Update
from heptad.experiments.journal.http_target import HttpTarget, server_address
from heptad.experiments.journal.journal import FOLDER, MAIN, journals_below
from heptad.experiments.journal.shipper import Shipped, ship_leftovers, shipper
from heptad.experiments.offline import begin_in_journal
from heptad.experiments.runs import ActiveRun
from heptad.experiments.settings import TrackingSettings

_PREFIX = f"{FOLDER}-"


def chosen_server(given: str | None, settings: TrackingSettings) -> str:
    """The server that runs go to: what a call says, else HEPTAD_SERVER, else `[tracking] server`; empty: none."""
    return os.environ.get("HEPTAD_SERVER", settings.server) if given is None else given


def chosen_folder(settings: TrackingSettings, root: Path) -> Path:
    """Where journals for servers are: HEPTAD_JOURNALS, else `[tracking] journals`, else the workspace's folder."""
    named = os.environ.get("HEPTAD_JOURNALS", settings.journals)
    return root / named if named else root / WORKSPACE


class Remote:
    """Runs of one server, logged from the folder `root`, where they are called `name` unless an experiment is named.

    `folder` has a folder of journals for each server. Nothing here waits for the server but `resume`.
    """

    def __init__(self, server: str, root: Path, name: str, folder: Path) -> None:
        self.server = server_address(server).url
        self._root, self._name = root, name
        self._journals = folder / f"{_PREFIX}{quote(self.server, safe='')}"

    def start(self, name: str, *, experiment: str = "", **given: Any) -> ActiveRun:
        """Begin a run; `given` as for `begin_in_journal`."""
        run = begin_in_journal(
            self._root,
            self._journals,
            self._target,
            name=name,
            experiment=experiment or self._name,
            start_child=self.start,
            **given,
        )
        shipper().search(self._journals, self._target)
        return run

    def resume(self, run: Id) -> ActiveRun:
        """Go on with a run that was killed or has failed; see `Experiments.resume`.

        Raises `UnavailableError` where the server does not answer: it knows how far the run has come.
        """
        ship_leftovers(self._journals, self._target, run)
        target = HttpTarget(self.server)
        try:
            state = target.state(run)
        finally:
            target.close()
        if state.status == "finished":
            raise InputError(f"Run {run} is finished.", remedy="Start another run; a finished one stays as it is.")
        # One that goes on is logged to by somebody else, here or elsewhere, who gives the indexes of its series.
        if state.status == "running":
            return self._active(run, f"{os.getpid()}-{os.urandom(2).hex()}")
        try:
            active = self._active(run, MAIN, state.series)
        except RefusedError:
            return self._active(run, f"{os.getpid()}-{os.urandom(2).hex()}")
        goes_on: dict[str, Scalar] = {"status": "running", "reason": None, "ended": None}
        active.journal.add(Update(at=time.time(), attributes=goes_on, event="experiments.run_changed"))
        return active

    def _active(self, run: Id, writer: str, starts: dict[str, int] | None = None) -> ActiveRun:
        root, target = self._journals, self._target
        return ActiveRun(run, root, target, time.time, writer=writer, starts=starts, start_child=self.start)

    def _target(self) -> HttpTarget:
        return HttpTarget(self.server)


def ship_to_servers(folder: Path) -> list[Shipped]:
    """Ship what processes that died have left in `folder` for servers; see `ship_leftovers`."""
    return [
        msgspec.structs.replace(one, server=server)
        for server, journals in _servers(folder)
        if journals_below(journals)
        for one in ship_leftovers(journals, _opener(server))
    ]


def _opener(server: str) -> Callable[[], HttpTarget]:
    return lambda: HttpTarget(server)


def _servers(folder: Path) -> list[tuple[str, Path]]:
    """Each server that something was logged to from here, with its journals."""
    found = sorted(folder.glob(f"{_PREFIX}*")) if folder.is_dir() else []
    return [(unquote(one.name.removeprefix(_PREFIX)), one) for one in found]
