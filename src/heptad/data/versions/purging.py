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
    table, log = DeltaTable(folder), folder / "_delta_log"
    table.create_checkpoint()
    newest = f"{table.version():0{_DIGITS}d}"
    sync_files(folder, [*log.glob(f"{newest}*"), log / "_last_checkpoint"])
    sync_folder(log)
    boundary("purging.after_checkpoint")
    for path in sorted(log.iterdir()):
        if path.name[:_DIGITS].isdecimal() and path.name[:_DIGITS] < newest:
            path.unlink()
    sync_folder(log)
    sync_folder(folder)
    boundary("purging.after_log")
