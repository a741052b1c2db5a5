"""Begins a run in its journal alone: on its way to a server, or while the store is away."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from heptad.core.errors import HeptadError
from heptad.core.identity import current_actor
from heptad.core.records import Id, canonical_json, new_id
from heptad.core.workspace import FOLDER, Workspace
from heptad.experiments.beginning import checked_params, links_of, with_params
from heptad.experiments.environment import capture_environment
from heptad.experiments.journal.checking import check_begin
from heptad.experiments.journal.entries import Update
from heptad.experiments.journal.messages import RunBegin
from heptad.experiments.journal.shipper import journals_of
from heptad.experiments.journal.target import RunTarget, WorkspaceTarget
from heptad.experiments.records import Run
from heptad.experiments.runs import ActiveRun

_log = logging.getLogger("heptad")


class Offline:
    """Runs of the project at `root`, called `name`; `reopen` opens its workspace, and is tried again and again."""

    def __init__(self, root: Path, name: str, reopen: Callable[[], Workspace]) -> None:
        self._root, self._name, self._reopen = root, name, reopen

    def start(self, name: str, reason: HeptadError, *, experiment: str = "", **given: Any) -> ActiveRun:
        """Begin a run in the journal, and say why it is there only; `given` as for `begin_in_journal`."""
        journals = journals_of(self._root / FOLDER)
        run = begin_in_journal(
            self._root, journals, self._target, name=name, experiment=experiment or self._name, **given
        )
        _log.warning("heptad: run %s is kept in %s until the store answers: %s", run.id, run.live.place, reason)
        return run

    def _target(self) -> RunTarget:
        return WorkspaceTarget(self._reopen())


def begin_in_journal(
    root: Path,
    journals: Path,
    target: Callable[[], RunTarget],
    *,
    name: str,
    experiment: str,
    params: Mapping[str, Any] | None = None,
    seed: int = 0,
    parent: Id = "",
    made_from: Sequence[tuple[str, Id]] = (),
    start_child: Callable[..., ActiveRun] | None = None,
) -> ActiveRun:
    """A run whose beginning is an entry of its journal below `journals`, shipped like all that follows.

    Nobody is asked, so that `parent` and `made_from` are taken as they are given.
    """
    identity, now = new_id(Run.prefix), time.time()
    body = with_params(Run(name=name, experiment=experiment, seed=seed), checked_params(params))
    links = links_of(body, parent, made_from)
    begins = RunBegin(run=identity, at=now, actor=current_actor(), body=body, links=links)
    check_begin(begins)
    run = ActiveRun(identity, journals, target, time.time, start_child=start_child)
    staged: dict[str, str] = {}

    def keep(content: bytes) -> str:
        staged[str(len(staged))] = digest = run.journal.stage(content)
        return digest

    known = msgspec.structs.replace(body, environment=keep(canonical_json(capture_environment(root, keep))))
    run.journal.add(Update(at=now, files=staged, begins=msgspec.structs.replace(begins, body=known)))
    return run
