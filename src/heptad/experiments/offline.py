"""Begins a run while the store is away: the journal holds the run itself too, and is shipped when the store is back."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from heptad.core.errors import HeptadError
from heptad.core.identity import current_actor
from heptad.core.records import Attribute, Change, Id, Link, Record, canonical_json, new_id
from heptad.core.workspace import FOLDER, Workspace
from heptad.experiments.environment import capture_environment
from heptad.experiments.journal.entries import Update
from heptad.experiments.journal.shipper import journals_of
from heptad.experiments.journal.target import RunTarget, WorkspaceTarget
from heptad.experiments.logged import attributes_of, links_of, with_params
from heptad.experiments.records import Run
from heptad.experiments.runs import ActiveRun

_log = logging.getLogger("heptad")


class Offline:
    """Runs of the project at `root`, called `name`; `reopen` opens its workspace, and is tried again and again."""

    def __init__(self, root: Path, name: str, reopen: Callable[[], Workspace]) -> None:
        self._root, self._name, self._reopen = root, name, reopen

    def start(
        self,
        name: str,
        reason: HeptadError,
        *,
        experiment: str = "",
        params: Mapping[str, Any],
        seed: int = 0,
        parent: Id = "",
        made_from: Sequence[tuple[str, Id]] = (),
    ) -> ActiveRun:
        """Begin a run in the journal, and say why it is there only."""
        identity = new_id(Run.prefix)
        run = ActiveRun(identity, journals_of(self._root / FOLDER), self._target, time.time)
        staged: dict[str, str] = {}

        def keep(content: bytes) -> str:
            staged[str(len(staged))] = digest = run.journal.stage(content)
            return digest

        body = Run(
            name=name,
            experiment=experiment or self._name,
            seed=seed,
            environment=keep(canonical_json(capture_environment(self._root, keep))),
        )
        body = with_params(body, params)
        now, actor = datetime.now(UTC), current_actor()
        record: Record[dict[str, Any]] = Record(
            id=identity, kind=Run.kind, scope=body.experiment, at=now, actor=actor, body=msgspec.to_builtins(body)
        )
        begins = Change(
            records=[record],
            links=[Link(identity, role, target) for role, target in links_of(body, parent, made_from)],
            attributes=[Attribute(identity, key, value) for key, value in attributes_of(body, now).items()],
            at=now,
            actor=actor,
            key=f"save:{identity}",
        )
        run.journal.add(Update(at=now.timestamp(), files=staged, begins=begins))
        _log.warning("heptad: run %s is kept in %s until the store answers: %s", identity, run.live.place, reason)
        return run

    def _target(self) -> RunTarget:
        return WorkspaceTarget(self._reopen())
