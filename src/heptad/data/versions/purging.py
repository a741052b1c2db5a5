"""Deletes what a Delta table keeps of its past: old files, and the log that tells the limits of their values."""

from pathlib import Path

from deltalake import DeltaTable

from heptad.core.faults import boundary
from heptad.core.files import sync_files, sync_folder

_DIGITS = 20
"""Of the version that begins the name of a file in the log."""


def forget_past(folder: Path) -> None:
    """Leave nothing of the Delta table in `folder` but its newest version; nobody may write to it meanwhile.

    What a version before it held cannot be read or found any more. Interrupted and done again, it finishes. How far
    sources had come with it (`DeltaTable.transaction_version`) stays known.
    """
    boundary("purging.before_vacuum")
    DeltaTable(folder).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    shorten_log(folder, DeltaTable(folder).version())
    sync_folder(folder)


def shorten_log(folder: Path, version: int) -> int:
    """Let the log of the Delta table in `folder` begin with this version; answers the bytes that were freed.

    Versions from this one on are read as before, and none before it can be. Delta's own clean-up goes by the age of a
    commit, which says nothing of who needs it. Interrupted and done again, it finishes.
    """
    log = folder / "_delta_log"
    begins = f"{version:0{_DIGITS}d}"
    old = [path for path in sorted(log.iterdir()) if path.name[:_DIGITS].isdecimal() and path.name[:_DIGITS] < begins]
    if not old:
        return 0
    DeltaTable(folder, version=version).create_checkpoint()
    sync_files(folder, [*log.glob(f"{begins}*"), log / "_last_checkpoint"])
    sync_folder(log)
    boundary("purging.after_checkpoint")
    size = sum(path.stat().st_size for path in old)
    for path in old:
        path.unlink()
    sync_folder(log)
    boundary("purging.after_log")
    return size
