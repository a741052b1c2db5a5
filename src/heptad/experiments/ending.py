"""Runs that nobody ends: whether a process still logs to one, and how a person says that it is over."""

from collections.abc import Sequence

from heptad.core.errors import InputError, RefusedError
from heptad.core.identity import as_reason, current_actor
from heptad.core.records import Attribute, Change, Id, NewEvent, Scalar
from heptad.core.store import at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.journal.journal import hold, journals_below, release
from heptad.experiments.journal.shipper import journals_of, ship_leftovers
from heptad.experiments.journal.target import WorkspaceTarget


def is_logged_to(workspace: Workspace, run: Id) -> bool | None:
    """Whether a living process of this machine logs to a run.

    `None` where there is no journal of it: it logs from elsewhere, or not at all, or all of it is in the store.
    """
    found = None
    for folder in journals_below(journals_of(workspace.folder), run):
        lock = hold(folder)
        if lock is not None:
            release(lock)
            found = False
        elif folder.exists():
            return True
    return found


def end_runs(workspace: Workspace, runs: Sequence[Id], reason: str) -> None:
    """Say of runs that go on, by their records, that they are over: they become `killed`, all of them or none.

    What a process that died has logged is shipped first. Raises `InputError` for one that has ended or where the
    reason says nothing, `RefusedError` where a living process of this machine logs to one.
    """
    reason = as_reason(reason)
    for run in runs:
        if is_logged_to(workspace, run):
            raise RefusedError(f"A process logs to run {run} now.", remedy="stop it first; what it logged is kept")
    store, now = workspace.store, workspace.clock.now()
    for record in store.get(runs):
        if record.attributes.get("status") != "running":
            raise InputError(f"Run {record.id} has ended: {record.attributes.get('status')}.", allowed="one that runs")
    for run in runs:
        ship_leftovers(journals_of(workspace.folder), lambda: WorkspaceTarget(workspace), run)
    values: dict[str, Scalar] = {"status": "killed", "reason": reason, "ended": at_seconds(now)}
    store.write(
        Change(
            attributes=[Attribute(run, key, value) for run in runs for key, value in values.items()],
            events=[
                NewEvent(kind="experiments.run_finished", subject=run, body={"status": "killed", "reason": reason})
                for run in runs
            ],
            at=now,
            actor=current_actor(),
        )
    )
